//! What a test demands: conservation, safety, and what must happen sometimes. Each is looked at as the service reports.

use super::{
    actor::actor,
    conserved::{Conserved, leaked},
    state,
    tracing_layer::LogEvent,
};
use crate::{
    place::Place,
    protocol::Coverage,
    verdict::{Cause, Class, Detail, Failure, Property},
};
use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, Location, catch_unwind},
    rc::Rc,
    time::Duration,
};
use tokio::control::{self, Stamp};
use tracing::Metadata;

/// How long the hosts may take, after the test's body, to become quiescent.
pub(super) const QUIESCENCE: Duration = Duration::from_secs(120);
/// How long what is on its way when the body ends may take to arrive.
const IN_FLIGHT: Duration = Duration::from_secs(1);

/// The properties of one run.
#[derive(Default)]
pub(crate) struct Properties {
    conserved: Vec<Conserved>,
    /// The kinds of resource that the service has reported.
    reported: BTreeSet<String>,
    always: Vec<Always>,
    sometimes: Vec<Sometimes>,
}

#[derive(Clone)]
struct Always {
    what: String,
    place: &'static Location<'static>,
    holds: Rc<dyn Fn(&Seen) -> bool>,
}

struct Sometimes {
    what: String,
    target: String,
    message: String,
    /// Whether the test relies on it.
    required: bool,
    reached: bool,
}

/// What a safety property may look at: the service's own reports, as they stand now.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    live: BTreeMap<String, usize>,
}

impl Seen {
    /// How many resources of a kind are open now.
    ///
    /// # Panics
    /// If the test does not name the kind with [`World::conserves`](crate::World::conserves).
    pub fn live(&self, kind: &str) -> usize {
        let live = self.live.get(kind).copied();
        live.unwrap_or_else(|| panic!("nothing counts the kind {kind:?}: call world.conserves({kind:?}) first"))
    }
}

impl Properties {
    pub fn conserve(&mut self, kind: &str, limit: usize) {
        match self.conserved.iter_mut().find(|conserved| conserved.kind == kind) {
            Some(conserved) => conserved.limit = limit,
            None => self.conserved.push(Conserved::new(kind, limit)),
        }
    }

    pub fn always(&mut self, what: &str, place: &'static Location<'static>, holds: Rc<dyn Fn(&Seen) -> bool>) {
        self.always.push(Always { what: what.into(), place, holds });
    }

    pub fn sometimes(&mut self, what: &str, target: &str, message: &str, required: bool) {
        let (what, target, message) = (what.into(), target.into(), message.into());
        self.sometimes.push(Sometimes { what, target, message, required, reached: false });
    }

    /// Whether a property depends on what the service reports.
    pub fn need_events(&self) -> bool {
        !self.sometimes.is_empty() || self.conserved.iter().any(|conserved| !conserved.is_counted_here())
    }

    /// Whether a place in the source may report what a property looks at.
    pub fn names(&self, metadata: &Metadata<'_>) -> bool {
        let fields = metadata.fields();
        let reports = fields.field("kind").is_some() && fields.field("id").is_some();
        let targets = || self.sometimes.iter().any(|sometimes| metadata.target().starts_with(&sometimes.target));
        reports && !self.conserved.is_empty() || targets()
    }

    /// Adds what was reached and reported: 1, or 0.
    pub fn cover(&self, coverage: &mut Coverage) {
        for Sometimes { what, required, reached, .. } in &self.sometimes {
            let runs = if *required { &mut coverage.sometimes } else { &mut coverage.counts };
            runs.insert(what.clone(), u64::from(*reached));
        }
        let named = self.conserved.iter().filter(|conserved| !conserved.is_counted_here());
        coverage.kinds = named.map(|conserved| (conserved.kind.clone(), 0)).collect();
        coverage.kinds.extend(self.reported.iter().map(|kind| (kind.clone(), 1)));
    }

    fn seen(&self, hosts: &[(String, control::HostId)]) -> Seen {
        let live = self.conserved.iter().map(|conserved| (conserved.kind.clone(), conserved.count(hosts)));
        Seen { live: live.collect() }
    }
}

/// The service has reported something.
pub(crate) fn said(said: &LogEvent, stamp: &Stamp) {
    let doubly = state::try_with(|state| {
        for sometimes in &mut state.properties.sometimes {
            sometimes.reached |=
                said.log.target.starts_with(&sometimes.target) && said.log.message.contains(&sometimes.message);
        }
        let kind = said.log.fields.get("kind")?.as_str()?;
        if said.log.fields.contains_key("id") && !state.properties.reported.contains(kind) {
            state.properties.reported.insert(kind.to_owned());
        }
        let conserved = state.properties.conserved.iter_mut().find(|conserved| conserved.kind == kind)?;
        let id = conserved.report(said, stamp)?;
        Some((kind.to_owned(), id))
    });
    if let Some(Some((kind, id))) = doubly {
        super::fail(closed_twice(kind, stamp, id));
    }
}

fn closed_twice(kind: String, stamp: &Stamp, id: String) -> Failure {
    Failure {
        class: Class::DoubleClose,
        property: Property::ClosedOnce(kind),
        place: stamp.task.as_ref().map(|task| task.place.clone()),
        detail: Detail::ClosedTwice { id, by: actor(stamp) },
        causes: vec![],
    }
}

/// Checks every `always`, after a poll.
pub(crate) fn check_always() {
    thread_local!(static CHECKING: Cell<bool> = const { Cell::new(false) });
    if CHECKING.replace(true) {
        return;
    }
    let all = state::with(|state| (state.properties.always.clone(), state.properties.seen(&state.hosts)));
    for always in &all.0 {
        // Its panic is the test's, not ours.
        let holds = catch_unwind(AssertUnwindSafe(|| (always.holds)(&all.1)));
        let holds = holds.unwrap_or_else(|_| {
            let (message, place) = state::last_panic();
            super::run::fail_of_panic(message, place)
        });
        if !holds {
            let level = |(kind, open): (&String, &usize)| Cause::Level { kind: kind.clone(), open: *open as u64 };
            super::fail(Failure {
                class: Class::Safety,
                property: Property::Always(always.what.clone()),
                place: Some(Place::from(always.place)),
                detail: Detail::Broken { by: actor(&control::stamp()) },
                causes: all.1.live.iter().map(level).collect(),
            });
        }
    }
    CHECKING.set(false);
}

/// After the test's body: waits until everything that must be conserved is back at its level, or fails.
pub(crate) async fn quiescent() {
    if state::with(|state| state.properties.conserved.is_empty()) {
        return;
    }
    // What is still on its way may open something yet.
    tokio::time::sleep(IN_FLIGHT).await;
    let deadline = control::now() + QUIESCENCE.as_nanos() as u64;
    loop {
        let leak = state::with(|state| {
            state.properties.conserved.iter().find_map(|conserved| leaked(conserved, &state.hosts))
        });
        let Some(leak) = leak else { return };
        if control::now() >= deadline {
            super::fail(leak);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
