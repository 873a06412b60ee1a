//! Counts what became of the clients' queries, and how long they took.

use crate::answer::{Answer, Code, Refusal, Source};
use std::array;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The outcomes, as metrics name them: the source of an answer, or the code of a refusal.
const OUTCOMES: [&str; 11] = [
    "live",
    "cached",
    "stale",
    "unknown_user",
    "unreadable",
    "link_down",
    "timed_out",
    "busy",
    "bad_query",
    "denied",
    "other",
];
/// The upper bounds of the classes of latency, in microseconds. One more has no bound.
const BOUNDS_US: [u64; 10] = [100, 500, 1_000, 5_000, 10_000, 50_000, 100_000, 500_000, 1_000_000, 5_000_000];

/// The numbers since the start.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    outcomes: [AtomicU64; OUTCOMES.len()],
    classes: [AtomicU64; BOUNDS_US.len() + 1],
    total_us: AtomicU64,
}

/// The numbers at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counted {
    /// The name of each outcome, and how often it was.
    pub(crate) outcomes: [(&'static str, u64); OUTCOMES.len()],
    /// The upper bound of each class of latency, in microseconds, and how many queries took no longer.
    pub(crate) within_us: [(u64, u64); BOUNDS_US.len()],
    /// How many queries there were.
    pub(crate) count: u64,
    /// How long they took together, in microseconds.
    pub(crate) total_us: u64,
}

impl Counts {
    /// Counts a query.
    pub(crate) fn count(&self, outcome: &Result<Answer, Refusal>, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let class = BOUNDS_US.iter().position(|bound| us <= *bound).unwrap_or(BOUNDS_US.len());
        self.outcomes[position(outcome)].fetch_add(1, Ordering::Relaxed);
        self.classes[class].fetch_add(1, Ordering::Relaxed);
        self.total_us.fetch_add(us, Ordering::Relaxed);
    }

    /// Returns the numbers. A query that is being counted may be missing from some of them.
    pub(crate) fn counted(&self) -> Counted {
        let number = |of: &AtomicU64| of.load(Ordering::Relaxed);
        let mut so_far = 0;
        let within_us = array::from_fn(|class| {
            so_far += number(&self.classes[class]);
            (BOUNDS_US[class], so_far)
        });
        Counted {
            outcomes: array::from_fn(|at| (OUTCOMES[at], number(&self.outcomes[at]))),
            within_us,
            count: so_far + number(&self.classes[BOUNDS_US.len()]),
            total_us: number(&self.total_us),
        }
    }
}

fn position(outcome: &Result<Answer, Refusal>) -> usize {
    match outcome {
        Ok(answer) => match answer.source {
            Source::Live => 0,
            Source::Cached => 1,
            Source::Stale => 2,
        },
        Err(refusal) => match refusal.code {
            Code::UnknownUser => 3,
            Code::Unreadable => 4,
            Code::LinkDown => 5,
            Code::TimedOut => 6,
            Code::Busy => 7,
            Code::BadQuery => 8,
            Code::Denied => 9,
            Code::Other => 10,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_counted_by_its_outcome_and_in_each_class_that_it_is_within() {
        let counts = Counts::default();
        for (code, us) in [(Code::LinkDown, 100), (Code::Busy, 101), (Code::LinkDown, 6_000_000)] {
            counts.count(&Err(Refusal::new(code, "no")), Duration::from_micros(us));
        }
        let counted = counts.counted();
        let of = |name| counted.outcomes.iter().find(|(known, _)| *known == name).map(|(_, count)| *count);
        assert_eq!((of("link_down"), of("busy"), of("live")), (Some(2), Some(1), Some(0)));
        assert_eq!(counted.within_us[..3], [(100, 1), (500, 2), (1_000, 2)]);
        assert_eq!((counted.count, counted.total_us, counted.within_us[9].1), (3, 6_000_201, 2));
    }

    #[test]
    fn outcomes_have_the_names_that_json_has() {
        let of = |code| OUTCOMES[position(&Err(Refusal::new(code, "")))];
        for code in [Code::UnknownUser, Code::Unreadable, Code::LinkDown, Code::TimedOut, Code::Busy, Code::Denied] {
            assert_eq!(of(code), code.name());
        }
    }
}
