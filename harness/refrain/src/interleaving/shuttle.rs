//! The sampling engine: shuttle, with its own schedulers for searching and one of ours for replays.

mod directed;
mod few_preemptions;
mod leave;
mod turns;

use super::{
    Engine,
    child::{execution_begins, execution_ended, fail, run_main},
    foreign,
    log::{self, records},
    old::{self, Reads},
    outlet::{limit, refuse, send},
    searcher::Searcher,
    stuck, verdict,
};
use crate::{
    engine::Heartbeat,
    job::{RunMessage, Search, Searched},
    plan::{Deviation, Plan, Threads},
    protocol::{EngineLimit, Sampler},
    trace,
};
use ::shuttle::{
    Config, FailurePersistence, MaxSteps, Runner,
    scheduler::{PctScheduler, RandomScheduler, Schedule, Scheduler, Task, TaskId, UrwRandomScheduler},
};
use directed::Directed;
use few_preemptions::FewPreemptions;
pub(super) use few_preemptions::PREEMPTIONS_MAX;
pub(super) use leave::leave_after;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use turns::{in_turn, preempts};

/// The engine's name and version, as recorded in traces.
const ENGINE: (&str, &str) = ("shuttle", "0.9.10");
/// The first words of the lines that it prints before it passes a panic on.
pub(super) const PRINTS: [&str; 3] =
    ["Task failed, serializing schedule", "test panicked in task '", "Test deadlocked, and SHUTTLE_"];
/// Maximum number of steps in an execution; a longer one is aborted.
const STEPS_MAX: usize = 20_000;

/// Stack size of a thread.
const STACK_BYTES: usize = 256 << 10;

/// The sampling searcher.
pub(super) struct Shuttle;

impl Searcher for Shuttle {
    fn engine(&self) -> Engine {
        Engine::Shuttle
    }

    fn version(&self) -> trace::Engine {
        let (name, version) = ENGINE;
        trace::Engine { name: name.into(), version: version.into() }
    }

    /// Reports nothing in advance: deviations are reported as they occur.
    fn announced(&self, _: &Threads) -> Threads {
        Threads::Deviations(vec![])
    }

    /// Returns false: any part of a plan is a plan.
    fn must_follow(&self, _: &Threads) -> bool {
        false
    }

    fn search(&self, body: fn(), search: &Search, heartbeat: &'static Heartbeat) -> Searched {
        let Search::Sample { by, seed, executions, turn } = search else { not_ours() };
        match by {
            Sampler::Few => few(body, *executions, heartbeat),
            _ => sample(body, *by, *seed, *executions, *turn, heartbeat),
        }
    }

    fn locate(&self, body: fn(), search: &Search, nth: u64, heartbeat: &'static Heartbeat) -> Searched {
        let Search::Sample { by, seed, turn, .. } = search else { not_ours() };
        send(&RunMessage::Plan(Plan { threads: Some(Threads::Deviations(vec![])), ..Plan::default() }));
        locate(body, *by, *seed, nth, *turn, heartbeat)
    }

    fn execute(&self, body: fn(), threads: &Threads, heartbeat: &'static Heartbeat) -> bool {
        let Threads::Deviations(deviations) = threads else { not_ours() };
        replay(body, deviations, heartbeat)
    }
}

fn not_ours() -> ! {
    refuse("protocol error between the test and its worker: a search that shuttle does not make")
}

/// Runs the executions with few preemptions. If it stopped early, `stands_at` is the current number of preemptions.
fn few(body: fn(), executions: u64, heartbeat: &'static Heartbeat) -> Searched {
    let few = FewPreemptions::new(executions);
    let stands_at = few.stands_at.clone();
    let watched = Watched { scheduler: Box::new(few), steps: 0, broken_off: Arc::default() };
    let executions = run(watched, move || {
        execution_begins(heartbeat);
        run_main(body);
    });
    let stands_at = stands_at.load(Relaxed);
    let stands_at = Some(stands_at).filter(|preemptions| *preemptions <= PREEMPTIONS_MAX);
    Searched { executions, stands_at, ..Searched::default() }
}

/// Samples executions.
fn sample(body: fn(), by: Sampler, seed: u64, executions: u64, turn: u64, heartbeat: &'static Heartbeat) -> Searched {
    let broken_off = Arc::new(AtomicU64::new(0));
    let watched =
        Watched { scheduler: scheduler(by, seed, executions, turn), steps: 0, broken_off: broken_off.clone() };
    let made = run(watched, move || {
        execution_begins(heartbeat);
        run_main(body);
    });
    let abandoned = broken_off.load(Relaxed);
    if abandoned == made {
        limit(EngineLimit::AlwaysTooManySteps { most: STEPS_MAX })
    }
    Searched { executions: made, abandoned, ..Searched::default() }
}

/// Repeats the executions up to the `nth`, counted from 1, and reports the deviations of that one as they occur.
fn locate(body: fn(), by: Sampler, seed: u64, nth: u64, turn: u64, heartbeat: &'static Heartbeat) -> Searched {
    run(Reporting { scheduler: scheduler(by, seed, nth, turn), nth, execution: 0, step: 0 }, move || {
        execution_begins(heartbeat);
        run_main(body);
    });
    Searched { executions: nth, ..Searched::default() }
}

/// Makes one execution; returns whether every deviation was followed.
fn replay(body: fn(), deviations: &[Deviation], heartbeat: &'static Heartbeat) -> bool {
    let followed = Arc::new(AtomicU64::new(0));
    let loads = deviations.iter().filter_map(|deviation| match deviation {
        Deviation::Load { nth, before } => Some((*nth, *before)),
        Deviation::Thread { .. } => None,
    });
    let loads: Vec<(usize, usize)> = loads.collect();
    old::choose(if loads.is_empty() { Reads::Newest } else { Reads::Planned(loads) });
    let guided = Guided { deviations: deviations.to_vec(), followed: followed.clone(), step: 0, began: false };
    run(guided, move || {
        execution_begins(heartbeat);
        run_main(body);
    });
    followed.load(Relaxed) + old::followed() as u64 == deviations.len() as u64
}

fn run(scheduler: impl Scheduler + 'static, body: impl Fn() + Send + Sync + 'static) -> u64 {
    let mut config = Config::new();
    config.stack_size = STACK_BYTES;
    config.failure_persistence = FailurePersistence::None;
    config.max_steps = MaxSteps::ContinueAfter(STEPS_MAX);
    config.silence_warnings = true;
    let made = Runner::new(Limited { scheduler, steps: 0 }, config).run(body) as u64;
    execution_ended();
    made
}

fn scheduler(by: Sampler, seed: u64, executions: u64, turn: u64) -> Box<dyn Scheduler + Send> {
    foreign::overlap(by == Sampler::Overlap);
    old::choose(Reads::Newest);
    let executions = executions as usize;
    match by {
        Sampler::Directed => Box::new(Directed::new(seed, executions as u64, turn)),
        Sampler::Random | Sampler::Overlap => Box::new(RandomScheduler::new_from_seed(seed, executions)),
        Sampler::Pct(depth) => Box::new(PctScheduler::new_from_seed(seed, depth, executions)),
        Sampler::Walk => Box::new(UrwRandomScheduler::new_from_seed(seed, executions)),
        Sampler::Few => Box::new(FewPreemptions::new(executions as u64)),
    }
}

/// Fails an execution that would never end, where shuttle would abandon it.
struct Limited<S> {
    scheduler: S,
    steps: usize,
}

impl<S: Scheduler> Scheduler for Limited<S> {
    fn new_execution(&mut self) -> Option<Schedule> {
        self.steps = 0;
        self.scheduler.new_execution()
    }

    fn next_task(&mut self, runnable: &[&Task], current: Option<TaskId>, yields: bool) -> Option<TaskId> {
        self.steps += 1;
        if self.steps == STEPS_MAX
            && let Some(waiting) = stuck::waiting(runnable.iter().map(|task| task.id().into()))
        {
            fail(verdict::never_ends(&waiting))
        }
        self.scheduler.next_task(runnable, current, yields)
    }

    fn next_u64(&mut self) -> u64 {
        self.scheduler.next_u64()
    }
}

/// Counts the executions that were aborted.
struct Watched {
    scheduler: Box<dyn Scheduler + Send>,
    steps: usize,
    broken_off: Arc<AtomicU64>,
}

impl Scheduler for Watched {
    fn new_execution(&mut self) -> Option<Schedule> {
        if self.steps >= STEPS_MAX {
            self.broken_off.fetch_add(1, Relaxed);
        } else {
            execution_ended();
        }
        self.steps = 0;
        self.scheduler.new_execution()
    }

    fn next_task(&mut self, runnable: &[&Task], current: Option<TaskId>, yields: bool) -> Option<TaskId> {
        self.steps += 1;
        self.scheduler.next_task(runnable, current, yields)
    }

    fn next_u64(&mut self) -> u64 {
        self.scheduler.next_u64()
    }
}

/// Reports the deviations of one execution.
struct Reporting {
    scheduler: Box<dyn Scheduler + Send>,
    nth: u64,
    execution: u64,
    step: usize,
}

impl Scheduler for Reporting {
    fn new_execution(&mut self) -> Option<Schedule> {
        self.execution += 1;
        self.step = 0;
        old::report(self.execution == self.nth);
        self.scheduler.new_execution()
    }

    fn next_task(&mut self, runnable: &[&Task], current: Option<TaskId>, yields: bool) -> Option<TaskId> {
        let chosen = self.scheduler.next_task(runnable, current, yields)?;
        if self.execution == self.nth {
            report_deviation(chosen, self.step, runnable, current, yields);
        }
        self.step += 1;
        Some(chosen)
    }

    fn next_u64(&mut self) -> u64 {
        self.scheduler.next_u64()
    }
}

/// Reports a choice that deviates from the default schedule.
fn report_deviation(chosen: TaskId, step: usize, runnable: &[&Task], current: Option<TaskId>, yields: bool) {
    if chosen != in_turn(runnable, current, yields) {
        let preempts = preempts(runnable, current, yields);
        send(&RunMessage::Deviates(Deviation::Thread { step, thread: chosen.into(), preempts }));
    }
}

/// Follows a plan, and reports the deviations that occur: without an earlier one, a deviation may become a preemption
/// or cease to be one. A deviation to a thread that cannot run is skipped, so that any part of a plan is a plan.
struct Guided {
    deviations: Vec<Deviation>,
    /// Number of deviations followed.
    followed: Arc<AtomicU64>,
    step: usize,
    began: bool,
}

impl Scheduler for Guided {
    fn new_execution(&mut self) -> Option<Schedule> {
        (!std::mem::replace(&mut self.began, true)).then(|| Schedule::new(0))
    }

    fn next_task(&mut self, runnable: &[&Task], current: Option<TaskId>, yields: bool) -> Option<TaskId> {
        let planned = self.deviations.iter().find_map(|deviation| match deviation {
            Deviation::Thread { step, thread, .. } if *step == self.step => Some(*thread),
            _ => None,
        });
        let planned = planned.and_then(|planned| runnable.iter().find(|task| usize::from(task.id()) == planned));
        self.followed.fetch_add(u64::from(planned.is_some()), Relaxed);
        let chosen = planned.map_or_else(|| in_turn(runnable, current, yields), |task| task.id());
        let chosen = leave::another(runnable, self.step).unwrap_or(chosen);
        if records() {
            log::chosen(chosen.into());
            report_deviation(chosen, self.step, runnable, current, yields);
        }
        self.step += 1;
        Some(chosen)
    }

    fn next_u64(&mut self) -> u64 {
        0
    }
}
