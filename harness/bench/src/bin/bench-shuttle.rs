//! Runs a model on plain shuttle: `bench-shuttle MODEL EXECUTIONS SEED [SCHEDULER]` prints the number of executions up
//! to the first that fails, and the seconds. The default scheduler is the random one.

use shuttle::{
    Config, FailurePersistence, Runner,
    scheduler::{PctScheduler, RandomScheduler, Scheduler, UrwRandomScheduler},
};
use std::{
    env, panic, process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::Instant,
};

refrain_bench::models!(on_shuttle, use shuttle::{sync, thread};);

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let number = |nth: usize| args.get(nth).and_then(|arg| arg.parse::<u64>().ok());
    let model = args.first().and_then(|name| on_shuttle::by_name(name));
    let (Some(model), Some(executions), Some(seed)) = (model, number(1), number(2)) else { usage() };
    let executions = executions as usize;
    let scheduler: Box<dyn Scheduler + Send> = match args.get(3).map_or("random", String::as_str) {
        "random" => Box::new(RandomScheduler::new_from_seed(seed, executions)),
        "pct-2" => Box::new(PctScheduler::new_from_seed(seed, 2, executions)),
        "pct-3" => Box::new(PctScheduler::new_from_seed(seed, 3, executions)),
        "walk" => Box::new(UrwRandomScheduler::new_from_seed(seed, executions)),
        _ => usage(),
    };
    panic::set_hook(Box::new(|_| {}));
    let made = Arc::new(AtomicU64::new(0));
    let count = made.clone();
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    config.silence_warnings = true;
    let started = Instant::now();
    // On a separate thread, as `cargo test` runs a test.
    let search = move || {
        Runner::new(scheduler, config).run(move || {
            count.fetch_add(1, Relaxed);
            model();
        })
    };
    let _ = thread::spawn(search).join();
    println!("{} {}", made.load(Relaxed), started.elapsed().as_secs_f64());
}

fn usage() -> ! {
    eprintln!("usage: bench-shuttle MODEL EXECUTIONS SEED [random|pct-2|pct-3|walk]");
    process::exit(2)
}
