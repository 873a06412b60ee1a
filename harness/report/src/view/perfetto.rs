//! A trace in the JSON format of Chrome's tracing, which ui.perfetto.dev opens: a process for each host with a thread for each task,
//! flows for what hosts send each other, and faults as slices.

use super::{View, messages::What};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The number of the process that has the faults. Hosts count from 1.
const FAULTS: usize = 0;
/// How long an event is shown, in microseconds: it has no duration, and a flow needs a slice to begin at.
const SHOWN_US: f64 = 0.1;

/// Formats a view as a trace of the Trace Event Format. Times are in microseconds of virtual time.
pub fn perfetto(view: &View<'_>) -> String {
    let mut events = vec![meta("process_name", FAULTS, 0, "faults")];
    events.extend(view.lanes.iter().enumerate().map(|(lane, of)| meta("process_name", lane + 1, 0, &of.name)));
    let mut threads = BTreeMap::new();
    let mut placed = BTreeMap::new();
    for row in &view.events {
        let task = row.task.as_deref().unwrap_or("");
        let next = threads.len() + 1;
        let thread = *threads.entry((row.lane, task)).or_insert_with(|| {
            events.push(meta("thread_name", row.lane + 1, next, if task.is_empty() { "(no task)" } else { task }));
            next
        });
        placed.insert(row.n, (row.lane + 1, thread, us(row.at)));
        events.push(json!({
            "ph": "X", "name": row.text, "cat": row.group, "pid": row.lane + 1, "tid": thread,
            "ts": us(row.at), "dur": SHOWN_US, "args": {"event": row.n, "connection": row.connection},
        }));
    }
    for (id, message) in view.messages.iter().enumerate() {
        let (Some(to), Some(from)) = (message.to.and_then(|to| placed.get(&to)), placed.get(&message.from)) else {
            continue;
        };
        let name = match message.what {
            What::Connect => "connect",
            What::Bytes(_) => "bytes",
            What::End => "end",
            What::Stale => "old value",
        };
        events.extend([("s", from), ("f", to)].map(|(phase, (process, thread, at))| {
            json!({"ph": phase, "id": id, "name": name, "cat": "message", "pid": process, "tid": thread, "ts": at, "bp": "e"})
        }));
    }
    events.extend(
        view.faults
            .iter()
            .enumerate()
            .flat_map(|(id, fault)| {
                let until = fault.to.and_then(|to| placed.get(&to)).map_or_else(|| end(view), |(_, _, at)| *at);
                let from = placed.get(&fault.from).map(|(_, _, at)| *at)?;
                Some([("b", from), ("e", until)].map(|(phase, at)| {
            json!({"ph": phase, "id": id, "name": fault.text, "cat": "fault", "pid": FAULTS, "tid": 0, "ts": at})
        }))
            })
            .flatten(),
    );
    let other = json!({"test": view.test, "failure": view.headline()});
    super::ascii(&json!({"traceEvents": events, "displayTimeUnit": "ns", "otherData": other}).to_string()) + "\n"
}

fn end(view: &View<'_>) -> f64 {
    view.events.last().map_or(0.0, |row| us(row.at))
}

fn us(ns: u64) -> f64 {
    ns as f64 / 1_000.0
}

fn meta(what: &str, process: usize, thread: usize, name: &str) -> Value {
    json!({"ph": "M", "name": what, "pid": process, "tid": thread, "args": {"name": name}})
}
