//! Formats two events that should be identical so that their difference is visible.

use super::{event::event, step::operation, words};
use refrain_core::{
    event::{Event, Kind},
    verdict::Cause,
};

/// Formats an event on one line, with its time to the nanosecond: the difference may be below a millisecond.
pub(super) fn row(shown: &Event) -> String {
    if let Kind::Step(step) = &shown.kind {
        let place = step.place.as_ref().map(|place| format!(" at {place}")).unwrap_or_default();
        return format!("thread {}: {}{place}", step.thread, operation(&step.does));
    }
    let task = shown.task.as_ref().map(|task| format!("  {task}")).unwrap_or_default();
    format!("{}  {}{task}  {}", words::exact_clock(shown.at), words::host(&shown.host), event(shown))
}

/// Like [`row`]; where another event reads the same, followed by all of its data.
pub(super) fn row_beside(shown: &Event, other: Option<&Event>) -> String {
    let text = row(shown);
    if other.is_none_or(|other| other == shown || row(other) != text) {
        return text;
    }
    let data = serde_json::to_string(shown).unwrap_or_else(|_| words::raw(shown));
    format!("{text}  {data}")
}

/// Returns whether the runs that differ are executions of a model.
pub(super) fn is_of_model(causes: &[Cause]) -> bool {
    let is_step = |cause: &Cause| matches!(cause, Cause::RunShows { event, .. } if matches!(event.kind, Kind::Step(_)));
    causes.iter().any(is_step)
}
