//! The place of an operation: for one of an unmodified dependency, the innermost line of the service.

use crate::{
    engine::backtrace::functions,
    place::Place,
    sources::{self, Owner},
};
use std::{backtrace::Backtrace, cell::RefCell, collections::BTreeMap, env, panic::Location};

/// The place of an operation of a thread that may have to wait: its backtrace is only read if it does.
#[derive(Debug)]
pub(super) struct At {
    /// Where the operation is.
    own: &'static Location<'static>,
    /// How a dependency came there.
    called: Option<Backtrace>,
}

thread_local! {
    /// Whether places are in dependencies, by their addresses.
    static KNOWN: RefCell<BTreeMap<usize, bool>> = const { RefCell::new(BTreeMap::new()) };
}

impl At {
    /// Returns the place of an operation of the running thread.
    pub fn new(own: &'static Location<'static>) -> At {
        At { own, called: is_of_dependency(own).then(Backtrace::force_capture) }
    }

    /// Returns it for an event. Without debug information of the service it is the dependency's.
    pub fn shown(&self) -> Option<Place> {
        let called = self.called.as_ref().and_then(|called| nearest(&called.to_string()));
        called.or_else(|| shown(self.own))
    }
}

/// Returns a place in the source. One in the standard library is none: a drop, or a function that was handed over as a
/// value.
pub(crate) fn shown(place: &Location<'_>) -> Option<Place> {
    (sources::current().identify(place.file()).owner != Owner::Std).then(|| place.into())
}

fn is_of_dependency(place: &'static Location<'static>) -> bool {
    let find = || sources::current().identify(place.file()).owner == Owner::Dependency;
    KNOWN.with(|known| *known.borrow_mut().entry((&raw const *place).addr()).or_insert_with(find))
}

/// Returns the innermost place in the service or its test.
fn nearest(backtrace: &str) -> Option<Place> {
    let here = env::current_dir().unwrap_or_default();
    let mut places = functions(backtrace, &here).into_iter().filter_map(|function| function.at);
    places.find_map(|(file, line)| {
        let source = sources::current().identify(&file);
        let is_users = source.owner == Owner::User && source.name.ends_with(".rs");
        is_users.then(|| Place { file: source.name.into_owned(), line })
    })
}
