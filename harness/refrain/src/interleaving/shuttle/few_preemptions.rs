//! A scheduler that enumerates the executions with few preemptions: those without, then those with one, then with two.
//!
//! A plan found this way has the minimum number of preemptions for its number of deviations, for any number of threads.

use super::turns::{in_turn, preempts};
use ::shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};
use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

/// Maximum number of preemptions.
pub(in crate::interleaving) const PREEMPTIONS_MAX: usize = 2;
/// Maximum number of deviations per execution: where a thread has to wait, choosing a different next one is no
/// preemption.
const DEVIATIONS_MAX: usize = 4;
/// The step after which nothing deviates.
const STEP_MAX: usize = 1_000;
/// Maximum number of pending executions.
const TODO_MAX: usize = 200_000;

/// A step at which another thread runs than in the default schedule.
#[derive(Debug, Clone, Copy)]
struct Deviation {
    step: usize,
    thread: usize,
    preempts: bool,
}

/// The scheduler.
pub(super) struct FewPreemptions {
    /// The pending executions, by number of preemptions.
    todo: Vec<VecDeque<Vec<Deviation>>>,
    known: usize,
    left: u64,
    running: Vec<Deviation>,
    step: usize,
    /// The current number of preemptions; one more than the maximum if the enumeration is complete.
    pub stands_at: Arc<AtomicUsize>,
}

impl FewPreemptions {
    /// Creates a scheduler for at most this many executions.
    pub fn new(executions: u64) -> FewPreemptions {
        let mut todo = vec![VecDeque::new(); PREEMPTIONS_MAX + 1];
        todo[0].push_back(vec![]);
        let stands_at = Arc::new(AtomicUsize::new(0));
        FewPreemptions { todo, known: 1, left: executions, running: vec![], step: 0, stands_at }
    }

    /// Records that another thread could run here than in the current execution.
    fn branch(&mut self, deviation: Deviation) {
        let deviations: Vec<Deviation> = self.running.iter().copied().chain([deviation]).collect();
        let preemptions = deviations.iter().filter(|deviation| deviation.preempts).count();
        if preemptions <= PREEMPTIONS_MAX && deviations.len() <= DEVIATIONS_MAX && self.known < TODO_MAX {
            self.known += 1;
            self.todo[preemptions].push_back(deviations);
        }
    }
}

impl Scheduler for FewPreemptions {
    fn new_execution(&mut self) -> Option<Schedule> {
        let preemptions = self.todo.iter().position(|todo| !todo.is_empty());
        self.stands_at.store(preemptions.unwrap_or(PREEMPTIONS_MAX + 1), Relaxed);
        self.left = self.left.checked_sub(1)?;
        self.running = self.todo[preemptions?].pop_front()?;
        self.step = 0;
        Some(Schedule::new(0))
    }

    fn next_task(&mut self, runnable: &[&Task], current: Option<TaskId>, yields: bool) -> Option<TaskId> {
        let step = self.step;
        self.step += 1;
        let usual = in_turn(runnable, current, yields);
        if self.running.last().is_none_or(|last| last.step < step) && step < STEP_MAX {
            let preempts = preempts(runnable, current, yields);
            for other in runnable.iter().map(|task| task.id()).filter(|id| *id != usual) {
                self.branch(Deviation { step, thread: other.into(), preempts });
            }
        }
        let planned = self.running.iter().find(|deviation| deviation.step == step);
        let planned = planned.and_then(|planned| runnable.iter().find(|task| usize::from(task.id()) == planned.thread));
        Some(planned.map_or(usual, |task| task.id()))
    }

    fn next_u64(&mut self) -> u64 {
        0
    }
}
