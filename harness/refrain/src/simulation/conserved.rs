//! A kind of resource that must not leak: what of it is open, since when, and where it was opened.

use crate::{
    event::Log,
    place::{Place, Task},
};
use serde_json::Value;
use std::collections::BTreeMap;
use tokio::control::{self, HostId, Stamp};

/// The kinds that the harness counts itself.
pub(super) const SOCKET: &str = "socket";
pub(super) const TASK: &str = "task";

/// One `tracing` event of the service.
#[derive(Debug)]
pub(crate) struct LogEvent {
    pub log: Log,
    /// The place in the source, `src/channel.rs:48`.
    pub place: Place,
}

/// A kind of resource that must not leak.
#[derive(Debug)]
pub(super) struct Conserved {
    pub kind: String,
    pub limit: usize,
    /// What is open, by host, its process and number.
    live: BTreeMap<(String, u32, String), Opened>,
    pub opened: u64,
    pub closed: u64,
}

/// When, where in the source and in which task something was opened.
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

    /// How many are open in the processes that run now.
    pub fn count(&self, hosts: &[(String, HostId)]) -> usize {
        match self.kind.as_str() {
            SOCKET => control::open_now().0,
            TASK => control::open_now().1,
            _ => self.open(hosts).count(),
        }
    }

    /// Whether the harness counts this kind itself.
    pub fn is_counted_here(&self) -> bool {
        [SOCKET, TASK].contains(&self.kind.as_str())
    }

    /// What is open in the processes that run now: host, number, and how it was opened.
    pub fn open(&self, hosts: &[(String, HostId)]) -> impl Iterator<Item = (&str, &str, &Opened)> {
        let runs = |host: &str, incarnation: u32| {
            hosts.iter().any(|(name, id)| name == host && control::incarnations(*id).1 == incarnation)
        };
        let live = self.live.iter().filter(move |((host, incarnation, _), _)| runs(host, *incarnation));
        live.map(|((host, _, id), opened)| (host.as_str(), id.as_str(), opened))
    }

    /// Takes note of a report; the number of one that was closed and was not open.
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

/// A number or a text as it is, without quotes.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
