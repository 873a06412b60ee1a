//! How many executions an exploration may still make, and how much of that one search may use.

use crate::{
    engine::{Limit, ProgressSink},
    plan::Plan,
    protocol::{Doing, Progress, SearchEnd, Searched},
};
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Instant,
};

/// What an exploration may use.
pub(super) struct Budget<'a> {
    until: Limit,
    sink: ProgressSink<'a>,
    started: Instant,
    made: AtomicU64,
}

/// The part of a budget that one search may use.
#[derive(Clone, Copy)]
pub(super) struct Share<'a> {
    budget: &'a Budget<'a>,
    /// The fraction of the whole budget at which it ends.
    up_to: f64,
    /// The number of executions of the whole exploration at which it ends.
    made_max: u64,
    /// Whether the search goes on to its end, whatever the budget says.
    unlimited: bool,
}

/// One engine's part, and what it found.
pub(super) struct Part {
    pub searched: Searched,
    pub failed: Option<Plan>,
}

impl Part {
    /// Whether it is a part of the exhaustive search.
    pub fn is_exhaustive(&self) -> bool {
        self.searched.how.is_exhaustive()
    }

    /// Whether the engine cannot explore the model.
    pub fn is_limited(&self) -> bool {
        matches!(self.searched.end, SearchEnd::Limited(_))
    }
}

impl<'a> Budget<'a> {
    /// Nothing is used yet.
    pub fn new(until: Limit, sink: ProgressSink<'a>, started: Instant) -> Budget<'a> {
        Budget { until, sink, started, made: AtomicU64::new(0) }
    }

    /// Everything up to this fraction of the whole.
    pub fn up_to(&self, up_to: f64) -> Share<'_> {
        Share { budget: self, up_to, made_max: u64::MAX, unlimited: false }
    }

    /// The `nth` part, if everything that is left is divided into equal ones.
    pub fn one_of(&self, parts: usize) -> Share<'_> {
        self.up_to((self.used() + 1.0 / parts.max(1) as f64).min(1.0))
    }

    /// No more than this number of executions.
    pub fn executions(&self, most: u64) -> Share<'_> {
        Share { made_max: self.made.load(Relaxed) + most, ..self.up_to(1.0) }
    }

    /// How much of the whole is used, from 0 to 1.
    fn used(&self) -> f64 {
        match self.until {
            Limit::Runs(0) => 1.0,
            Limit::Runs(runs) => (self.made.load(Relaxed) as f64 / runs as f64).min(1.0),
            Limit::Time(end) => {
                let left = end.saturating_duration_since(Instant::now()).as_secs_f64();
                let used = self.started.elapsed().as_secs_f64();
                used / (used + left).max(f64::MIN_POSITIVE)
            }
        }
    }

    fn add(&self, executions: u64) {
        let runs = self.made.fetch_add(executions, Relaxed) + executions;
        let of = if let Limit::Runs(of) = self.until { Some(of.max(runs)) } else { None };
        self.sink.report(Progress { doing: Doing::Exploring, runs, of });
    }
}

impl<'a> Share<'a> {
    /// The same, for a search that goes on to its end.
    pub fn unlimited(self, unlimited: bool) -> Share<'a> {
        Share { unlimited, ..self }
    }

    /// How many executions may still be made; none if it is late or somebody stops the exploration.
    pub fn left(&self) -> u64 {
        if self.budget.sink.stops() {
            return 0;
        }
        if self.unlimited {
            return u64::MAX;
        }
        let made = self.budget.made.load(Relaxed);
        let left = match self.budget.until {
            Limit::Runs(runs) => ((runs as f64 * self.up_to) as u64).saturating_sub(made),
            Limit::Time(end) => {
                let whole = end.saturating_duration_since(self.budget.started).as_secs_f64();
                if self.budget.started.elapsed().as_secs_f64() < whole * self.up_to { u64::MAX } else { 0 }
            }
        };
        left.min(self.made_max.saturating_sub(made))
    }

    /// Counts executions: where their number is what ends the search, no more than are left.
    pub fn count(&self, executions: u64) -> u64 {
        let ends_by_number = self.made_max < u64::MAX || matches!(self.budget.until, Limit::Runs(_));
        let is_exact = !self.unlimited && !self.budget.sink.stops() && ends_by_number;
        let counted = if is_exact { executions.min(self.left()) } else { executions };
        self.budget.add(counted);
        counted
    }
}
