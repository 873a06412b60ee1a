//! How many executions an exploration may still make, and how many of them a search may use.

use crate::{
    engine::{Limit, ProgressSink},
    plan::Plan,
    protocol::{Doing, Progress, SearchEnd, Searched},
};
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Instant,
};

/// The budget of an exploration.
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
    /// It ends at this fraction of the whole budget.
    up_to: f64,
    /// It ends at this number of executions of the whole exploration.
    made_max: u64,
    /// Whether the search runs to completion, whatever the budget.
    unlimited: bool,
}

/// What one engine searched and found.
pub(super) struct Part {
    pub searched: Searched,
    pub failed: Option<Plan>,
}

impl Part {
    /// Returns whether it is part of the exhaustive search.
    pub fn is_exhaustive(&self) -> bool {
        self.searched.how.is_exhaustive()
    }

    /// Returns whether the engine cannot explore the model.
    pub fn is_limited(&self) -> bool {
        matches!(self.searched.end, SearchEnd::Limited(_))
    }
}

impl<'a> Budget<'a> {
    /// Creates an unused budget.
    pub fn new(until: Limit, sink: ProgressSink<'a>, started: Instant) -> Budget<'a> {
        Budget { until, sink, started, made: AtomicU64::new(0) }
    }

    /// Returns the share up to this fraction of the whole.
    pub fn up_to(&self, up_to: f64) -> Share<'_> {
        Share { budget: self, up_to, made_max: u64::MAX, unlimited: false }
    }

    /// Returns one of `parts` equal shares of what is left.
    pub fn one_of(&self, parts: usize) -> Share<'_> {
        self.up_to((self.used() + 1.0 / parts.max(1) as f64).min(1.0))
    }

    /// Returns a share of at most this many executions.
    pub fn executions(&self, most: u64) -> Share<'_> {
        Share { made_max: self.made.load(Relaxed) + most, ..self.up_to(1.0) }
    }

    /// Returns the used fraction of the whole, from 0 to 1.
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
    /// Makes the search run to completion, if `unlimited`.
    pub fn unlimited(self, unlimited: bool) -> Share<'a> {
        Share { unlimited, ..self }
    }

    /// Returns how many executions may still be made; none if the time is over or a stop was requested.
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

    /// Counts executions; if their number ends the search, at most those that were left.
    pub fn count(&self, executions: u64) -> u64 {
        let ends_by_number = self.made_max < u64::MAX || matches!(self.budget.until, Limit::Runs(_));
        let is_exact = !self.unlimited && !self.budget.sink.stops() && ends_by_number;
        let counted = if is_exact { executions.min(self.left()) } else { executions };
        self.budget.add(counted);
        counted
    }
}
