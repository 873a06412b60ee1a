//! A reference count that is decremented and tested in two steps, as in one ancestor, and a correct one.

use super::threads;
use refrain::sync::atomic::{AtomicUsize, Ordering::*};
use std::sync::Arc;

struct Counted {
    count: AtomicUsize,
    freed: AtomicUsize,
}

impl Counted {
    fn new(count: usize) -> Arc<Counted> {
        Arc::new(Counted { count: AtomicUsize::new(count), freed: AtomicUsize::new(0) })
    }

    fn free(&self) {
        assert_eq!(self.freed.fetch_add(1, AcqRel), 0, "freed twice");
    }

    fn lower_then_test(&self) {
        self.count.fetch_sub(1, AcqRel);
        if self.count.load(Acquire) == 0 {
            self.free();
        }
    }

    fn test_then_lower(&self) {
        if self.count.load(Acquire) == 1 {
            self.free();
        } else {
            self.count.fetch_sub(1, AcqRel);
        }
    }

    fn release(&self) {
        if self.count.fetch_sub(1, AcqRel) == 1 {
            self.free();
        }
    }
}

fn two_lower_then_test() {
    let counted = Counted::new(2);
    threads(2, move |_| counted.lower_then_test());
}

#[refrain::model(expect = "panic", snapshot)]
fn lower_then_test_frees_twice() {
    two_lower_then_test();
}

#[refrain::model(engine = "shuttle", expect = "panic")]
fn lower_then_test_is_caught_by_shuttle() {
    two_lower_then_test();
}

#[refrain::model(preemptions = 1, expect = "panic")]
fn lower_then_test_is_caught_with_one_preemption() {
    two_lower_then_test();
}

/// As on a machine with one processor.
#[refrain::model(preemptions = 0, complete)]
fn lower_then_test_is_right_without_preemption() {
    two_lower_then_test();
}

/// Either nobody frees it, or it is freed too early.
#[refrain::model(expect = "panic")]
fn test_then_lower_does_not_free() {
    let counted = Counted::new(2);
    let own = counted.clone();
    threads(2, move |_| counted.test_then_lower());
    assert_eq!(own.freed.load(Acquire), 1, "never freed");
}

#[refrain::model(complete)]
fn the_last_of_two_frees() {
    let counted = Counted::new(2);
    let own = counted.clone();
    threads(2, move |_| counted.release());
    assert_eq!(own.freed.load(Acquire), 1);
}

#[refrain::model(complete)]
fn the_last_of_three_frees() {
    let counted = Counted::new(3);
    let own = counted.clone();
    threads(3, move |_| counted.release());
    assert_eq!(own.freed.load(Acquire), 1);
}
