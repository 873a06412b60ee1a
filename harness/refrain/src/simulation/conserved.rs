//! A kind of resource that must not leak: what of it is open, since when, and where it was opened.

use super::{properties::REST, stall, tracing_layer::LogEvent};
use crate::verdict::{Class, Failure};
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
    pub at_rest: usize,
    /// What is open, by host, its process and number.
    live: BTreeMap<(String, u32, String), Opened>,
    opened: u64,
    closed: u64,
}

/// When, where in the source and in which task something was opened.
#[derive(Debug)]
struct Opened {
    at: u64,
    place: String,
    task: String,
}

impl Conserved {
    pub fn new(kind: &str, at_rest: usize) -> Conserved {
        Conserved { kind: kind.into(), at_rest, live: BTreeMap::new(), opened: 0, closed: 0 }
    }

    /// How many are open in the processes that run now.
    pub fn count(&self, hosts: &[(String, HostId)]) -> usize {
        self.open(hosts).count()
    }

    /// What is open in the processes that run now: host, number, and how it was opened.
    fn open(&self, hosts: &[(String, HostId)]) -> impl Iterator<Item = (&str, &str, &Opened)> {
        let runs = |host: &str, life: u32| hosts.iter().any(|(name, id)| name == host && control::lives(*id).1 == life);
        let live = self.live.iter().filter(move |((host, life, _), _)| runs(host, *life));
        live.map(|((host, _, id), opened)| (host.as_str(), id.as_str(), opened))
    }

    /// Takes note of a report; the number of one that was closed and was not open.
    pub fn report(&mut self, said: &LogEvent, stamp: &Stamp) -> Option<String> {
        let id = said.fields.get("id").map(plain).unwrap_or_default();
        let key = (stamp.host.clone(), control::lives(control::current_host()).0, id.clone());
        match said.message.as_str() {
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

/// The verdict, if more is open than may be at rest: what, how it rose, and where it was opened.
pub(super) fn leaked(conserved: &Conserved, hosts: &[(String, HostId)]) -> Option<Failure> {
    let (kind, at_rest) = (&conserved.kind, conserved.at_rest);
    let (sockets, tasks) = control::open_now();
    let live = match kind.as_str() {
        SOCKET => sockets,
        TASK => tasks,
        _ => conserved.count(hosts),
    };
    if live <= at_rest {
        return None;
    }
    let mut causes = match kind.as_str() {
        SOCKET => control::sockets(),
        TASK => stall::waits(),
        _ => vec![],
    };
    causes.truncate(CAUSES_MAX);
    let mut place = String::new();
    let mut left: Vec<_> = conserved.open(hosts).collect();
    left.sort_by_key(|(_, _, opened)| opened.at);
    if let Some((host, id, oldest)) = left.first() {
        let (since, Opened { place: at, task, .. }) = (stall::clock(oldest.at), oldest);
        causes.push(format!("{host}: {kind} {id} is open since {since}, opened at {at} by the task spawned at {task}"));
        let rise = left.iter().enumerate().map(|(below, (_, _, opened))| (below + 1, stall::clock(opened.at)));
        let rise: Vec<_> = rise.map(|(level, at)| format!("{level} at {at}")).take(CAUSES_MAX).collect();
        causes.push(format!("what is left rose to {}", rise.join(", ")));
        causes.push(format!("{} opened, {} closed in all", conserved.opened, conserved.closed));
        place = spawn_place(task);
    }
    let message = format!("{live} of {kind} are open at rest, {at_rest} may be: still so after {} s", REST.as_secs());
    Some(Failure { class: Class::Leak, property: format!("{kind} is conserved"), place, message, causes })
}

/// `src/link.rs:88` of `src/link.rs:88#2`.
pub(super) fn spawn_place(task: &str) -> String {
    task.split('#').next().unwrap_or_default().to_owned()
}
