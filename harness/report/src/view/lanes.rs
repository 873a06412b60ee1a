//! The lanes of a diagram: one for each host, or for each thread of a model.

use crate::words;
use refrain_core::{
    escape::escaped,
    event::{Event, Kind, Step},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// A lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Lane {
    /// Its title: the host's name, `(test)`, or `thread 1`.
    pub(super) name: String,
}

/// The lanes of a run, in the order in which they first appear; threads by their number.
#[derive(Debug)]
pub(super) struct Lanes {
    lanes: Vec<Lane>,
    by_host: BTreeMap<String, usize>,
    by_thread: BTreeMap<usize, usize>,
}

impl Lanes {
    pub(super) fn of(events: &[Event]) -> Lanes {
        let mut lanes = Lanes { lanes: Vec::new(), by_host: BTreeMap::new(), by_thread: BTreeMap::new() };
        let threads: BTreeMap<usize, ()> = events.iter().filter_map(|event| Some((thread(event)?, ()))).collect();
        for thread in threads.into_keys() {
            lanes.by_thread.insert(thread, lanes.lanes.len());
            lanes.lanes.push(Lane { name: format!("thread {thread}") });
        }
        // What no thread of a model does, such as its failure, has no lane of its own.
        let is_model = !lanes.by_thread.is_empty();
        for event in events.iter().filter(|event| thread(event).is_none() && !(is_model && event.host.is_empty())) {
            if !lanes.by_host.contains_key(&event.host) {
                lanes.by_host.insert(event.host.clone(), lanes.lanes.len());
                lanes.lanes.push(Lane { name: escaped(words::host(&event.host)) });
            }
        }
        lanes
    }

    /// Returns the index of an event's lane.
    pub(super) fn of_event(&self, event: &Event) -> usize {
        match thread(event) {
            Some(thread) => self.by_thread[&thread],
            None => self.of_host(&event.host).unwrap_or(0),
        }
    }

    /// Returns the index of a host's lane, if it has one.
    pub(super) fn of_host(&self, host: &str) -> Option<usize> {
        self.by_host.get(host).copied()
    }

    /// Returns the index of a thread's lane, if it has one.
    pub(super) fn of_thread(&self, thread: usize) -> Option<usize> {
        self.by_thread.get(&thread).copied()
    }

    pub(super) fn name(&self, lane: usize) -> &str {
        &self.lanes[lane].name
    }

    pub(super) fn into_vec(self) -> Vec<Lane> {
        self.lanes
    }
}

fn thread(event: &Event) -> Option<usize> {
    match &event.kind {
        Kind::Step(Step { thread, .. }) => Some(*thread),
        _ => None,
    }
}
