//! Threads that the service starts: the line that does, and what a new one needs of the harness.

use super::{HIDDEN, state, tracing_layer};
use crate::{
    engine::{frames::frames, thread_places},
    job::RunMessage,
    place::Place,
};
use std::backtrace::Backtrace;
use tokio::control::ThreadPlace;

/// What each new thread does first.
pub(super) fn starts() -> Box<dyn FnOnce()> {
    let (state, tracing) = (state::hand_on(), tracing_layer::hand_on());
    Box::new(move || {
        state();
        tracing();
    })
}

/// Returns the line of the service that starts a thread right now, or the innermost one of a dependency.
pub(super) fn place(path: u64) -> &'static ThreadPlace {
    thread_places::get(path).unwrap_or_else(|| {
        let (frames, nearest) = frames(&Backtrace::force_capture(), HIDDEN);
        let innermost = || frames.into_iter().find_map(|frame| frame.place);
        let place = nearest.or_else(innermost).unwrap_or_else(|| Place { file: "unknown".into(), line: 0 });
        state::try_with(|state| state.send(&RunMessage::StartsThread { path, place: place.clone() }));
        thread_places::learn(path, place)
    })
}
