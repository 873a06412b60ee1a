//! Runs a model on plain loom: `bench-loom MODEL` prints the number of executions up to the first that fails, and the
//! seconds.

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

fn main() {
    let name = env::args().nth(1).unwrap_or_default();
    let Some(model) = on_loom::by_name(&name) else {
        eprintln!("usage: bench-loom MODEL; there is no model {name:?}");
        process::exit(2)
    };
    panic::set_hook(Box::new(|_| {}));
    let executions = Arc::new(AtomicU64::new(0));
    let count = executions.clone();
    let started = Instant::now();
    // On a separate thread, as `cargo test` runs a test.
    let search = move || {
        loom::model::Builder::new().check(move || {
            count.fetch_add(1, Relaxed);
            model();
        })
    };
    let _ = thread::spawn(search).join();
    println!("{} {}", executions.load(Relaxed), started.elapsed().as_secs_f64());
}
