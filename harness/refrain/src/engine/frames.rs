//! The frames of a backtrace that belong to the service and its dependencies, without those of the standard library, this harness
//! and its engines.

use super::backtrace::{Function, functions};
use crate::{
    place::Place,
    sources::{self, Owner, Source, Sources},
    verdict::Frame,
};
use std::{backtrace::Backtrace, env, panic::Location, path::Path};
use tokio::control;

/// The crates whose frames are hidden if there is no debug information, so that files do not tell.
const HIDDEN: [&str; 7] = ["alloc", "core", "refrain", "refrain_core", "refrain_tokio", "std", "test"];

/// What an engine puts between its own code and the service's, which is hidden as well.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hidden {
    /// Packages, each with the hyphen before its version.
    pub packages: &'static [&'static str],
    /// Their crates.
    pub crates: &'static [&'static str],
}
/// Maximum number of frames.
const FRAMES_MAX: usize = 100;

/// Returns whether a place is in the service or the test.
pub(crate) fn is_of_service(place: &Location<'_>) -> bool {
    let none = Hidden { packages: &[], crates: &[] };
    shown(&sources::current().identify(place.file()), none) == Some(Owner::User)
}

/// Returns the frames, and the innermost place in the service.
pub(crate) fn frames(backtrace: &Backtrace, hidden: Hidden) -> (Vec<Frame>, Option<Place>) {
    let here = env::current_dir().unwrap_or_default();
    // To find the lines it opens files, of libraries as well.
    let text = control::unguarded(|| backtrace.to_string());
    of_text(&text, &here, sources::current(), hidden)
}

fn of_text(text: &str, here: &Path, sources: &Sources, hidden: Hidden) -> (Vec<Frame>, Option<Place>) {
    let (mut frames, mut nearest): (Vec<Frame>, Option<Place>) = (vec![], None);
    for Function { name, at } in functions(text, here) {
        let Some((file, line)) = at else {
            frames.extend(without_place(name, hidden));
            continue;
        };
        let source = sources.identify(&file);
        let (owner, place) = (shown(&source, hidden), Place { file: source.name.into_owned(), line });
        // A function of the standard library that was instantiated in the service has the service's file.
        if let Some(owner) = owner.filter(|_| !is_hidden(name, hidden)) {
            nearest = nearest.or_else(|| (owner == Owner::User).then(|| place.clone()));
            frames.push(Frame { function: name.to_owned(), place: Some(place) });
        }
    }
    frames.truncate(FRAMES_MAX);
    (frames, nearest)
}

/// Returns whose a source is, if it is shown: not the harness's, nor the standard or the C library's.
fn shown(source: &Source<'_>, hidden: Hidden) -> Option<Owner> {
    let is_on_the_way = hidden.packages.iter().any(|package| source.name.starts_with(package));
    let is_hidden = matches!(source.owner, Owner::Std | Owner::Harness) || !source.name.ends_with(".rs");
    (!is_hidden && !is_on_the_way).then_some(source.owner)
}

/// A frame without debug information. A name without a path is a function of the system's, such as `__clone3`.
fn without_place(function: &str, hidden: Hidden) -> Option<Frame> {
    let shown = function.contains("::") && !is_hidden(function, hidden);
    shown.then(|| Frame { function: function.to_owned(), place: None })
}

/// With debug information for lines only, an inlined function's name may lack its path.
fn is_hidden(function: &str, hidden: Hidden) -> bool {
    let of = crate_of(function);
    function.contains("::") && (HIDDEN.contains(&of) || hidden.crates.iter().any(|of| names(function, of)))
}

/// Whether a function is of a crate, or has a type of it as a parameter.
fn names(function: &str, of: &str) -> bool {
    function.match_indices(of).any(|(at, _)| {
        let is_whole = !function[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        is_whole && function[at + of.len()..].starts_with("::")
    })
}

/// `std` of `<std::vec::Vec<T> as core::fmt::Debug>::fmt`.
fn crate_of(function: &str) -> &str {
    let name = function.trim_start_matches(['<', '&', '*', '(']);
    let name = name.strip_prefix("dyn ").or(name.strip_prefix("impl ")).unwrap_or(name);
    name.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Hidden = Hidden { packages: &[], crates: &[] };
    const TEXT: &str = "   0: std::backtrace_rs::backtrace::trace
             at /rustc/abc/library/std/src/../../backtrace/src/mod.rs:66:14
   1: refrain::simulation::run::catch_panics::{{closure}}
             at /build/refrain/harness/refrain/src/simulation/run.rs:170:9
   2: bytes::buf::Buf::advance
             at /cargo/registry/src/registry.example-1949cf8c6b5b557f/bytes-1.10.1/src/buf/buf_impl.rs:9:5
   3: parking_lot::lock
   4: <echo::Frame as core::str::FromStr>::from_str
             at ./src/frame.rs:12:9
      inlined
             at ./src/lib.rs:5:1
   5: <refrain_tokio::sim::gate::Gate<F> as core::future::future::Future>::poll
             at /build/refrain/harness/tokio/src/sim/gate.rs:9:1
   6: tokio::runtime::context::with
             at ./.refrain/real-tokio/src/runtime/context.rs:9:1
   6: core::ops::function::FnOnce::call_once
   7: start_thread
             at ./nptl/pthread_create.c:442:8
   8: __clone3
";

    #[test]
    fn only_the_service_and_its_dependencies_are_shown() {
        let harness = ["harness/refrain/src/", "harness/tokio/src/"].map(|own| (own, String::new()));
        let sources = Sources { root: "/build/refrain".into(), harness: harness.into(), ..Sources::default() };
        let (frames, nearest) = of_text(TEXT, Path::new("/build/refrain/echo"), &sources, NONE);
        let shown: Vec<String> = frames
            .iter()
            .map(|frame| {
                format!("{} {}", frame.function, frame.place.as_ref().map(ToString::to_string).unwrap_or_default())
            })
            .collect();
        assert_eq!(
            shown,
            [
                "bytes::buf::Buf::advance bytes-1.10.1/src/buf/buf_impl.rs:9",
                "parking_lot::lock ",
                "<echo::Frame as core::str::FromStr>::from_str echo/src/frame.rs:12",
                "inlined echo/src/lib.rs:5"
            ]
        );
        assert_eq!(nearest.unwrap().to_string(), "echo/src/frame.rs:12");
    }

    #[test]
    fn a_text_that_is_no_backtrace_has_no_frames() {
        for text in ["", "disabled backtrace", "unsupported backtrace", "at a:1", "0: \nat \nat x\nat :1:1:1"] {
            assert_eq!(of_text(text, Path::new("/"), &Sources::default(), NONE), (vec![], None), "{text}");
        }
    }
}
