//! Runs a model on plain shuttle: `bench-shuttle MODEL EXECUTIONS SEED [SCHEDULER]` prints the number of executions up
//! to the first that fails, the seconds, and how it ended. The default scheduler is the random one.

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

mod sync {
    pub use shuttle::{hint, sync::*, thread};

    /// Plain memory: shuttle has no cell that tracks its accesses.
    pub mod cell {
        pub struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

        impl<T> UnsafeCell<T> {
            pub fn new(value: T) -> UnsafeCell<T> {
                UnsafeCell(std::cell::UnsafeCell::new(value))
            }

            pub fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
                f(self.0.get())
            }

            pub fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
                f(self.0.get())
            }
        }
    }
}
#[path = "../../kernels/mod.rs"]
mod kernels;

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let number = |nth: usize| args.get(nth).and_then(|arg| arg.parse::<u64>().ok());
    let model = args.first().and_then(|name| model(name));
    let (Some(model), Some(executions), Some(seed)) = (model, number(1), number(2)) else { usage() };
    let executions = executions as usize;
    let scheduler: Box<dyn Scheduler + Send> = match args.get(3).map_or("random", String::as_str) {
        "random" => Box::new(RandomScheduler::new_from_seed(seed, executions)),
        "pct-2" => Box::new(PctScheduler::new_from_seed(seed, 2, executions)),
        "pct-3" => Box::new(PctScheduler::new_from_seed(seed, 3, executions)),
        "walk" => Box::new(UrwRandomScheduler::new_from_seed(seed, executions)),
        _ => usage(),
    };
    let made = Arc::new(AtomicU64::new(0));
    let count = made.clone();
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    config.silence_warnings = true;
    let started = Instant::now();
    let ends = move |how: &str| {
        println!("{} {} {how}", made.load(Relaxed), started.elapsed().as_secs_f64());
        process::exit(0)
    };
    let fails = ends.clone();
    // The first panic ends the process: what unwinds could panic again.
    panic::set_hook(Box::new(move |_| fails("failed")));
    // On a separate thread, as `cargo test` runs a test.
    let search = move || {
        Runner::new(scheduler, config).run(move || {
            count.fetch_add(1, Relaxed);
            model();
        })
    };
    let _ = thread::spawn(search).join();
    ends("passed")
}

fn model(name: &str) -> Option<Box<dyn Fn() + Send + Sync>> {
    if let Some(model) = on_shuttle::by_name(name) {
        return Some(Box::new(model));
    }
    let (_, kernel) = kernels::KERNELS.iter().find(|(other, _)| *other == name)?;
    Some(Box::new(move || kernel(false)))
}

fn usage() -> ! {
    eprintln!("usage: bench-shuttle MODEL EXECUTIONS SEED [random|pct-2|pct-3|walk]");
    process::exit(2)
}
