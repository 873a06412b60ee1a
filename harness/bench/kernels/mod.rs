//! Thread kernels: small concurrent programs, written from published descriptions of bugs, each with its bug and repaired.
//!
//! Their primitives come from `super::sync`, so the same source runs on refrain, on plain loom and on plain shuttle.

mod buffers;
mod deadlocks;
mod locks;
mod memory;
mod once;
mod order;

use super::sync;
use sync::{
    cell::UnsafeCell,
    thread::{self, JoinHandle},
};

/// A program, with its bug or repaired.
pub type Kernel = fn(repaired: bool);

/// All kernels, by the names in their descriptions.
pub const KERNELS: &[(&str, Kernel)] = &[
    ("account", locks::account),
    ("apache_21287", order::apache_21287),
    ("arc_drop", memory::arc_drop),
    ("arc_get_mut", memory::arc_get_mut),
    ("bluetooth", order::bluetooth),
    ("carter01", deadlocks::carter01),
    ("channel_discard", buffers::channel_discard),
    ("circular_buffer", buffers::circular_buffer),
    ("cve_2009_3547", locks::cve_2009_3547),
    ("cve_2017_15265", locks::cve_2017_15265),
    ("deadlock01", deadlocks::deadlock01),
    ("dekker", memory::dekker),
    ("deque_pop", buffers::deque_pop),
    ("double_checked", once::double_checked),
    ("lazy01", locks::lazy01),
    ("message", memory::message),
    ("ms_queue", buffers::ms_queue),
    ("mysql_3596", order::mysql_3596),
    ("oneshot_close", once::oneshot_close),
    ("pbzip2", order::pbzip2),
    ("peterson", memory::peterson),
    ("philosophers", deadlocks::philosophers),
    ("queue", buffers::queue),
    ("relay", memory::relay),
    ("release_sequence", memory::release_sequence),
    ("reorder_3", order::reorder_3),
    ("reorder_4", order::reorder_4),
    ("reorder_10", order::reorder_10),
    ("reorder_20", order::reorder_20),
    ("seqlock", memory::seqlock),
    ("skipped_update", locks::skipped_update),
    ("spin_once", once::spin_once),
    ("spin_rwlock", memory::spin_rwlock),
    ("spsc_ring", memory::spsc_ring),
    ("stack", buffers::stack),
    ("stringbuffer", locks::stringbuffer),
    ("sync01", deadlocks::sync01),
    ("sync02", locks::sync02),
    ("thread_local_iter", memory::thread_local_iter),
    ("token_ring", order::token_ring),
    ("treiber", buffers::treiber),
    ("twostage", order::twostage),
    ("twostage_20", order::twostage_20),
    ("waker", deadlocks::waker),
    ("wronglock_3", locks::wronglock_3),
    ("wronglock", locks::wronglock),
];

/// Joins all threads.
fn join(threads: impl IntoIterator<Item = JoinHandle<()>>) {
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// Runs `n` threads with the same code to completion.
fn threads(n: usize, does: impl Fn(usize) + Clone + Send + 'static) {
    let spawn = |nth| {
        let does = does.clone();
        thread::spawn(move || does(nth))
    };
    join((0..n).map(spawn).collect::<Vec<_>>());
}

/// Plain memory. Engines that detect data races check its accesses.
struct Plain<T>(UnsafeCell<T>);

// SAFETY: all threads of a kernel are coroutines on one thread, and none is suspended during an access.
unsafe impl<T: Send> Send for Plain<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Plain<T> {}

impl<T: Copy> Plain<T> {
    fn new(value: T) -> Plain<T> {
        Plain(UnsafeCell::new(value))
    }

    #[track_caller]
    fn get(&self) -> T {
        // SAFETY: no other thread runs during the access, as above.
        self.0.with(|value| unsafe { *value })
    }

    #[track_caller]
    fn set(&self, new: T) {
        // SAFETY: no other thread runs during the access, as above.
        self.0.with_mut(|value| unsafe { *value = new });
    }
}
