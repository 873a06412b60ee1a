//! Memory that is freed while another thread may use it.

use super::threads;
use crate::driver::ask;
use refrain::sync::{
    alloc::{Layout, alloc, dealloc},
    atomic::{AtomicPtr, AtomicUsize, Ordering, Ordering::*, fence},
    cell::UnsafeCell,
    thread,
};
use refrain_core::{
    protocol::{Budget, Outcome, Request},
    verdict::{Access, Detail},
};
use std::{ptr, sync::Arc};

struct Node {
    next: AtomicPtr<Node>,
    count: AtomicUsize,
    value: UnsafeCell<u32>,
}

/// Allocates a node in tracked memory.
fn node(next: *mut Node) -> *mut Node {
    // SAFETY: a node has a non-zero size, and the written memory was allocated for one.
    unsafe {
        let memory = alloc(Layout::new::<Node>()).cast::<Node>();
        memory.write(Node { next: AtomicPtr::new(next), count: AtomicUsize::new(2), value: UnsafeCell::new(7) });
        memory
    }
}

/// # Safety
/// The pointer must be a node that the caller owns exclusively; some tests violate this on purpose.
unsafe fn free(node: *mut Node) {
    // SAFETY: guaranteed by the caller.
    unsafe {
        ptr::drop_in_place(node);
        dealloc(node.cast(), Layout::new::<Node>());
    }
}

/// One thread frees it, the other one uses it.
fn freed_and_used(uses: fn(&Node)) {
    let shared = Arc::new(AtomicPtr::new(node(ptr::null_mut())));
    let other = shared.clone();
    // SAFETY: unsound on purpose; the test expects this to be found.
    let thread = thread::spawn(move || unsafe { free(other.load(Relaxed)) });
    // SAFETY: unsound, too.
    uses(unsafe { &*shared.load(Relaxed) });
    thread.join().unwrap();
}

#[refrain::model(expect = "use-after-free", snapshot)]
fn an_atomic_in_freed_memory_is_used() {
    freed_and_used(|node| {
        node.count.fetch_add(1, Relaxed);
    });
}

#[refrain::model(expect = "use-after-free")]
fn a_cell_in_freed_memory_is_used() {
    // SAFETY: the access is tracked.
    freed_and_used(|node| assert_eq!(node.value.with(|value| unsafe { *value }), 7));
}

#[refrain::model(expect = "use-after-free", engine = "shuttle")]
fn an_atomic_in_freed_memory_is_used_under_shuttle() {
    freed_and_used(|node| {
        node.count.load(Relaxed);
    });
}

#[refrain::model(expect = "use-after-free", engine = "loom")]
fn an_atomic_in_freed_memory_is_used_under_loom() {
    freed_and_used(|node| {
        node.count.load(Relaxed);
    });
}

/// A lock-free stack.
struct Stack(AtomicPtr<Node>);

impl Stack {
    fn of(nodes: usize) -> Arc<Stack> {
        Arc::new(Stack(AtomicPtr::new((0..nodes).fold(ptr::null_mut(), |next, _| node(next)))))
    }

    fn pop(&self) -> *mut Node {
        loop {
            let head = self.0.load(Acquire);
            if head.is_null() {
                return head;
            }
            // SAFETY: sound only if nobody frees popped nodes while others pop.
            let next = unsafe { (*head).next.load(Relaxed) };
            if self.0.compare_exchange(head, next, AcqRel, Acquire).is_ok() {
                return head;
            }
        }
    }
}

/// Another thread may have read the head but not yet its successor.
#[refrain::model(expect = "use-after-free")]
fn a_stack_that_frees_what_it_pops_at_once() {
    let stack = Stack::of(2);
    // SAFETY: unsound on purpose; the test expects this to be found.
    threads(2, move |_| unsafe { free(stack.pop()) });
}

#[refrain::model(complete)]
fn a_stack_that_frees_when_nobody_pops_any_more() {
    let stack = Stack::of(2);
    let own = stack.clone();
    let thread = thread::spawn(move || AtomicPtr::new(own.pop()));
    let one = stack.pop();
    let other = thread.join().unwrap().into_inner();
    // SAFETY: each was popped once, and no thread pops any more.
    unsafe {
        free(one);
        free(other);
    }
}

/// The last of two owners frees; the other's uses happen before that only if it synchronizes with them.
fn the_last_of_two_frees(lower: Ordering, learn: bool) {
    let shared = AtomicPtr::new(node(ptr::null_mut()));
    let shared = Arc::new(shared);
    threads(2, move |_| {
        let node = shared.load(Relaxed);
        // SAFETY: the count keeps it alive.
        unsafe {
            (*node).next.load(Relaxed);
            if (*node).count.fetch_sub(1, lower) == 1 {
                if learn {
                    fence(Acquire);
                }
                free(node);
            }
        }
    });
}

#[refrain::model(complete)]
fn the_last_of_two_that_learns_what_the_other_did_frees() {
    the_last_of_two_frees(Release, true);
}

#[refrain::model(expect = "use-after-free")]
fn the_last_of_two_that_learns_nothing_frees_too_early() {
    the_last_of_two_frees(Release, false);
}

#[refrain::model(expect = "use-after-free", engine = "shuttle")]
fn the_last_of_two_that_learns_nothing_frees_too_early_under_shuttle() {
    the_last_of_two_frees(Relaxed, false);
}

#[test]
fn both_places_are_named() {
    let request = Request::explore(1, Budget::OfTest, Some(1));
    for engine in ["", "_under_loom", "_under_shuttle"] {
        let test = format!("model::freed::an_atomic_in_freed_memory_is_used{engine}");
        let Outcome::Explored(explored) = ask(&test, &request) else { panic!("{test}") };
        let Detail::FreedUsed { used, freed, .. } = explored.caught.unwrap().failure.detail else { panic!("{test}") };
        assert_eq!((used.thread, freed.thread), (0, 1), "{test}");
        let of_test =
            |access: &Access| access.place.as_ref().is_some_and(|place| place.file.ends_with("model/freed.rs"));
        assert!(of_test(&used) && of_test(&freed), "{test}: {used:?}, {freed:?}");
    }
}
