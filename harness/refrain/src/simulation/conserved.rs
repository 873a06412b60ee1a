//! A kind of resource that must not leak: its open instances, since when, and where they were opened.

use crate::{
    event::Log,
    place::{Place, Task},
};
use serde_json::Value;
use std::collections::BTreeMap;
use tokio::control::{self, HostId, Stamp};

/// The kinds that the harness itself tracks.
pub(super) const SOCKET: &str = "socket";
pub(super) const TASK: &str = "task";

/// A `tracing` event of the service.
#[derive(Debug)]
pub(crate) struct LogEvent {
    pub log: Log,
    /// Its source location, `src/channel.rs:48`.
    pub place: Place,
}

/// A kind of resource that must not leak.
#[derive(Debug)]
pub(super) struct Conserved {
    pub kind: String,
    pub limit: usize,
    /// The open instances, by host, incarnation of its process, and id.
    live: BTreeMap<(String, u32, String), Opened>,
    pub opened: u64,
    pub closed: u64,
}

/// When, where in the source and by which task a resource was opened.
#[derive(Debug)]
pub(super) struct Opened {
    pub at: u64,
    pub place: Place,
    pub task: Option<Task>,
}

impl Conserved {
    pub fn new(kind: &str, limit: usize) -> Conserved {
        Conserved { kind: kind.into(), limit, live: BTreeMap::new(), opened: 0, closed: 0 }
    }

    /// Returns the number of open instances in live processes.
    pub fn count(&self, hosts: &[(String, HostId)]) -> usize {
        match self.kind.as_str() {
            SOCKET => control::open_now().0,
            TASK => control::open_now().1,
            _ => self.open(hosts).count(),
        }
    }

    /// Returns whether the harness itself tracks this kind.
    pub fn is_counted_here(&self) -> bool {
        [SOCKET, TASK].contains(&self.kind.as_str())
    }

    /// Returns the open instances in live processes: host, id, and how it was opened.
    pub fn open(&self, hosts: &[(String, HostId)]) -> impl Iterator<Item = (&str, &str, &Opened)> {
        let runs = |host: &str, incarnation: u32| {
            hosts.iter().any(|(name, id)| name == host && control::incarnations(*id).1 == incarnation)
        };
        let live = self.live.iter().filter(move |((host, incarnation, _), _)| runs(host, *incarnation));
        live.map(|((host, _, id), opened)| (host.as_str(), id.as_str(), opened))
    }

    /// Records an event. Returns the id of a resource that was closed but not open.
    pub fn report(&mut self, said: &LogEvent, stamp: &Stamp) -> Option<String> {
        let id = said.log.fields.get("id").map(plain).unwrap_or_default();
        let key = (stamp.host.clone(), control::incarnations(control::current_host()).0, id.clone());
        match said.log.message.as_str() {
            "opened" => {
                self.opened += 1;
                let opened = Opened { at: stamp.at, place: said.place.clone(), task: stamp.task.clone() };
                self.live.insert(key, opened);
                None
            }
            "closed" => {
                self.closed += 1;
                self.live.remove(&key).is_none().then_some(id)
            }
            _ => None,
        }
    }
}

/// Formats a number or a string without quotes.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
