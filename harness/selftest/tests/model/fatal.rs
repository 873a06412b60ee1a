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
