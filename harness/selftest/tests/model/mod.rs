//! Models: threads that are wrong in known ways, each caught, and threads that are right, in every order.

mod correct;
mod fatal;
mod freed;
mod limits;
mod memory;
mod nondeterminism;
mod partition;
mod refcount;
mod seeded_bugs;
mod smoke;
mod spin;
mod timeline;
mod traces;
mod weak;

use refrain::sync::thread::{self, JoinHandle};

/// Runs `n` threads that do the same, to their end.
fn threads(n: usize, does: impl Fn(usize) + Clone + Send + 'static) {
    let spawn = |nth| {
        let does = does.clone();
        thread::spawn(move || does(nth))
    };
    let threads: Vec<JoinHandle<()>> = (0..n).map(spawn).collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}
