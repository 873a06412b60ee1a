//! A kind of resource that must not leak: what of it is open, since when, and where it was opened.

use super::{properties::QUIESCENCE, stall, tracing_layer::LogEvent};
use crate::{
    place::{Place, Task},
    verdict::{Cause, Class, Detail, Failure, Property},
};
use serde_json::Value;
use std::collections::BTreeMap;
use tokio::control::{self, HostId, Stamp};

/// How many of what is left a verdict names.
const CAUSES_MAX: usize = 5;
/// The kinds that the harness counts itself.
const SOCKET: &str = "socket";
const TASK: &str = "task";

/// A kind of resource that must not leak.
#[derive(Debug)]
pub(super) struct Conserved {
    pub kind: String,
    pub limit: usize,
    /// What is open, by host, its process and number.
    live: BTreeMap<(String, u32, String), Opened>,
    opened: u64,
    closed: u64,
}

/// When, where in the source and in which task something was opened.
#[derive(Debug)]
struct Opened {
    at: u64,
    place: Place,
    task: Option<Task>,
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
    fn open(&self, hosts: &[(String, HostId)]) -> impl Iterator<Item = (&str, &str, &Opened)> {
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

/// The verdict, if more is open than may be: what, how it rose, and where it was opened.
pub(super) fn leaked(conserved: &Conserved, hosts: &[(String, HostId)]) -> Option<Failure> {
    let (kind, limit) = (&conserved.kind, conserved.limit);
    let open = conserved.count(hosts);
    if open <= limit {
        return None;
    }
    let mut causes = match kind.as_str() {
        SOCKET => control::sockets().into_iter().map(|(host, socket)| Cause::OpenSocket { host, socket }).collect(),
        TASK => stall::waits(),
        _ => vec![],
    };
    causes.truncate(CAUSES_MAX);
    let mut left: Vec<_> = conserved.open(hosts).collect();
    left.sort_by_key(|(_, _, opened)| opened.at);
    let oldest = left.first().map(|(_, _, oldest)| *oldest);
    for (host, id, Opened { at, place, task }) in left.iter().take(1) {
        let (host, id, place) = (host.to_string(), id.to_string(), place.clone());
        causes.push(Cause::Open { host, id, since: *at, place, task: task.clone() });
        causes.push(Cause::Rose(left.iter().map(|(_, _, opened)| opened.at).take(CAUSES_MAX).collect()));
        causes.push(Cause::Totals { opened: conserved.opened, closed: conserved.closed });
    }
    Some(Failure {
        class: Class::Leak,
        property: Property::Conserved(kind.clone()),
        place: oldest.and_then(|oldest| oldest.task.as_ref()).map(|task| task.place.clone()),
        detail: Detail::Leaked { open: open as u64, limit: limit as u64, waited: QUIESCENCE.as_nanos() as u64 },
        causes,
    })
}
