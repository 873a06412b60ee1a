//! When a failure became inevitable: how many continuations of a failing run fail, from one event on and from another.

use crate::event::Event;
use serde::{Deserialize, Serialize};

/// What came of continuing a failing run in other ways.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inevitable {
    /// Number of events of the failing run.
    pub events: usize,
    /// The beginnings that were continued, the shortest first.
    pub beginnings: Vec<Beginning>,
    /// Number of runs.
    pub runs: u64,
    /// How many of them do not count, because they did not begin with the same events.
    pub not_counted: u64,
    /// The duration in milliseconds of real time.
    pub took_ms: u64,
    /// Whether it was interrupted.
    pub interrupted: bool,
}

/// The first events of a failing run, and what came of runs that begin with them and go on in another way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Beginning {
    /// Number of events.
    pub events: usize,
    /// The last of them; `None` if there are none.
    pub last: Option<Event>,
    /// How many continuations fail in the same way.
    pub fails: u64,
    /// How many fail in another way.
    pub fails_otherwise: u64,
    /// How many pass.
    pub passes: u64,
}

impl Beginning {
    /// Returns the number of continuations.
    pub fn of(&self) -> u64 {
        self.fails + self.fails_otherwise + self.passes
    }

    /// Adds other continuations of the same events.
    pub fn add(&mut self, other: &Beginning) {
        self.fails += other.fails;
        self.fails_otherwise += other.fails_otherwise;
        self.passes += other.passes;
    }

    /// Returns how many did not fail in the same way.
    pub fn saved(&self) -> u64 {
        self.fails_otherwise + self.passes
    }
}

impl Inevitable {
    /// Returns the longest beginning of which a continuation was saved, and the next longer one, of which none was.
    pub fn turning_point(&self) -> (Option<&Beginning>, Option<&Beginning>) {
        let last = self.beginnings.iter().rposition(|beginning| beginning.saved() > 0);
        let next = self.beginnings.get(last.map_or(0, |last| last + 1));
        (last.map(|last| &self.beginnings[last]), next)
    }

    /// Returns the two neighbours between which the share of continuations that fail rises most.
    pub fn largest_rise(&self) -> Option<(&Beginning, &Beginning)> {
        // In a million, so that the shares can be compared.
        let share = |beginning: &Beginning| (beginning.fails * 1_000_000 / beginning.of().max(1)) as i64;
        let pairs = self.beginnings.windows(2).map(|pair| (&pair[0], &pair[1]));
        let rises = pairs.filter(|(before, after)| share(after) > share(before));
        rises.max_by_key(|(before, after)| (share(after) - share(before), std::cmp::Reverse(after.events)))
    }
}
