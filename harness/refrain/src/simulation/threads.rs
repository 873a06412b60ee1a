//! Threads that the service starts: the line that does, and what a new one needs of the harness.

use super::{HIDDEN, checks::fail_unless_allowed, state, tracing_layer};
use crate::{
    engine::{backtrace::functions, call_places, frames::frames},
    job::RunMessage,
    place::Place,
};
use std::{backtrace::Backtrace, path::Path};
use tokio::control::CallPlace;

/// What each new thread does first.
pub(super) fn starts() -> Box<dyn FnOnce()> {
    let (state, tracing) = (state::hand_on(), tracing_layer::hand_on());
    Box::new(move || {
        state();
        tracing();
    })
}

/// Returns the line of the service that starts a thread or blocks right now, or the innermost one of a dependency.
pub(super) fn place(path: u64) -> &'static CallPlace {
    call_places::get(path).unwrap_or_else(|| {
        let (frames, nearest) = frames(&Backtrace::force_capture(), HIDDEN);
        let innermost = || frames.into_iter().find_map(|frame| frame.place);
        let place = nearest.or_else(innermost).unwrap_or_else(|| Place { file: "unknown".into(), line: 0 });
        state::try_with(|state| state.send(&RunMessage::CallPlace { path, place: place.clone() }));
        call_places::learn(path, place)
    })
}

/// Whether nobody but std catches the panic with this backtrace: it ends its thread.
pub(super) fn is_uncaught(stack: &Backtrace) -> bool {
    let text = stack.to_string();
    is_uncaught_in(&functions(&text, Path::new("")).iter().map(|function| function.name).collect::<Vec<_>>())
}

/// std's own call that catches panics is further out than the start of the thread's code.
fn is_uncaught_in(functions: &[&str]) -> bool {
    let starts = |name: &&str| name.contains("__rust_begin_short_backtrace");
    // Which of them is left depends on what was inlined.
    let catches = |name: &&str| ["catch_unwind", "do_call", "__rust_try"].iter().any(|part| name.contains(part));
    let inside = functions.iter().position(starts).map_or(functions, |start| &functions[..start]);
    !inside.iter().any(catches)
}

/// Handles a panic that ends a thread: its `JoinHandle` has it, if the test allows it.
pub(super) fn panicked() {
    fail_unless_allowed(state::last_panic());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(functions: &[&str], expected: bool) {
        assert_eq!(is_uncaught_in(functions), expected, "{functions:?}");
    }

    #[test]
    fn what_std_catches_ends_the_thread() {
        let std =
            ["std::sys::backtrace::__rust_begin_short_backtrace", "std::panicking::catch_unwind::do_call", "start"];
        check(&[&["service::flush"], &std[..]].concat(), true);
        check(&[&["service::flush", "std::panicking::catch_unwind::do_call"], &std[..]].concat(), false);
        check(&["service::flush", "__rust_try", "std::sys::backtrace::__rust_begin_short_backtrace"], false);
        check(&["service::flush"], true);
    }
}
