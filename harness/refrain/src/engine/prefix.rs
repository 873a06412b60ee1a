//! Combines the results of pieces of work in order, whatever the order in which workers finish them.
//!
//! Only the results up to the first failure count, so a result that arrives early waits for those before it. Adjacent
//! early results are merged, so memory does not grow with their number.

use std::{collections::BTreeMap, ops::Range};

/// Results that can be merged in order.
pub trait Sum: Default {
    /// Merges the result that follows directly.
    fn add(&mut self, next: Self);

    /// Returns whether results after this one do not count.
    fn is_last(&self) -> bool;
}

/// The merged results up to the first gap, and the results that arrived early.
#[derive(Debug, Default)]
pub struct Prefix<T> {
    end: u64,
    sum: T,
    /// Early pieces by start, each with its end.
    early: BTreeMap<u64, (u64, T)>,
}

impl<T: Sum> Prefix<T> {
    /// Adds the result of a piece of work.
    pub fn put(&mut self, range: Range<u64>, result: T) {
        let before = self.early.range(..range.start).next_back().map(|(start, _)| *start);
        self.early.insert(range.start, (range.end, result));
        self.join(range.start);
        if let Some(before) = before {
            self.join(before);
        }
        while !self.sum.is_last()
            && let Some((end, result)) = self.early.remove(&self.end)
        {
            self.end = end;
            self.sum.add(result);
        }
    }

    /// Merges an early piece with the one directly after it.
    fn join(&mut self, start: u64) {
        let Some((mut end, mut result)) = self.early.remove(&start) else { return };
        if !result.is_last()
            && let Some((next_end, next)) = self.early.remove(&end)
        {
            end = next_end;
            result.add(next);
        }
        self.early.insert(start, (end, result));
    }

    /// Returns the merged results up to the first gap, or up to the first one that is last.
    pub fn sum(self) -> T {
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq)]
    struct Letters(String);

    impl Sum for Letters {
        fn add(&mut self, next: Letters) {
            self.0 += &next.0;
        }

        fn is_last(&self) -> bool {
            self.0.ends_with('!')
        }
    }

    #[track_caller]
    fn check(pieces: &[(u64, &str)], expected: &str) {
        let mut prefix = Prefix::<Letters>::default();
        for &(start, letters) in pieces {
            prefix.put(start..start + letters.len() as u64, Letters(letters.to_owned()));
        }
        assert_eq!(prefix.sum().0, expected);
    }

    #[test]
    fn the_order_in_which_pieces_come_does_not_matter() {
        check(&[], "");
        check(&[(0, "a"), (1, "bc"), (3, "d")], "abcd");
        check(&[(3, "d"), (1, "bc"), (0, "a")], "abcd");
        check(&[(3, "d"), (0, "a"), (1, "bc")], "abcd");
    }

    #[test]
    fn what_comes_after_a_gap_does_not_count() {
        check(&[(1, "bc"), (3, "d")], "");
        check(&[(0, "a"), (3, "d")], "a");
    }

    #[test]
    fn what_comes_after_the_last_does_not_count() {
        check(&[(3, "d"), (1, "b!"), (0, "a")], "ab!");
        check(&[(0, "a"), (1, "b!"), (3, "d!")], "ab!");
        check(&[(3, "d!"), (0, "a"), (1, "bc")], "abcd!");
        check(&[(2, "c"), (0, "a"), (3, "d!"), (1, "!"), (5, "f")], "a!");
    }

    #[test]
    fn early_results_are_kept_in_as_few_pieces_as_there_are_gaps() {
        let mut prefix = Prefix::<Letters>::default();
        for start in 1..10_000 {
            prefix.put(start..start + 1, Letters::default());
            assert_eq!(prefix.early.len(), 1);
        }
        prefix.put(0..1, Letters::default());
        assert_eq!((prefix.early.len(), prefix.end), (0, 10_000));
    }
}
