//! Runs a model on plain loom: `bench-loom MODEL [EXECUTIONS PREEMPTIONS]` prints the number of executions up to the
//! first that fails, the seconds, and how it ended.

use std::{
    env, panic, process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::Instant,
};

refrain_bench::models!(on_loom, use loom::{sync, thread};);

mod sync {
    pub use loom::{cell, hint, sync::*, thread};
}
#[path = "../../kernels/mod.rs"]
mod kernels;

/// Panic messages of loom for models that are too large for it.
const LIMITS: [&str; 2] = ["maximum number of branches", "self.max()"];

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let name = args.first().cloned().unwrap_or_default();
    let Some(model) = model(&name) else {
        eprintln!("usage: bench-loom MODEL [EXECUTIONS PREEMPTIONS]; there is no model {name:?}");
        process::exit(2)
    };
    let executions = Arc::new(AtomicU64::new(0));
    let count = executions.clone();
    let started = Instant::now();
    let ends = move |how: &str| {
        println!("{} {} {how}", executions.load(Relaxed), started.elapsed().as_secs_f64());
        process::exit(0)
    };
    let fails = ends.clone();
    // The first panic ends the process: what unwinds could panic again.
    panic::set_hook(Box::new(move |info| {
        let message = info.payload_as_str().unwrap_or_default();
        fails(if LIMITS.iter().any(|limit| message.contains(limit)) { "limit" } else { "failed" })
    }));
    let mut builder = loom::model::Builder::new();
    if let [_, executions, preemptions] = &args[..] {
        builder.max_permutations = executions.parse().ok();
        builder.preemption_bound = preemptions.parse().ok();
    }
    // On a separate thread, as `cargo test` runs a test.
    let search = move || {
        builder.check(move || {
            count.fetch_add(1, Relaxed);
            model();
        })
    };
    let _ = thread::spawn(search).join();
    ends("passed")
}

fn model(name: &str) -> Option<Box<dyn Fn() + Send + Sync>> {
    if let Some(model) = on_loom::by_name(name) {
        return Some(Box::new(model));
    }
    let (_, kernel) = kernels::KERNELS.iter().find(|(other, _)| *other == name)?;
    Some(Box::new(move || kernel(false)))
}
