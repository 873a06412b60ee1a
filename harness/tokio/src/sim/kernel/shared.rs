//! The primitives of `sync`: where each was created, and which tasks hold its guards, permits and ends.

use super::{Kernel, Kind, TaskId, What, current_task};
use refrain_core::event::{Holder, Operation, Primitive, SharedWait};
use std::{collections::BTreeMap, panic::Location};

/// A primitive. Ids are never reused within a run.
pub(crate) type SharedId = usize;
/// A guard, a permit or an end of a channel.
pub(crate) type PartId = usize;

/// Maximum number of notifying tasks to keep per primitive.
const NOTIFIERS_MAX: usize = 4;

/// All primitives of a run.
#[derive(Debug, Default)]
pub(crate) struct SharedThings {
    things: BTreeMap<SharedId, Thing>,
    parts: BTreeMap<PartId, Part>,
    /// Number of primitives and parts so far.
    count: usize,
    /// Held locks by their addresses: a held lock cannot move.
    held_at: BTreeMap<usize, SharedId>,
}

/// A primitive.
#[derive(Debug)]
pub(crate) struct Thing {
    pub primitive: Primitive,
    /// Where it was created.
    pub place: &'static Location<'static>,
    /// The tasks that last notified through it, the latest first.
    pub notifiers: Vec<TaskId>,
    /// Its address when it was last locked.
    address: Option<usize>,
}

/// A guard, a permit or an end of a channel.
#[derive(Debug)]
pub(crate) struct Part {
    pub of: SharedId,
    pub role: Role,
    /// The task that last used it.
    pub task: TaskId,
    pub since: u64,
    /// Number of tasks at its last use: a task that was spawned later may have received it.
    tasks_before: usize,
    /// The channel on which its task sent next: it may have been sent there.
    sent_on: Option<SharedId>,
}

/// The kind of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// A guard or a permit.
    Holder,
    /// The sending end of a channel.
    Sender,
    /// The receiving end of a channel.
    Receiver,
}

/// Maximum number of holders that a wait names.
const HOLDERS_MAX: usize = 3;

/// Returns the kind of part whose holders could complete an operation.
fn role(operation: Operation) -> Option<Role> {
    match operation {
        Operation::Lock | Operation::Read | Operation::Write | Operation::Acquire | Operation::Init => {
            Some(Role::Holder)
        }
        Operation::Receive => Some(Role::Sender),
        Operation::Send | Operation::Closed => Some(Role::Receiver),
        _ => None,
    }
}

impl Kernel {
    /// Adds a primitive.
    pub fn add_shared(&mut self, primitive: Primitive, place: &'static Location<'static>) -> SharedId {
        self.shared.count += 1;
        let thing = Thing { primitive, place, notifiers: vec![], address: None };
        self.shared.things.insert(self.shared.count, thing);
        self.shared.count
    }

    /// Removes a dropped primitive.
    pub fn forget_shared(&mut self, id: SharedId) {
        let address = self.shared.things.remove(&id).and_then(|thing| thing.address);
        if let Some(address) = address
            && self.lock_at(address) == Some(id)
        {
            self.shared.held_at.remove(&address);
        }
        self.end_waits_for(id);
    }

    /// Returns a primitive.
    pub fn shared(&self, id: SharedId) -> Option<&Thing> {
        self.shared.things.get(&id)
    }

    /// Records the address of a held lock.
    pub fn held_at(&mut self, address: usize, id: SharedId) {
        self.shared.held_at.insert(address, id);
        if let Some(thing) = self.shared.things.get_mut(&id) {
            thing.address = Some(address);
        }
    }

    /// Returns the lock that is held at an address.
    pub fn lock_at(&self, address: usize) -> Option<SharedId> {
        self.shared.held_at.get(&address).copied()
    }

    /// Adds a part of the current task.
    pub fn add_part(&mut self, of: SharedId, role: Role) -> PartId {
        let (task, tasks_before) = (current_task(), self.tasks.len());
        self.shared.count += 1;
        let id = self.shared.count;
        self.shared.parts.insert(id, Part { of, role, task, since: self.now, tasks_before, sent_on: None });
        if role == Role::Sender && self.shared(of).is_some_and(|thing| thing.primitive == Primitive::Oneshot) {
            self.tasks[task].unsent = Some(id);
        }
        id
    }

    /// Removes a dropped part.
    pub fn forget_part(&mut self, id: PartId) {
        let Some(part) = self.shared.parts.remove(&id) else { return };
        let unsent = &mut self.tasks[part.task].unsent;
        *unsent = unsent.filter(|unsent| *unsent != id);
    }

    /// Records that the current task uses a part, and so holds it.
    pub fn use_part(&mut self, id: PartId) {
        let (task, tasks_before) = (current_task(), self.tasks.len());
        if let Some(part) = self.shared.parts.get_mut(&id) {
            (part.task, part.tasks_before, part.sent_on) = (task, tasks_before, None);
        }
    }

    /// Records that the current task sends a value: the oneshot sender that it created last may be in it.
    pub fn sends(&mut self, id: PartId) {
        self.use_part(id);
        let of = self.shared.parts.get(&id).map(|part| part.of);
        let unsent = self.tasks[current_task()].unsent.take();
        if let Some(part) = unsent.and_then(|unsent| self.shared.parts.get_mut(&unsent)) {
            part.sent_on = of.filter(|of| *of != part.of);
        }
    }

    /// Records that the current task notifies the waiters of a primitive.
    pub fn notifies(&mut self, id: SharedId) {
        let task = current_task();
        if let Some(thing) = self.shared.things.get_mut(&id) {
            thing.notifiers.retain(|other| *other != task);
            thing.notifiers.insert(0, task);
            thing.notifiers.truncate(NOTIFIERS_MAX);
        }
    }

    /// Records that the current task waits for a primitive; with an event if this is the first poll that waits.
    pub fn waits_for_shared(&mut self, id: SharedId, operation: Operation, first: bool) {
        // The task that initialises the value has waits of its own.
        if operation == Operation::Init && self.parts(id, Role::Holder).iter().any(|part| part.task == current_task()) {
            return;
        }
        self.wait_for_shared(id, operation);
        let primitive = self.primitive(id);
        if first && operation.is_contended() {
            self.event(Kind::Wait, primitive, 0, |k| What::Blocks(k.shared_wait(id, operation).expect("it is there")));
        }
    }

    /// Records that the current task has stopped waiting for a primitive.
    pub fn has_waited(&mut self, id: SharedId, operation: Operation) {
        let primitive = self.primitive(id);
        if operation.is_contended() {
            self.event(Kind::Wait, primitive, 1, |k| {
                What::Unblocks(k.shared_wait(id, operation).expect("it is there"))
            });
        }
    }

    /// Returns the kind of primitive, for the digest.
    fn primitive(&self, id: SharedId) -> usize {
        self.shared(id).map_or(0, |thing| thing.primitive as usize)
    }

    /// Returns a wait as events and verdicts report it, with the holders.
    pub fn shared_wait(&self, id: SharedId, operation: Operation) -> Option<SharedWait> {
        let thing = self.shared.things.get(&id)?;
        let parts = role(operation).map(|role| self.parts(id, role)).unwrap_or_default();
        let holder = |part: &&Part| {
            let task = &self.tasks[part.task];
            Holder { host: self.hosts[task.host].name.clone(), task: task.name(), since: part.since }
        };
        Some(SharedWait {
            primitive: thing.primitive,
            operation,
            created: thing.place.into(),
            had_by: parts.iter().take(HOLDERS_MAX).map(holder).collect(),
            more: parts.len().saturating_sub(HOLDERS_MAX) as u64,
        })
    }

    /// Returns the parts of a primitive, the oldest first.
    pub fn parts(&self, of: SharedId, role: Role) -> Vec<&Part> {
        let parts = self.shared.parts.values();
        let mut parts: Vec<_> = parts.filter(|part| part.of == of && part.role == role).collect();
        parts.sort_by_key(|part| (part.since, part.task));
        parts
    }

    /// Returns the tasks that could complete an operation: first the holders, then tasks that may have received a part from them, then
    /// the last notifiers.
    pub fn wakers(&self, id: SharedId, operation: Operation) -> Vec<TaskId> {
        let parts = role(operation).map(|role| self.parts(id, role)).unwrap_or_default();
        let mut wakers: Vec<TaskId> = parts.iter().map(|part| part.task).collect();
        wakers.extend(parts.iter().flat_map(|part| self.given_to(part)));
        wakers.extend(self.notifiers(id));
        let mut seen = vec![];
        wakers.retain(|task| {
            !seen.contains(task) && {
                seen.push(*task);
                true
            }
        });
        wakers
    }

    fn notifiers(&self, id: SharedId) -> Vec<TaskId> {
        self.shared(id).map(|thing| thing.notifiers.clone()).unwrap_or_default()
    }

    /// Returns the tasks to which a part may have been moved: the receivers of the channel on which its task sent next, or the next
    /// task that it spawned.
    fn given_to(&self, part: &Part) -> Vec<TaskId> {
        if let Some(channel) = part.sent_on {
            return self.parts(channel, Role::Receiver).iter().map(|receiver| receiver.task).collect();
        }
        let later = self.tasks.iter().enumerate().skip(part.tasks_before);
        let child = later.filter(|(_, task)| task.parent == Some(part.task)).find(|(_, task)| self.is_alive(task));
        child.map(|(id, _)| id).into_iter().collect()
    }
}
