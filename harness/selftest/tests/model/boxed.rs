//! Memory that a model frees through the allocator of the process, as a `Box` does.

use super::threads;
use crate::driver::ask;
use refrain::sync::{
    atomic::{AtomicPtr, AtomicUsize, Ordering::*},
    cell::UnsafeCell,
};
use refrain_core::{
    protocol::{Budget, Outcome, Request},
    verdict::{Access, Detail},
};
use std::{ptr, sync::Arc};

struct Node {
    name: String,
    count: AtomicUsize,
    value: UnsafeCell<u32>,
    next: *mut Node,
}

fn node(next: *mut Node) -> *mut Node {
    let (name, count, value) = ("node".repeat(9), AtomicUsize::new(0), UnsafeCell::new(7));
    Box::into_raw(Box::new(Node { name, count, value, next }))
}

/// One of two threads takes the node and frees it, the other one looks at it and uses it.
fn freed_and_used(uses: fn(&Node)) {
    let slot = Arc::new(AtomicPtr::new(node(ptr::null_mut())));
    threads(2, move |nth| {
        if nth == 0 {
            let node = slot.load(Acquire);
            if !node.is_null() {
                // SAFETY: unsound on purpose; the test expects this to be found.
                uses(unsafe { &*node });
            }
        } else {
            let node = slot.swap(ptr::null_mut(), AcqRel);
            // SAFETY: it is a node, and nobody else takes it.
            drop(unsafe { Box::from_raw(node) });
        }
    });
}

#[refrain::model(expect = "use-after-free", snapshot)]
fn an_atomic_in_a_freed_box_is_used() {
    freed_and_used(|node| _ = node.count.fetch_add(1, Relaxed));
}

#[refrain::model(expect = "use-after-free", engine = "loom")]
fn an_atomic_in_a_freed_box_is_used_under_loom() {
    freed_and_used(|node| _ = node.count.fetch_add(1, Relaxed));
}

#[refrain::model(expect = "use-after-free", engine = "shuttle")]
fn an_atomic_in_a_freed_box_is_used_under_shuttle() {
    freed_and_used(|node| _ = node.count.fetch_add(1, Relaxed));
}

#[refrain::model(expect = "use-after-free")]
fn a_cell_in_a_freed_box_is_used() {
    // SAFETY: the access is tracked.
    freed_and_used(|node| assert_eq!(node.value.with(|value| unsafe { *value }), 7));
}

/// Both look at the node before either takes it.
fn freed_twice() {
    let slot = Arc::new(AtomicPtr::new(node(ptr::null_mut())));
    threads(2, move |_| {
        let node = slot.load(Acquire);
        if !node.is_null() {
            slot.store(ptr::null_mut(), Release);
            // SAFETY: unsound on purpose; the test expects this to be found.
            drop(unsafe { Box::from_raw(node) });
        }
    });
}

#[refrain::model(expect = "double-free", snapshot)]
fn a_box_is_freed_twice() {
    freed_twice();
}

#[refrain::model(expect = "double-free", engine = "loom")]
fn a_box_is_freed_twice_under_loom() {
    freed_twice();
}

#[refrain::model(expect = "double-free", engine = "shuttle")]
fn a_box_is_freed_twice_under_shuttle() {
    freed_twice();
}

/// A stack whose `pop` frees the node at once, though another `pop` may be reading it.
#[refrain::model(expect = "use-after-free")]
fn a_stack_that_frees_what_it_pops() {
    let nodes = (0..2).fold(ptr::null_mut(), |next, _| node(next));
    let top = Arc::new(AtomicPtr::new(nodes));
    threads(2, move |_| {
        loop {
            let first = top.load(Acquire);
            if first.is_null() {
                break;
            }
            // SAFETY: unsound on purpose; the test expects this to be found.
            let next = unsafe {
                (*first).count.load(Relaxed);
                (*first).next
            };
            if top.compare_exchange(first, next, AcqRel, Relaxed).is_ok() {
                // SAFETY: this thread has taken it.
                drop(unsafe { Box::from_raw(first) });
                break;
            }
        }
    });
}

/// What one execution frees, the next one may use.
#[refrain::model(complete)]
fn boxes_that_are_freed_once() {
    let slot = Arc::new(AtomicPtr::new(node(ptr::null_mut())));
    threads(2, move |_| {
        let node = slot.swap(ptr::null_mut(), AcqRel);
        if !node.is_null() {
            // SAFETY: it is a node, and nobody else takes it.
            let node = unsafe { Box::from_raw(node) };
            assert_eq!((node.name.len(), node.count.load(Relaxed)), (36, 0));
        }
    });
}

#[test]
fn the_lines_that_use_and_free_are_named() {
    let request = Request::explore(1, Budget::OfTest, Some(1));
    let detail = |test: &str| {
        let test = format!("model::boxed::{test}");
        let Outcome::Explored(explored) = ask(&test, &request) else { panic!("{test}") };
        explored.caught.unwrap().failure.detail
    };
    let is_here = |access: &Access| access.place.as_ref().is_some_and(|place| place.file.ends_with("model/boxed.rs"));
    for engine in ["", "_under_loom", "_under_shuttle"] {
        let used = detail(&format!("an_atomic_in_a_freed_box_is_used{engine}"));
        let Detail::FreedUsed { used, freed, after: true } = used else { panic!("{used:?}") };
        assert_eq!((used.thread, freed.thread), (1, 2), "{engine}");
        assert!(is_here(&used) && is_here(&freed), "{engine}: {used:?}, {freed:?}");
        let again = detail(&format!("a_box_is_freed_twice{engine}"));
        let Detail::FreedAgain { before: Some(before), backtrace, .. } = again else { panic!("{again:?}") };
        assert!(is_here(&before), "{engine}: {before:?}");
        assert!(backtrace.frames.iter().any(|frame| frame.function.contains("freed_twice")), "{backtrace:?}");
    }
}
