//! What every task does: where it was spawned, how often it was polled, what it waits for, whether it is held.

use super::{
    BUSY_POLLS_MAX, ConnId, HostId, Kernel, Kind, ListenerId, Side, TaskId, UdpId, What, current_task, record,
};
use refrain_core::{
    place::{Place, Task},
    plan::{Hold, HoldUntil},
};
use std::{panic::Location, time::Duration};

/// While a task only polls, madsim moves the clock by at most 100 ns; a longer step means that everybody waited.
const IDLE_STEP_NS: u64 = 1_000;

/// A spawned task.
#[derive(Debug)]
pub(crate) struct TaskState {
    pub host: HostId,
    pub place: &'static Location<'static>,
    /// Which of the tasks spawned there on its host, from 1.
    pub nth: u32,
    pub main: bool,
    /// Which process of its host it belongs to.
    pub incarnation: u32,
    pub polls: u32,
    pub waits: Vec<(Wait, u64)>,
    /// The connection that it used last: what it waits for may come of that one, though the network does not show it.
    pub used: Option<(ConnId, Side)>,
    waited: Vec<(Wait, u64)>,
    pub last_poll: u64,
    pub ended: bool,
    /// Whether its process was killed or lost power: it does nothing any more, and its destructors do not run.
    pub killed: bool,
    /// When a random hold takes it, and for how long.
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
    /// A timer, by its deadline.
    Timer(u64),
    Signal,
    Join(TaskId),
    Held,
}

/// Which tasks are held back.
#[derive(Debug, Clone)]
pub(crate) enum HoldPlan {
    None,
    /// One task in `one_in`, at a poll drawn for it.
    Random {
        one_in: u64,
    },
    /// These and no others.
    Listed(Vec<Hold>),
}

/// Counts polls that follow each other without the clock moving on.
#[derive(Debug, Default)]
pub(crate) struct Busy {
    polls: u64,
    last: u64,
}

/// What the gate is to do with a poll.
pub(crate) enum Turn {
    Run,
    /// Its process is gone: it does nothing any more, until it is dropped.
    Never,
    Hold(HoldUntil),
    OutOfTime,
    Busy,
}

impl TaskState {
    /// Where it was spawned: `src/link.rs:88`.
    pub fn place(&self) -> String {
        format!("{}:{}", short(self.place.file()), self.place.line())
    }

    /// Where it was spawned, and which of those it is.
    pub fn identity(&self) -> Task {
        let place = Place { file: short(self.place.file()).to_owned(), line: self.place.line() };
        Task { place, nth: self.nth }
    }

    /// Where it was spawned; the test itself was not.
    pub fn spawned_at(&self) -> Option<&'static Location<'static>> {
        (self.host != super::TEST_HOST || !self.main).then_some(self.place)
    }

    /// The same; nothing for the test itself.
    pub fn name(&self) -> Option<Task> {
        self.spawned_at().map(|_| self.identity())
    }
}

/// The path of a source file without what differs between machines: where cargo keeps its sources.
fn short(file: &str) -> &str {
    const REGISTRY: &str = "/registry/src/";
    let Some(at) = file.find(REGISTRY) else { return file };
    let rest = &file[at + REGISTRY.len()..];
    rest.split_once('/').map_or(rest, |(_, path)| path)
}

impl Kernel {
    /// Adds a task to a host.
    pub fn new_task(&mut self, host: HostId, place: &'static Location<'static>, main: bool) -> TaskId {
        let nth = self.tasks_at.entry((host, place.file(), place.line())).or_default();
        *nth += 1;
        let nth = *nth;
        // What a process that was just killed still spawns is its own, not its successor's.
        let parent = self.tasks.get(current_task()).filter(|parent| parent.host == host && !main);
        let incarnation = parent.map_or(self.hosts[host].incarnation, |parent| parent.incarnation);
        let mut task = TaskState {
            host,
            place,
            nth,
            main,
            incarnation,
            polls: 0,
            waits: vec![],
            waited: vec![],
            used: None,
            last_poll: self.now,
            ended: false,
            killed: false,
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
        let place = record::hash(short(task.place.file())) ^ u64::from(task.place.line());
        let stream = record::mix(record::hash(&self.hosts[task.host].name) ^ 0x401d, place);
        let chance = |n| self.chance(stream, (u64::from(task.nth) << 8) + n);
        if !chance(0).is_multiple_of(one_in) {
            return None;
        }
        // Early polls are where a task meets others for the first time: small numbers are drawn more often.
        let poll = 1 + (chance(1).trailing_zeros() * 2 + (chance(2) % 3) as u32);
        // From 1 ms, each doubling as likely as the next, to 16 s: the scale of time-outs is not known.
        let long = (1_000_000u64 << (chance(3) % 14)) + chance(4) % 1_000_000;
        let until =
            if chance(5).is_multiple_of(2) { HoldUntil::Idle } else { HoldUntil::For(Duration::from_nanos(long)) };
        Some((poll, until))
    }

    fn hold_of(&self, id: TaskId) -> Option<HoldUntil> {
        let task = &self.tasks[id];
        match &self.holds {
            HoldPlan::None => None,
            HoldPlan::Random { .. } => {
                let hold = task.hold.filter(|(poll, _)| *poll == task.polls).map(|(_, until)| until);
                // A task that stands still for seconds is a fault; another order of what is ready is not.
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

    /// A task is about to be polled.
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

    /// A task is held no longer.
    pub fn release(&mut self, id: TaskId) {
        self.tasks[id].waits.clear();
    }

    /// Whether the task's process is gone.
    pub fn is_dead(&self, id: TaskId) -> bool {
        self.tasks[id].incarnation != self.hosts[self.tasks[id].host].incarnation
    }

    /// Whether the current task is one of the host's that may go on.
    pub fn runs_on(&self, host: HostId) -> bool {
        let task = &self.tasks[current_task()];
        task.host == host && !task.killed
    }

    /// Whether the task goes on.
    pub fn is_alive(&self, task: &TaskState) -> bool {
        !task.ended && task.incarnation == self.hosts[task.host].incarnation
    }

    /// The current task cannot go on before this happens.
    pub fn wait(&mut self, wait: Wait) {
        let now = self.now;
        let task = &mut self.tasks[current_task()];
        if task.waits.iter().any(|(other, _)| *other == wait) {
            return;
        }
        let since = task.waited.iter().find(|(other, _)| *other == wait).map_or(now, |(_, since)| *since);
        task.waits.push((wait, since));
    }

    /// For how many things the current task waits so far.
    pub fn waits(&self) -> usize {
        self.tasks[current_task()].waits.len()
    }

    /// The current task no longer waits for what came after the first ones: it has given that up.
    pub fn give_up_waits(&mut self, first: usize) {
        self.tasks[current_task()].waits.truncate(first);
    }

    /// The current task has dropped its socket: it does not wait for it.
    pub fn give_up_socket(&mut self, conn: ConnId, side: Side) {
        self.tasks[current_task()].waits.retain(|(wait, _)| match wait {
            Wait::Read(other, end) | Wait::Write(other, end) => (*other, *end) != (conn, side),
            Wait::Connect(other) => *other != conn || side != 0,
            _ => true,
        });
    }

    /// The current task uses a connection.
    pub fn uses(&mut self, conn: ConnId, side: Side) {
        self.tasks[current_task()].used = Some((conn, side));
    }

    /// A task is done or was dropped.
    pub fn end_task(&mut self, id: TaskId) {
        if !std::mem::replace(&mut self.tasks[id].ended, true) {
            self.tasks[id].waits.clear();
            self.record.fold(self.now, !(id as u64), 0);
        }
    }
}
