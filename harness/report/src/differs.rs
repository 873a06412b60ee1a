//! Shows two events that should be the same, so that a reader sees in what they differ.

use super::{event::event, words};
use refrain_core::{
    event::{Event, Kind},
    verdict::Cause,
};

/// One event in a line, with its time to the nanosecond: what differs may be smaller than a millisecond.
pub(super) fn row(shown: &Event) -> String {
    if let Kind::Step(step) = &shown.kind {
        let place = step.place.as_ref().map(|place| format!(" at {place}")).unwrap_or_default();
        return format!("thread {}: {}{place}", step.thread, step.text);
    }
    let task = shown.task.as_ref().map(|task| format!("  {task}")).unwrap_or_default();
    format!("{}  {}{task}  {}", words::exact_clock(shown.at), words::host(&shown.host), event(shown))
}

/// Whether the runs that differ are executions of a model.
pub(super) fn is_of_model(causes: &[Cause]) -> bool {
    let is_step = |cause: &Cause| matches!(cause, Cause::RunShows { event, .. } if matches!(event.kind, Kind::Step(_)));
    causes.iter().any(is_step)
}
