//! Per-task state: where a task was spawned, its polls, what it waits for, and whether it is held.

use super::{
    BUSY_POLLS_MAX, CallPlace, ConnId, HostId, Kernel, Kind, ListenerId, NO_RUNTIME, PartId, SharedId, Side, Spawned,
    TaskId, UdpId, UnixId, What, current_task, record, try_with,
};
use crate::sim::section::unguarded;
use refrain_core::{
    event::Operation,
    place::Task,
    plan::{Hold, HoldUntil},
    verdict::UnixWait,
};
use std::{panic::Location, time::Duration};

/// While tasks are polled, madsim advances the clock by at most 100 ns at a time; a longer step means that all of them
/// were idle.
const IDLE_STEP_NS: u64 = 1_000;

/// A spawned task.
#[derive(Debug)]
pub(crate) struct TaskState {
    pub host: HostId,
    pub place: Spawned,
    /// The task that spawned it; `None` for the test itself and for a host's process.
    pub parent: Option<TaskId>,
    /// Its ordinal among the tasks spawned at this place on its host, from 1.
    pub nth: u32,
    pub main: bool,
    /// The incarnation of its host's process that it belongs to.
    pub incarnation: u32,
    pub polls: u32,
    pub waits: Vec<(Wait, u64)>,
    /// Its waits after the previous poll.
    pub waited: Vec<(Wait, u64)>,
    /// The waits that last timed out, and when.
    pub gave_up: Option<(Vec<(Wait, u64)>, u64)>,
    /// The connection it last used. Its current wait may depend on that connection without the network knowing.
    pub used: Option<(ConnId, Side)>,
    /// The sender of the last oneshot channel that it has created and not yet sent anywhere.
    pub unsent: Option<PartId>,
    pub last_poll: u64,
    pub ended: bool,
    /// Whether its process was killed or lost power: it is not polled again, and its destructors do not run.
    pub killed: bool,
    /// In which runtime of its process it spawns others.
    pub runtime: u64,
    /// Whether it is a closure, which nobody can cancel once it runs.
    pub blocking: bool,
    /// The random hold drawn for it: at which poll, and for how long.
    hold: Option<(u32, HoldUntil)>,
}

/// What a task waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    Read(ConnId, Side),
    Write(ConnId, Side),
    Connect(ConnId),
    Accept(ListenerId),
    Receive(UdpId),
    Unix(UnixId, UnixWait),
    /// A timer, by its deadline, and where it was created.
    Timer(u64, Created),
    /// A time until which it sleeps without a timer of tokio's.
    Until(u64),
    /// Another thread, in a lock, a channel or `park` of std or of another library; the line of the service, if the run is recorded.
    Woken(Option<&'static CallPlace>),
    Signal,
    Join(TaskId),
    /// A primitive of `sync`.
    Shared(SharedId, Operation),
    Held,
}

/// Which tasks are held.
#[derive(Debug, Clone)]
pub(crate) enum HoldPlan {
    None,
    /// One task in `one_in`, at a randomly drawn poll.
    Random {
        one_in: u64,
    },
    /// Exactly these.
    Listed(Vec<Hold>),
}

/// Where a timer was created. It is no part of the timer's identity: comparing source paths at each wait is slow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Created(pub &'static Location<'static>);

impl PartialEq for Created {
    fn eq(&self, _: &Created) -> bool {
        true
    }
}

impl Eq for Created {}

/// The waits of an attempt of the test when it failed.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    /// The waiting task: the test's own, or one of a client.
    pub task: TaskId,
    pub waits: Vec<(Wait, u64)>,
    /// When the wait ended.
    pub at: u64,
}

/// Counts consecutive polls without the clock advancing.
#[derive(Debug, Default)]
pub(crate) struct Busy {
    polls: u64,
    last: u64,
}

/// What the gate does with a poll.
pub(crate) enum Turn {
    Run,
    /// Its process is gone: it is never polled again, only dropped.
    Never,
    Hold(HoldUntil),
    OutOfTime,
    Busy,
}

/// Panics as tokio does on a thread that has entered no runtime.
#[track_caller]
pub(crate) fn check_entered() {
    if super::peek(|k| k.tasks[current_task()].runtime) == Some(NO_RUNTIME) {
        panic!("there is no reactor running, must be called from the context of a Tokio 1.x runtime");
    }
}

/// Removes a wait of the current task. Destructors call this, possibly outside a simulation.
pub(crate) fn wait_is_over(wait: Wait) {
    try_with(|kernel| kernel.tasks[current_task()].waits.retain(|(other, _)| *other != wait));
}

impl TaskState {
    /// Returns the place where it was spawned: `src/link.rs:88`.
    pub fn place(&self) -> String {
        unguarded(|| self.place.place().to_string())
    }

    /// Returns the place where it was spawned and its ordinal there.
    pub fn identity(&self) -> Task {
        Task { place: self.place.place(), nth: self.nth }
    }

    /// Returns where it was spawned; `None` for the test itself.
    pub fn spawned_at(&self) -> Option<Spawned> {
        (self.host != super::TEST_HOST || !self.main).then_some(self.place)
    }

    /// Like [`TaskState::identity`], but `None` for the test itself.
    pub fn name(&self) -> Option<Task> {
        self.spawned_at().map(|_| self.identity())
    }
}

impl Kernel {
    /// Adds a task to a host.
    pub fn new_task(&mut self, host: HostId, place: impl Into<Spawned>, main: bool) -> TaskId {
        let place = place.into();
        let (file, line) = place.raw();
        let nth = self.tasks_at.entry((host, file, line)).or_default();
        *nth += 1;
        let nth = *nth;
        // A task spawned by a process that was just killed belongs to that process, not to its successor.
        let parent = self.tasks.get(current_task()).filter(|parent| parent.host == host && !main);
        let incarnation = parent.map_or(self.hosts[host].incarnation, |parent| parent.incarnation);
        let runtime = parent.map_or(0, |parent| parent.runtime);
        let mut task = TaskState {
            host,
            place,
            parent: (!main).then(current_task),
            nth,
            main,
            incarnation,
            polls: 0,
            waits: vec![],
            waited: vec![],
            gave_up: None,
            used: None,
            unsent: None,
            last_poll: self.now,
            ended: false,
            killed: false,
            runtime,
            blocking: false,
            hold: None,
        };
        if host != super::TEST_HOST && !main {
            task.hold = self.draw_hold(&task);
        }
        self.tasks.push(task);
        let id = self.tasks.len() - 1;
        if !main {
            self.event(Kind::Start, id, nth as usize, |k| What::Spawn(k.tasks[id].identity()));
        }
        id
    }

    fn draw_hold(&self, task: &TaskState) -> Option<(u32, HoldUntil)> {
        let HoldPlan::Random { one_in } = self.holds else { return None };
        let file = unguarded(|| task.place.with_file(record::hash));
        let place = file ^ u64::from(task.place.raw().1);
        let stream = record::mix(record::hash(&self.hosts[task.host].name) ^ 0x401d, place);
        let random = |n| self.random(stream, (u64::from(task.nth) << 8) + n);
        if !random(0).is_multiple_of(one_in) {
            return None;
        }
        // Tasks tend to interact with others for the first time in early polls, so small numbers are more likely.
        let poll = 1 + (random(1).trailing_zeros() * 2 + (random(2) % 3) as u32);
        // From 1 ms to 16 s, each power of two equally likely, because the scale of the service's timeouts is unknown.
        let long = (1_000_000u64 << (random(3) % 14)) + random(4) % 1_000_000;
        let until =
            if random(5).is_multiple_of(2) { HoldUntil::Idle } else { HoldUntil::For(Duration::from_nanos(long)) };
        Some((poll, until))
    }

    /// Draws holds for the tasks that there are, as if each had been spawned now.
    pub fn hold_from_now_on(&mut self) {
        for id in 0..self.tasks.len() {
            let task = &self.tasks[id];
            let hold =
                if task.host == super::TEST_HOST || task.main || task.ended { None } else { self.draw_hold(task) };
            let polls = task.polls;
            self.tasks[id].hold = hold.map(|(poll, until)| (poll.saturating_add(polls), until));
        }
    }

    fn hold_of(&self, id: TaskId) -> Option<HoldUntil> {
        let task = &self.tasks[id];
        match &self.holds {
            HoldPlan::None => None,
            HoldPlan::Random { .. } => {
                let hold = task.hold.filter(|(poll, _)| *poll == task.polls).map(|(_, until)| until);
                // After healing, a hold for a duration would be a fault; reordering ready tasks is not.
                hold.filter(|until| !self.healed || *until == HoldUntil::Idle)
            }
            HoldPlan::Listed(holds) => {
                let is_this = |hold: &&Hold| {
                    hold.poll == task.polls
                        && hold.nth == task.nth
                        && hold.host == self.hosts[task.host].name
                        && hold.place == task.place()
                };
                holds.iter().find(is_this).map(|hold| hold.until)
            }
        }
    }

    /// Records the start of a poll and decides whether the task runs.
    pub fn begin_poll(&mut self, id: TaskId) -> Turn {
        if self.is_dead(id) {
            return Turn::Never;
        }
        self.polls += 1;
        if self.now > self.busy.last + IDLE_STEP_NS {
            self.busy.polls = 0;
        }
        (self.busy.last, self.busy.polls) = (self.now, self.busy.polls + 1);
        let task = &mut self.tasks[id];
        task.polls += 1;
        task.last_poll = self.now;
        std::mem::swap(&mut task.waits, &mut task.waited);
        task.waits.clear();
        self.record.fold(self.now, id as u64, u64::from(task.polls));
        if self.now >= self.settings.time_max {
            return Turn::OutOfTime;
        }
        if self.busy.polls > BUSY_POLLS_MAX {
            return Turn::Busy;
        }
        if matches!(self.holds, HoldPlan::None) {
            return Turn::Run;
        }
        let Some(until) = self.hold_of(id) else { return Turn::Run };
        self.hold(id, until)
    }

    fn hold(&mut self, id: TaskId, until: HoldUntil) -> Turn {
        let task = &self.tasks[id];
        let (host, place) = (self.hosts[task.host].name.clone(), task.place());
        let hold = Hold { host, place, nth: task.nth, poll: task.polls, until };
        self.holds_taken.push(hold.clone());
        self.event(Kind::Hold, id, 0, |_| What::Hold(hold));
        self.wait(Wait::Held);
        Turn::Hold(until)
    }

    /// Ends a task's hold.
    pub fn release(&mut self, id: TaskId) {
        self.tasks[id].waits.clear();
    }

    /// Returns whether the task's process is gone.
    pub fn is_dead(&self, id: TaskId) -> bool {
        self.tasks[id].incarnation != self.hosts[self.tasks[id].host].incarnation
    }

    /// Returns whether the current task belongs to the host and has not been killed.
    pub fn runs_on(&self, host: HostId) -> bool {
        let task = &self.tasks[current_task()];
        task.host == host && !task.killed
    }

    /// Returns whether the task has not ended and its process is still there.
    pub fn is_alive(&self, task: &TaskState) -> bool {
        !task.ended && task.incarnation == self.hosts[task.host].incarnation
    }

    /// Records that the current task waits for this.
    pub fn wait(&mut self, wait: Wait) {
        let now = self.now;
        let task = &mut self.tasks[current_task()];
        if task.waits.iter().any(|(other, _)| *other == wait) {
            return;
        }
        let since = task.waited.iter().find(|(other, _)| *other == wait).map_or(now, |(_, since)| *since);
        task.waits.push((wait, since));
    }

    /// Returns the number of waits recorded for the current task.
    pub fn waits(&self) -> usize {
        self.tasks[current_task()].waits.len()
    }

    /// Removes all but the `first` waits of the current task, because the others have timed out.
    pub fn give_up_waits(&mut self, first: usize) {
        let now = self.now;
        let task = &mut self.tasks[current_task()];
        let mut given_up = task.waits.split_off(first.min(task.waits.len()));
        given_up.retain(|(wait, _)| !matches!(wait, Wait::Timer(..) | Wait::Until(_)));
        if !given_up.is_empty() {
            task.gave_up = Some((given_up, now));
        }
    }

    /// Records that the current task waits for a primitive.
    pub fn wait_for_shared(&mut self, id: SharedId, operation: Operation) {
        self.wait(Wait::Shared(id, operation));
    }

    /// Removes the current task's waits for a primitive that was dropped.
    pub fn end_waits_for(&mut self, id: SharedId) {
        self.tasks[current_task()].waits.retain(|(wait, _)| !matches!(wait, Wait::Shared(other, _) if *other == id));
    }

    /// Removes the current task's waits on a socket that it has dropped.
    pub fn remove_socket_waits(&mut self, conn: ConnId, side: Side) {
        self.tasks[current_task()].waits.retain(|(wait, _)| match wait {
            Wait::Read(other, end) | Wait::Write(other, end) => (*other, *end) != (conn, side),
            Wait::Connect(other) => *other != conn || side != 0,
            _ => true,
        });
    }

    /// Records the connection that the current task uses.
    pub fn uses(&mut self, conn: ConnId, side: Side) {
        self.tasks[current_task()].used = Some((conn, side));
        self.conns[conn].ends[side].user = Some(current_task());
    }

    /// Marks a task as completed or dropped.
    pub fn end_task(&mut self, id: TaskId) {
        if !std::mem::replace(&mut self.tasks[id].ended, true) {
            self.tasks[id].waits.clear();
            self.record.fold(self.now, !(id as u64), 0);
        }
    }

    /// Records the waits of an attempt of the test that has failed in this poll.
    pub fn attempt_failed(&mut self, began: u64) {
        self.attempt = self.last_waits(current_task(), began);
    }

    /// Returns the waits of a task that have timed out since then, or those of a task that it joined. An attempt that was answered, even
    /// with an error, waits for nothing.
    fn last_waits(&self, id: TaskId, since: u64) -> Option<Attempt> {
        let task = &self.tasks[id];
        if let Some((waits, at)) = task.gave_up.clone().filter(|(_, at)| *at >= since) {
            return Some(Attempt { task: id, waits, at });
        }
        let ended = |wait: &Wait| {
            if let Wait::Join(other) = wait { Some(*other).filter(|&id| self.tasks[id].ended) } else { None }
        };
        task.waited.iter().find_map(|(wait, _)| ended(wait)).and_then(|joined| self.last_waits(joined, since))
    }
}
