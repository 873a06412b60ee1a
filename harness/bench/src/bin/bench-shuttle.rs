//! A model on plain shuttle: `bench-shuttle MODEL EXECUTIONS SEED` prints how many executions its random scheduler made, up
//! to the first that fails, and the seconds.

use shuttle::{Config, FailurePersistence, Runner, scheduler::RandomScheduler};
use std::{
    env, panic,
    panic::AssertUnwindSafe,
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

refrain_bench::models!(on_shuttle, use shuttle::{sync, thread};);

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let number = |nth: usize| args.get(nth).and_then(|arg| arg.parse::<u64>().ok());
    let model = args.first().and_then(|name| on_shuttle::by_name(name));
    let (Some(model), Some(executions), Some(seed)) = (model, number(1), number(2)) else {
        eprintln!("usage: bench-shuttle MODEL EXECUTIONS SEED");
        process::exit(2)
    };
    panic::set_hook(Box::new(|_| {}));
    let made = Arc::new(AtomicU64::new(0));
    let count = made.clone();
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    config.silence_warnings = true;
    let started = Instant::now();
    let _ = panic::catch_unwind(AssertUnwindSafe(|| {
        let scheduler = RandomScheduler::new_from_seed(seed, executions as usize);
        Runner::new(scheduler, config).run(move || {
            count.fetch_add(1, Relaxed);
            model();
        })
    }));
    println!("{} {}", made.load(Relaxed), started.elapsed().as_secs_f64());
}
