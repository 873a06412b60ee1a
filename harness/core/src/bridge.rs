//! From a network trace to a model: extracts what the tasks did to the failing resource just before the failure.
//!
//! A simulation runs tasks on one thread, so it only shows races in which a task waits between two steps. Whether the
//! operations themselves race is what a model of them checks.

use crate::{
    escape::Escaped,
    event::{Event, Kind, Log},
    place::Task,
    trace::Trace,
    verdict::Class,
};
use serde_json::Value;
use std::collections::BTreeSet;

/// Maximum number of concurrent threads: with the model's main thread, as many as an exhaustive search supports.
pub const THREADS_MAX: usize = 4;
const OPENED: &str = "opened";
const CLOSED: &str = "closed";

/// The operations on one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operations {
    /// The kind of the resource, as the service logs it.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// The earlier operations, in order.
    pub before: Vec<Operation>,
    /// The concurrent operations: the last one of each task.
    pub at_once: Vec<Operation>,
}

/// One operation of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Virtual time, in nanoseconds.
    pub at: u64,
    /// The host.
    pub host: String,
    /// The task; `None`: the test itself.
    pub task: Option<Task>,
    /// The operation, in the service's own word: `released`.
    pub what: String,
}

/// Why a trace cannot be turned into a model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoModel {
    /// It is a model's trace already.
    #[error("the trace is one of a model already, run by {}: `cargo refrain replay` runs it again", Escaped(engine))]
    AlreadyOne {
        /// The engine that ran it.
        engine: String,
    },
    /// It does not record operations on resources.
    #[error(
        "the trace reports no operation on anything: have the service report them, as `tracing` events with the fields \
         `kind` and `id` and a word for what was done, such as `acquired`"
    )]
    NothingReported,
    /// There is nothing to interleave.
    #[error(
        "only one task did something to {} {} around the failure ({}): there is nothing to interleave",
        Escaped(kind),
        Escaped(id),
        Escaped(what)
    )]
    OneTask {
        /// The kind of the resource.
        kind: String,
        /// Its id.
        id: String,
        /// The operation.
        what: String,
    },
}

/// Returns the operations on the resource that the failure is about.
///
/// # Errors
/// Returns [`NoModel`] if the trace has no suitable operations.
pub fn operations(trace: &Trace) -> Result<Operations, NoModel> {
    if trace.plan.threads.is_some() {
        return Err(NoModel::AlreadyOne { engine: trace.engine.name.clone() });
    }
    let reports: Vec<Report<'_>> = trace.events.iter().filter_map(Report::of).collect();
    let about = subject(trace, &reports).ok_or(NoModel::NothingReported)?;
    let (kind, id, host) = (about.kind.to_owned(), about.id.clone(), about.event.host.clone());
    let its_own = reports.iter().filter(|report| report.kind == kind && report.id == id && report.event.host == host);
    let all: Vec<Operation> = its_own.map(Report::operation).collect();
    let begins = where_tasks_meet(&all);
    let (before, at_once) = all.split_at(begins);
    let done =
        |operations: &[Operation]| -> Vec<_> { operations.iter().filter(|one| one.what != CLOSED).cloned().collect() };
    // A close counts as an operation only if nothing else was done; otherwise it is the result of another operation.
    let (before, released) = (done(before), done(at_once));
    let at_once = if released.is_empty() { at_once.to_vec() } else { released };
    if at_once.len() < 2 {
        let what = at_once.first().map_or_else(|| "nothing".to_owned(), |one| one.what.clone());
        return Err(NoModel::OneTask { kind, id, what });
    }
    Ok(Operations { kind, id, before, at_once })
}

/// Returns the index from which each task has at most one operation, not counting `closed`, and at most [`THREADS_MAX`]
/// tasks have any.
fn where_tasks_meet(all: &[Operation]) -> usize {
    let mut tasks = BTreeSet::new();
    let mut begins = all.len();
    for (index, operation) in all.iter().enumerate().rev() {
        let again = operation.what != CLOSED && tasks.contains(&operation.task);
        if operation.what == OPENED || again || (tasks.len() == THREADS_MAX && !tasks.contains(&operation.task)) {
            break;
        }
        if operation.what != CLOSED {
            tasks.insert(operation.task.clone());
        }
        begins = index;
    }
    begins
}

/// A service's log event about a resource.
struct Report<'a> {
    event: &'a Event,
    kind: &'a str,
    id: String,
    what: &'a str,
}

impl<'a> Report<'a> {
    fn of(event: &'a Event) -> Option<Self> {
        let Kind::Log(Log { message, fields, .. }) = &event.kind else { return None };
        let kind = fields.get("kind")?.as_str()?;
        let id = match fields.get("id")? {
            Value::String(id) => id.clone(),
            id => id.to_string(),
        };
        Some(Report { event, kind, id, what: message })
    }

    fn operation(&self) -> Operation {
        let Event { at, host, task, .. } = self.event;
        Operation { at: *at, host: host.clone(), task: task.clone(), what: self.what.to_owned() }
    }
}

/// Returns the report of the resource that the failure is about, of the kind that its property names, if any. For a
/// leak that is the oldest open one, otherwise the last one used.
fn subject<'a>(trace: &Trace, reports: &'a [Report<'a>]) -> Option<&'a Report<'a>> {
    let kind = trace.failure.property.kind();
    let named: Vec<_> = reports.iter().filter(|report| Some(report.kind) == kind).collect();
    if trace.failure.class == Class::Leak {
        let closed: BTreeSet<_> = named
            .iter()
            .filter(|report| report.what == CLOSED)
            .map(|report| (&report.event.host, &report.id))
            .collect();
        return named.into_iter().find(|report| !closed.contains(&(&report.event.host, &report.id)));
    }
    named.last().copied().or(reports.last())
}
