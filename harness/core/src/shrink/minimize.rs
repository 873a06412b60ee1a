//! Removes the items that a failure does not need: delta debugging, after Zeller and Hildebrandt, "Simplifying and
//! Isolating Failure-Inducing Input" (2002).

use std::ops::ControlFlow;

/// The minimized list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Minimum<T> {
    /// The smallest failing list found, in the original order.
    pub items: Vec<T>,
    /// Whether the search was interrupted. If not, removing any single item makes the list pass.
    pub interrupted: bool,
}

/// Removes items from a failing list while it keeps failing.
///
/// `fails` tests a list; `Break` ends the search with the best list so far. The whole list is known to fail and is not
/// tested. First all items are removed at once, then halves, quarters and so on, finally single ones, until none can be
/// removed: about `k log n` tests for `k` of `n` items, at worst `n * n`.
pub fn ddmin<T: Clone>(items: Vec<T>, fails: &mut dyn FnMut(&[T]) -> ControlFlow<(), bool>) -> Minimum<T> {
    let mut best = items;
    let interrupted = minimize(&mut best, fails).is_break();
    Minimum { items: best, interrupted }
}

fn minimize<T: Clone>(best: &mut Vec<T>, fails: &mut dyn FnMut(&[T]) -> ControlFlow<(), bool>) -> ControlFlow<()> {
    if best.is_empty() {
        return ControlFlow::Continue(());
    }
    if fails(&[])? {
        best.clear();
        return ControlFlow::Continue(());
    }
    let mut size = best.len();
    while size > 2 {
        size = size.div_ceil(2);
        remove_chunks(best, size, fails)?;
    }
    // An item that was needed may become removable once another is gone, so the search ends only after a round without
    // success.
    while remove_chunks(best, 1, fails)? {}
    ControlFlow::Continue(())
}

/// One round over a list: removes every chunk of `size` items that is not needed. Returns whether it removed any.
fn remove_chunks<T: Clone>(
    best: &mut Vec<T>,
    size: usize,
    fails: &mut dyn FnMut(&[T]) -> ControlFlow<(), bool>,
) -> ControlFlow<(), bool> {
    let (mut start, before) = (0, best.len());
    while start < best.len() {
        let end = best.len().min(start + size);
        let smaller = [&best[..start], &best[end..]].concat();
        // The empty list has been tested already.
        if !smaller.is_empty() && fails(&smaller)? {
            *best = smaller;
        } else {
            start = end;
        }
    }
    ControlFlow::Continue(best.len() < before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection, prelude::*};

    /// Minimizes `0..whole`, and counts the tests.
    fn minimized(whole: u32, mut fails: impl FnMut(&[u32]) -> bool) -> (Vec<u32>, usize) {
        let mut tries = 0;
        let minimum = ddmin((0..whole).collect(), &mut |items| {
            tries += 1;
            ControlFlow::Continue(fails(items))
        });
        assert!(!minimum.interrupted);
        (minimum.items, tries)
    }

    fn holds_all(items: &[u32], needed: &[u32]) -> bool {
        needed.iter().all(|item| items.contains(item))
    }

    #[test]
    fn nothing_is_left_where_nothing_is_needed() {
        assert_eq!(minimized(100, |_| true), (vec![], 1));
        assert_eq!(minimized(0, |_| panic!("there is nothing to try")), (vec![], 0));
        assert_eq!(minimized(1, |items| !items.is_empty()), (vec![0], 1));
    }

    #[test]
    fn everything_is_left_where_everything_is_needed() {
        let (items, tries) = minimized(16, |items| items.len() == 16);
        assert_eq!(items, (0..16).collect::<Vec<u32>>());
        assert!(tries <= 1 + 2 + 4 + 8 + 16, "{tries}");
    }

    #[test]
    fn few_needed_items_of_many_are_found_fast() {
        let (items, tries) = minimized(1024, |items| holds_all(items, &[700]));
        assert_eq!(items, [700]);
        assert!(tries <= 25, "{tries}");
        let (items, tries) = minimized(1024, |items| holds_all(items, &[3, 500, 1023]));
        assert_eq!(items, [3, 500, 1023]);
        assert!(tries <= 90, "{tries}");
    }

    #[test]
    fn what_is_needed_only_beside_another_goes_with_it() {
        // 1 is needed while 2 is there: only a second round removes it.
        let (items, _) = minimized(4, |items| holds_all(items, &[0, 3]) && (items.contains(&1) || !items.contains(&2)));
        assert_eq!(items, [0, 3]);
    }

    proptest! {
        #[test]
        fn exactly_the_needed_items_are_left(needed in collection::btree_set(0u32..64, 0..8)) {
            let needed: Vec<u32> = needed.into_iter().collect();
            prop_assert_eq!(minimized(64, |items| holds_all(items, &needed)).0, needed);
        }

        /// An arbitrary predicate: whether a subset of up to 10 items fails is a bit of a hash, with varying
        /// probability.
        #[test]
        fn the_minimum_fails_and_passes_without_any_one_item(salt in any::<u64>(), rare in 1u64..6, n in 0u32..11) {
            let subset = |items: &[u32]| items.iter().map(|item| 1u64 << item).sum::<u64>();
            let hash = |subset: u64| (subset ^ salt).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(20);
            let whole = (1 << n) - 1;
            let fails = |items: &[u32]| subset(items) == whole || (hash(subset(items)) % 6) >= rare;
            let (items, tries) = minimized(n, fails);
            prop_assert!(fails(&items), "it fails: {items:?}");
            prop_assert!(items.is_sorted_by(|one, next| one < next), "it is a part of the whole, in order: {items:?}");
            for left_out in &items {
                let fewer: Vec<u32> = items.iter().filter(|item| *item != left_out).copied().collect();
                prop_assert!(!fails(&fewer), "{fewer:?} is smaller than {items:?}");
            }
            prop_assert!(tries <= (n * n + 4 * n + 1) as usize, "{tries} tries for {n} items");
        }

        #[test]
        fn an_interrupted_search_keeps_the_best_so_far(needed in collection::btree_set(0u32..32, 1..6), limit in 0usize..80) {
            let needed: Vec<u32> = needed.into_iter().collect();
            let mut smallest: Vec<u32> = (0..32).collect();
            let mut tries = 0;
            let minimum = ddmin(smallest.clone(), &mut |items| {
                if tries == limit {
                    return ControlFlow::Break(());
                }
                tries += 1;
                let fails = holds_all(items, &needed);
                if fails {
                    smallest = items.to_vec();
                }
                ControlFlow::Continue(fails)
            });
            prop_assert_eq!(&minimum.items, &smallest);
            prop_assert!(minimum.interrupted || minimum.items == needed);
            prop_assert!(!minimum.interrupted || tries == limit);
        }
    }
}
