//! The harness's state during a run, and how a run ends: immediately, after its final message to the worker.

use super::{actor::actor, properties::Properties, rules::Rules};
use crate::{
    engine::{self, Heartbeat, Outlet, Watch, debugger, exit},
    event::{Event, Kind},
    job::{Ended, RunMessage},
    place::Place,
    plan::{Argument, Fault, Hold, Plan, fault::Faults},
    protocol::{Coverage, Fired},
    trace::SOCKETS_MAX,
    verdict::{Cause, Failure, Verdict},
};
use std::{
    backtrace::Backtrace,
    cell::{Cell, RefCell},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::control::{self, Spawned};

/// Where a run's faults and holds come from.
#[derive(Debug)]
pub(crate) enum PlanSource {
    /// Drawn from its seed.
    Drawn,
    /// Given by the plan: the faults that the test has not requested yet.
    Planned(Vec<Fault>),
}

/// Where a run leaves its plan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Branch {
    /// Number of events before it.
    pub after: usize,
    /// From what everything afterwards is drawn.
    pub seed: u64,
    /// Whether tasks may be held.
    pub holds: bool,
}

/// The harness's state of the run on this thread.
pub(crate) struct State {
    /// Everything decided so far.
    pub plan: Plan,
    pub given: PlanSource,
    pub record: bool,
    until: Option<usize>,
    debug: Option<usize>,
    /// The holds that the plan demands.
    pub holds: Vec<Hold>,
    /// The plan's faults that `world.faults()` armed, including those that `world.fault()` requests.
    pub planned_ahead: Vec<Fault>,
    /// Whether the faults were applied.
    pub has_faults: bool,
    /// The faults that the test allows, once it has said so.
    pub allowed: Option<Faults>,
    /// The faults that the test itself has requested.
    pub scripted: Vec<Fault>,
    /// Where the run leaves its plan, until it has.
    pub branch: Option<Branch>,
    pub properties: Properties,
    /// The rules that the test has registered.
    pub rules: Rules,
    pub hosts: Vec<(String, control::HostId)>,
    /// The names of the hosts that run the service.
    services: Vec<String>,
    /// The hosts whose process may end.
    exits_allowed: Vec<control::HostId>,
    /// Substrings of the panic messages that the test allows.
    panics_allowed: Vec<String>,
    pub healed_at: Option<u64>,
    /// Whether the verdict of a panic has its backtrace.
    pub backtrace: bool,
    pub heartbeat: &'static Heartbeat,
    events: usize,
    /// Number of events in the current poll.
    in_poll: usize,
    outlet: Arc<Outlet>,
}

/// Stands for the connection state when a fault affected no connection; see [`crate::socket::STATES`].
const NO_CONNECTION: &str = "none";
/// Maximum number of events reported per poll: an endless loop must not fill the memory of the receiver.
const POLL_EVENTS_MAX: usize = 1_000;

thread_local! {
    /// That of the run, on each of its threads, of which one executes at a time.
    static STATE: Cell<Option<&'static RefCell<State>>> = const { Cell::new(None) };
}

/// The last panic of any thread: when the run's thread dies of it, another thread reads this.
static PANIC: Mutex<Option<Panicked>> = Mutex::new(None);

/// A panic, as its hook saw it.
#[derive(Debug)]
pub(crate) struct Panicked {
    pub message: String,
    pub place: Option<Place>,
    /// Whether it is outside the service and the test.
    pub is_elsewhere: bool,
    /// The backtrace, if it was requested or is needed to find the place in the service.
    pub stack: Option<Backtrace>,
}

impl State {
    pub fn new(seed: u64, given: PlanSource, watch: Watch, outlet: Arc<Outlet>) -> State {
        State {
            plan: Plan { seed, ..Plan::default() },
            given,
            record: watch.record,
            until: watch.until,
            debug: watch.debug,
            holds: vec![],
            planned_ahead: vec![],
            has_faults: false,
            allowed: None,
            scripted: vec![],
            branch: None,
            properties: Properties::default(),
            rules: Rules::default(),
            hosts: vec![],
            services: vec![],
            exits_allowed: vec![],
            panics_allowed: vec![],
            healed_at: None,
            backtrace: watch.backtrace,
            heartbeat: watch.heartbeat,
            events: 0,
            in_poll: 0,
            outlet,
        }
    }

    /// Installs it as the state of this thread.
    pub fn install(self) {
        STATE.set(Some(Box::leak(Box::new(RefCell::new(self)))));
    }

    /// Sends a message to the worker immediately, because the process may end right after.
    pub fn send(&self, message: &RunMessage) {
        self.outlet.send(message);
    }

    /// Records an event; if the run is to stop at this event, ends the run before recording it.
    pub fn event(&mut self, event: Event) {
        if !self.record {
            return;
        }
        if self.until == Some(self.events) {
            self.send(&RunMessage::Stopped(kept_waits()));
            exit(0)
        }
        if self.debug == Some(self.events) {
            debugger::stop(|process| self.send(&RunMessage::AwaitsDebugger(process)));
        }
        self.in_poll += 1;
        if self.in_poll <= POLL_EVENTS_MAX {
            self.events += 1;
            self.send(&RunMessage::Event(event));
            self.keep_waits();
        }
    }

    /// Records the waits from now on if the run stops at the next event: an event is reported only after it has happened.
    pub fn keep_waits(&self) {
        if self.until == Some(self.events) {
            control::keep_waits();
        }
    }

    /// Handles the start of a poll. The poll may end the process, so all decisions so far are reported first.
    pub fn poll_begins(&mut self, place: Option<Spawned>) {
        self.heartbeat.tick(place);
        self.in_poll = 0;
        if self.record && control::holds_count() != self.plan.holds.len() {
            self.decide_holds(control::holds_taken());
        }
    }

    /// Returns how many events were recorded.
    pub fn events(&self) -> usize {
        self.events
    }

    /// Records the drawn workload.
    pub fn decide_workload(&mut self, workload: Vec<Argument>) {
        self.plan.workload = workload;
        self.tell_plan();
    }

    /// Records the holds that took place.
    fn decide_holds(&mut self, holds: Vec<Hold>) {
        if holds.len() != self.plan.holds.len() {
            self.plan.holds = holds;
            self.tell_plan();
        }
    }

    pub fn tell_plan(&mut self) {
        if self.record {
            self.send(&RunMessage::Plan(self.plan.clone()));
        }
    }

    /// Returns the id of the host with this name.
    pub fn host(&self, name: &str) -> Option<control::HostId> {
        self.hosts.iter().find(|(known, _)| known == name).map(|(_, id)| *id)
    }

    /// Adds a host.
    pub fn add_host(&mut self, name: &str, id: control::HostId, serves: bool) {
        self.hosts.push((name.to_owned(), id));
        if serves {
            self.services.push(name.to_owned());
        }
    }

    /// Returns the name of a host.
    pub fn name(&self, host: control::HostId) -> String {
        self.hosts.iter().find(|(_, id)| *id == host).map(|(name, _)| name.clone()).unwrap_or_default()
    }

    /// Allows a host's process to end.
    pub fn allow_exit(&mut self, host: control::HostId) {
        self.exits_allowed.push(host);
    }

    /// Returns whether the test allows a host's process to end.
    pub fn may_exit(&self, host: control::HostId) -> bool {
        self.exits_allowed.contains(&host)
    }

    /// Allows a task to panic with a message that contains this text.
    pub fn allow_panic(&mut self, text: &str) {
        self.panics_allowed.push(text.to_owned());
    }

    /// Returns whether the test allows a task to panic with this message.
    pub fn may_panic(&self, message: &str) -> bool {
        self.panics_allowed.iter().any(|text| message.contains(text))
    }

    /// Returns the hosts that run the service.
    pub fn services(&self) -> Vec<String> {
        self.services.clone()
    }

    fn coverage(&self) -> Coverage {
        let mut coverage = Coverage::default();
        for (fault, (stage, met)) in self.plan.faults.iter().zip(control::faults()) {
            let fired: &mut Fired = coverage.faults.entry(fault.kind.name().into_owned()).or_default();
            fired.planned += 1;
            if matches!(stage, control::Stage::Waiting | control::Stage::Canceled) {
                continue;
            }
            fired.began += 1;
            let none = met.is_empty().then_some(NO_CONNECTION);
            for state in met.into_iter().chain(none) {
                *fired.met.entry(state.to_owned()).or_default() += 1;
            }
        }
        self.properties.cover(&mut coverage);
        coverage.holds = control::holds_taken().len() as u64;
        coverage.polls = control::counts().0;
        coverage
    }
}

/// Returns the task that was running before the event at which the run stops, and what the others waited for.
fn kept_waits() -> Vec<Cause> {
    let (runs, waits) = control::kept_waits();
    let runs = runs.map(|stamp| Cause::Runs(actor(&stamp)));
    runs.into_iter().chain(waits.into_iter().map(Cause::Waits)).collect()
}

/// Borrows the state of this thread's run.
#[track_caller]
pub(crate) fn with<R>(f: impl FnOnce(&mut State) -> R) -> R {
    let state = STATE.get().expect("a World is used only inside its #[refrain::test]");
    control::unguarded(|| f(&mut state.borrow_mut()))
}

/// Borrows the state, if a run is active on this thread and the state is not borrowed.
pub(crate) fn try_with<R>(f: impl FnOnce(&mut State) -> R) -> Option<R> {
    control::unguarded(|| STATE.get()?.try_borrow_mut().ok().map(|mut state| f(&mut state)))
}

/// Gives this thread's state to the thread that calls the result.
pub(super) fn hand_on() -> Box<dyn FnOnce()> {
    let state = STATE.get();
    Box::new(move || STATE.set(state))
}

/// Records an event of the test, if events are recorded.
pub(crate) fn note(kind: impl FnOnce() -> Kind) {
    let control::Stamp { at, host, task } = control::stamp();
    with(|state| {
        if state.record {
            state.event(Event { at, host, task, kind: kind() });
        }
    });
}

/// Ends the run: every property held.
pub(crate) fn pass() -> ! {
    end(Verdict::Passed)
}

/// Ends the run with a failure of the service.
pub(crate) fn fail(mut failure: Failure) -> ! {
    with(|state| {
        // A reader of the plan must know which of its parts had no effect.
        failure.causes.extend(state.not_triggered().into_iter().map(|idle| Cause::NotTriggered(idle.part)));
        state.event(Event { at: control::now(), host: String::new(), task: None, kind: Kind::Verdict });
    });
    end(Verdict::Failed(failure))
}

fn end(verdict: Verdict) -> ! {
    let has_passed = verdict == Verdict::Passed;
    with(|state| {
        state.decide_holds(control::holds_taken());
        let (coverage, not_triggered) = (state.coverage(), state.not_triggered());
        let failed = state.record && verdict != Verdict::Passed;
        let mut sockets = if failed { control::netstat() } else { vec![] };
        sockets.truncate(SOCKETS_MAX);
        state.send(&RunMessage::Ended(Box::new(Ended {
            verdict,
            digest: control::digest(),
            coverage,
            not_triggered,
            sockets,
            locate: None,
        })));
    });
    if has_passed { engine::has_passed() } else { exit(0) }
}

/// Ends the run with an error: it cannot be executed.
pub(crate) fn refuse(why: &str) -> ! {
    with(|state| state.send(&RunMessage::Refused(why.to_owned())));
    exit(0)
}

/// Stores a panic: the hook knows it, the code that catches it needs it. Returns the previous one if it was never read: the
/// service has caught it, or panics again while it unwinds.
pub(crate) fn remember_panic(panic: Panicked) -> Option<Panicked> {
    PANIC.lock().unwrap_or_else(PoisonError::into_inner).replace(panic)
}

/// Takes the last panic.
pub(crate) fn last_panic() -> Panicked {
    let last = PANIC.lock().unwrap_or_else(PoisonError::into_inner).take();
    last.unwrap_or_else(|| Panicked {
        message: "a panic without a message".into(),
        place: None,
        is_elsewhere: false,
        stack: None,
    })
}
