//! Threads that terminate the whole process, or exhaust the machine.

use super::threads;
use std::hint::black_box;

#[refrain::model(expect = "crash")]
fn an_abort_is_caught() {
    threads(2, |_| std::process::abort());
}

#[refrain::model(expect = "exit")]
fn an_exit_is_caught() {
    threads(1, |_| std::process::exit(7));
}

#[refrain::model(expect = "out-of-memory")]
fn memory_without_bound_is_caught() {
    threads(1, |_| {
        let mut kept = vec![];
        loop {
            kept.push(black_box(Vec::<u8>::with_capacity(64 << 20)));
        }
    });
}

#[refrain::model(expect = "endless-loop", time_limit = "200ms")]
fn a_loop_without_end_is_caught() {
    threads(1, |_| {
        loop {
            black_box(());
        }
    });
}

/// It fails in one interleaving only: the ones before it are not affected.
#[refrain::model(expect = "crash")]
fn an_abort_in_one_order_is_caught() {
    use refrain::sync::atomic::{AtomicUsize, Ordering::*};
    let turns = std::sync::Arc::new(AtomicUsize::new(0));
    threads(2, move |_| {
        let before = turns.load(Acquire);
        turns.store(before + 1, Release);
        if turns.fetch_add(0, AcqRel) == 1 && before == 0 {
            return;
        }
        if before == 0 {
            std::process::abort();
        }
    });
}

#[refrain::model(complete)]
fn what_a_model_prints_disturbs_nobody() {
    use refrain::sync::atomic::{AtomicUsize, Ordering::*};
    let printed = std::sync::Arc::new(AtomicUsize::new(0));
    threads(2, move |nth| {
        println!("{{\"ended\": {nth}}}");
        eprintln!("\u{1}");
        printed.fetch_add(1, Relaxed);
    });
}

fn deeper(depth: u64) -> u64 {
    let here = black_box([depth; 64]);
    if depth == 0 { here[0] } else { deeper(depth - 1) + here[1] }
}

#[refrain::model(expect = "crash")]
fn a_stack_that_overflows_is_caught() {
    threads(1, |_| _ = black_box(deeper(1_000_000)));
}

#[refrain::model(expect = "crash", engine = "loom")]
fn a_stack_that_overflows_is_caught_under_loom() {
    threads(1, |_| _ = black_box(deeper(1_000_000)));
}

#[refrain::model(expect = "crash")]
fn a_pointer_to_nothing_is_caught() {
    let pointer = std::sync::Arc::new(refrain::sync::atomic::AtomicUsize::new(0x10_0000_0000));
    threads(2, move |_| {
        let pointer = pointer.load(std::sync::atomic::Ordering::Relaxed);
        // SAFETY: unsound on purpose; the test expects this to be found.
        unsafe { black_box((pointer as *const u64).read_volatile()) };
    });
}

#[test]
fn a_stack_that_overflows_is_no_other_fault() {
    use crate::driver::ask;
    use refrain_core::{
        protocol::{Budget, Outcome, Request},
        verdict::Detail,
    };
    let request = Request::explore(1, Budget::OfTest, Some(1));
    let detail = |test: &str| match ask(&format!("model::fatal::{test}"), &request) {
        Outcome::Explored(explored) => explored.caught.unwrap().failure.detail,
        other => panic!("{test}: {other:?}"),
    };
    for engine in ["", "_under_loom"] {
        let overflowed = detail(&format!("a_stack_that_overflows_is_caught{engine}"));
        assert!(matches!(overflowed, Detail::StackOverflowed), "{engine}: {overflowed:?}");
    }
    let other = detail("a_pointer_to_nothing_is_caught");
    assert!(matches!(&other, Detail::Killed { signal } if signal == "SIGSEGV"), "{other:?}");
}
