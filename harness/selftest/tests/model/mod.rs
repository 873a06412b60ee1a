//! Models: threads with known bugs, each of which is caught, and correct threads, in every interleaving.

mod boxed;
mod correct;
mod counted;
mod dependencies;
mod fatal;
mod foreign;
mod freed;
mod limits;
mod memory;
mod nondeterminism;
mod partition;
mod refcount;
mod seeded_bugs;
mod smoke;
mod spin;
mod stuck;
mod timeline;
mod traces;
mod weak;

use refrain::sync::thread::{self, JoinHandle};

/// Runs `n` threads with the same code to completion.
fn threads(n: usize, does: impl Fn(usize) + Clone + Send + 'static) {
    let spawn = |nth| {
        let does = does.clone();
        thread::spawn(move || does(nth))
    };
    let threads: Vec<JoinHandle<()>> = (0..n).map(spawn).collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}
