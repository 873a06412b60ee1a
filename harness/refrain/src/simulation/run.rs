//! One run: sets up its world and hooks, runs the test's body, and determines the verdict.

use super::{
    HIDDEN,
    actor::actor,
    apart, called,
    checks::{check_always, fail_of_panic, fail_unless_allowed, quiescent},
    scenario::Scenario,
    stall,
    state::{self, Branch, Panicked, PlanSource, State, fail, pass, refuse},
    threads, tracing_layer,
};
use crate::{
    engine::{
        Outlet, Watch,
        frames::{frames, is_of_service},
        overflow::{self, Otherwise},
    },
    event::Event,
    job::{RunMessage, Source},
    place::Place,
    verdict::{self, Class, Detail, Failure, Property},
};
use std::{
    backtrace::Backtrace,
    panic::{self, AssertUnwindSafe},
    sync::Arc,
};
use tokio::control::{self, Escape, Exited, Holds, Hooks, Panic, Settings, Start};

/// In a run with holds, one task in this many is held.
const HOLD_ONE_IN: [u64; 4] = [2, 4, 8, 16];

/// Executes a run and reports its verdict to the worker. Does not return.
pub(super) fn run(scenario: &'static Scenario, source: Source, watch: Watch, outlet: Outlet) {
    let outlet = Arc::new(outlet);
    let runs = outlet.clone();
    // On the only thread of this process, a copy of the worker's. Nothing of the service has run on that, nor anything that hashes, so its
    // thread-locals are those of a new thread. To start one, and to end it with its process, takes a quarter of a short run.
    //
    // A run exits the process itself. If it comes back here, the harness has a bug; that is no verdict on the service.
    let _ = panic::catch_unwind(AssertUnwindSafe(|| go(scenario, source, watch, runs)));
    let Panicked { message, place, .. } = state::last_panic();
    let place = place.map_or_else(|| "an unknown place".to_owned(), |place| place.to_string());
    let why = format!("refrain itself panicked at {place}: {message}. This is a bug of refrain: please report it");
    outlet.send(&RunMessage::Refused(why));
}

fn go(scenario: &'static Scenario, source: Source, watch: Watch, outlet: Arc<Outlet>) {
    let (seed, given, holds) = match &source {
        Source::Seed(seed) if scenario.without_holds => (*seed, PlanSource::Drawn, Holds::Listed(vec![])),
        Source::Seed(seed) => (*seed, PlanSource::Drawn, drawn_holds(*seed)),
        Source::FaultFree(seed) => (*seed, PlanSource::Planned(vec![]), Holds::Listed(vec![])),
        Source::Plan(plan) | Source::Again(plan) | Source::Branch { plan, .. } => {
            (plan.seed, PlanSource::Planned(plan.faults.clone()), Holds::Listed(plan.holds.clone()))
        }
    };
    let is_branch = matches!(source, Source::Branch { .. });
    let is_of_model = matches!(&source, Source::Plan(plan) | Source::Again(plan) | Source::Branch { plan, .. } if plan.threads.is_some());
    let mut state = State::new(seed, given, watch, outlet);
    if let Source::Plan(plan) = &source {
        state.holds.clone_from(&plan.holds);
    }
    if let Source::Branch { after, seed, .. } = &source {
        state.branch = Some(Branch { after: *after, seed: *seed, holds: !scenario.without_holds });
    }
    state.install();
    if is_of_model {
        refuse("the plan is one of a model, and this test is a simulation: give it a plan of its own");
    }
    let workload = match source {
        Source::Plan(plan) | Source::Again(plan) | Source::Branch { plan, .. } => plan.workload,
        _ if scenario.names().is_empty() => vec![],
        Source::Seed(_) | Source::FaultFree(_) => {
            let drawn = apart(|| scenario.workload(seed).map(|workload| workload.current()));
            drawn.unwrap_or_else(|why| refuse(&why))
        }
    };
    let names = scenario.names();
    if workload.iter().map(|argument| argument.name.as_str()).ne(names.iter().copied()) {
        refuse(&format!(
            "the plan's workload does not match the test, which takes ({}): the test has changed since the trace was saved; \
             delete the trace and explore again",
            names.join(", ")
        ));
    }
    state::with(|state| state.decide_workload(workload.clone()));
    catch_panics(watch);
    overflow::watch(|address, _| control::is_stack_guard(address), Otherwise::Previous)
        .unwrap_or_else(|error| refuse(&format!("cannot watch for stack overflows: {error}")));
    // Of a continuation nobody asks where it came from, and a debugger would stop at each of these calls.
    let called = Watch { record: watch.record && !is_branch && watch.debug.is_none(), ..watch };
    let values = workload.into_iter().map(|argument| argument.value).collect();
    let [time_max, poll_max] = [scenario.time_limit(), watch.poll_limit].map(|limit| limit.as_nanos() as u64);
    let settings = Settings { time_max, poll_max };
    let sink: Option<Box<dyn FnMut(Event)>> = if watch.record { Some(Box::new(recorded)) } else { None };
    control::run(Start { seed, settings, hooks: HOOKS, holds, sink }, async move {
        // Here, because to begin a simulation takes a look at the machine's clock, which costs much from here on.
        control::unguarded(|| called::guard(called))
            .unwrap_or_else(|error| refuse(&format!("cannot guard the run: {error}")));
        if watch.record {
            tracing_layer::listen();
        }
        state::with(|state| state.keep_waits());
        match (scenario.body)(values) {
            Ok(running) => running.await,
            Err(why) => refuse(&why),
        }
        quiescent().await;
        pass()
    })
}

const HOOKS: Hooks = Hooks {
    exited,
    deadlocked: || fail(stall::deadlock()),
    escaped,
    freed_again,
    panicked,
    out_of_time: || fail(stall::out_of_time()),
    busy: || fail(stall::busy()),
    thread_starts: threads::starts,
    place_of_calls: threads::place,
    polling: |place| {
        let leaves_plan = state::with(|state| {
            state.poll_begins(place);
            state.leave_plan_if_due()
        });
        if leaves_plan {
            // From now on only what a property names is of interest.
            tracing_layer::listen();
        }
        tracing_layer::check_is_received();
    },
    polled: check_always,
};

/// Handles the end of a process: a verdict, unless the test allows it or has sent a signal.
fn exited(Exited { host, place, error, signalled }: Exited) {
    let may_exit = state::with(|state| state.may_exit(host)) || signalled && error.is_none();
    if may_exit {
        return;
    }
    let host = state::with(|state| state.name(host));
    let (property, detail) = (Property::KeepsRunning(host.clone()), Detail::ProcessExited { host, error });
    fail(Failure { class: Class::Exit, property, place: Some(Place::from(place)), detail, causes: vec![] })
}

/// Fails the run: the call that leaves the simulation is not made.
fn escaped(Escape { call, to, outside }: Escape) -> ! {
    let stack = Backtrace::force_capture();
    let (frames, place) = frames(&stack, HIDDEN);
    let (by, backtrace) = (Box::new(actor(&control::stamp())), Box::new(verdict::Backtrace { frames }));
    let detail = Detail::Escaped { by, call: call.into(), to: to.into(), outside, backtrace };
    fail(Failure { class: Class::Escape, property: Property::StaysInside, place, detail, causes: vec![] })
}

/// Fails the run: nothing that is read afterwards could be relied on.
fn freed_again() -> ! {
    let stack = Backtrace::force_capture();
    let (frames, place) = frames(&stack, HIDDEN);
    let (by, backtrace) = (Box::new(actor(&control::stamp())), Box::new(verdict::Backtrace { frames }));
    let detail = Detail::FreedAgain { by, backtrace, before: None };
    fail(Failure { class: Class::DoubleFree, property: Property::FreedOnce, place, detail, causes: vec![] })
}

/// Draws holds: every second run has none; the others differ in their number.
fn drawn_holds(seed: u64) -> Holds {
    match crate::seed::seed_of(seed, 0x401d) % 8 {
        n @ 0..4 => Holds::Random(HOLD_ONE_IN[n as usize]),
        _ => Holds::Listed(vec![]),
    }
}

fn recorded(event: Event) {
    state::try_with(|state| state.event(event));
}

/// Stores each panic for the verdict and prints nothing; prints a panic that the service has caught or that another one follows.
fn catch_panics(Watch { backtrace, .. }: Watch) {
    panic::set_hook(Box::new(move |info| {
        control::unguarded(|| {
            let message = info.payload_as_str().unwrap_or("a panic without a message").to_owned();
            let is_elsewhere = info.location().is_some_and(|place| !is_of_service(place));
            let is_threads = control::is_thread_of_process();
            let stack = (backtrace || is_elsewhere || is_threads).then(Backtrace::force_capture);
            let is_uncaught = is_threads && stack.as_ref().is_some_and(threads::is_uncaught);
            let now = Panicked { message, place: info.location().map(Place::from), is_elsewhere, stack };
            let text = panic_text(&now);
            if let Some(before) = state::remember_panic(now) {
                eprintln!("{}\n{text}", panic_text(&before));
            }
            if is_uncaught {
                threads::panicked();
            }
        })
    }));
}

fn panic_text(Panicked { message, place, .. }: &Panicked) -> String {
    let at = place.as_ref().map(|place| format!(" at {place}")).unwrap_or_default();
    format!("panicked{at}: {message}")
}

/// Handles a panic of a task. If the task can be awaited and the test allows the panic, its awaiter gets it.
fn panicked(panic: Panic, joinable: bool) -> Panic {
    let last = state::last_panic();
    if !joinable {
        fail_of_panic(last)
    }
    fail_unless_allowed(last);
    panic
}
