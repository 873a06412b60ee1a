//! A machine-wide limit on concurrent runs, one per core, shared by all tests of a user.
//!
//! libtest, nextest and `cargo refrain` all run tests in parallel, and each test has several workers. A worker holds a
//! slot while it executes a job: a lock on one of a few files. The kernel releases a lock when its process dies for any
//! reason, whereas a token read from a jobserver's pipe would be lost.
//!
//! Slots only bound the load. Nothing waits for one forever, since a process that holds one may be stopped, by Ctrl-Z or in a
//! debugger.

mod holders;
mod memory;
mod patience;

pub use patience::{pause_with, tell_waits};

use super::own_folder::make_own;
use memory::has_memory;
use patience::Patience;
use rustix::process::geteuid;
use std::{
    cell::Cell,
    env,
    fs::File,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

/// How long an additional worker waits before it checks whether there is still work.
const WAIT_ADDITIONAL: Duration = Duration::from_millis(50);
/// The polling interval for a free slot.
const POLL_INTERVAL: Duration = Duration::from_millis(2);
/// After this much use a thread yields to waiting threads, for long enough to let them take a slot.
const USE_MAX: Duration = Duration::from_millis(100);
const YIELD: Duration = Duration::from_millis(5);

thread_local! {
    /// How long this thread has held slots since it last yielded.
    static USED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Permission to execute one job.
#[derive(Debug)]
pub struct Slot {
    _lock: Option<File>,
    since: Instant,
}

#[cfg(test)]
impl Slot {
    /// Creates a slot that does not count against the limit.
    pub fn unbudgeted() -> Slot {
        Slot { _lock: None, since: Instant::now() }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        USED.set(USED.get() + self.since.elapsed());
    }
}

/// Waits for a slot for a test's first worker, whose runs may use this much memory. After a time limit it returns one that holds no
/// lock, and so it does at once from then on, until one is free again.
pub fn wait(memory_max: u64) -> Slot {
    static PATIENCE: Patience = Patience::new();
    patience::pause();
    let slot = directory().and_then(|directory| PATIENCE.wait(directory, slots(), memory_max, patience::tell));
    slot.unwrap_or(Slot { _lock: None, since: Instant::now() })
}

/// Waits briefly for a slot for an additional worker.
pub fn wait_briefly(memory_max: u64) -> Option<Slot> {
    patience::pause();
    match directory() {
        Some(directory) => free_within(directory, slots(), memory_max, WAIT_ADDITIONAL),
        None => Some(Slot { _lock: None, since: Instant::now() }),
    }
}

fn free_within(directory: &Path, slots: usize, memory_max: u64, wait_max: Duration) -> Option<Slot> {
    let waiting = directory.join("waiting");
    if USED.get() >= USE_MAX {
        USED.set(Duration::ZERO);
        let others_wait = File::create(&waiting).is_ok_and(|file| file.try_lock().is_err());
        if others_wait {
            thread::sleep(YIELD);
        }
    }
    let mut announced = None;
    let started = Instant::now();
    loop {
        if let Some(lock) = free(directory, slots, || has_memory(memory_max)) {
            return Some(Slot { _lock: Some(lock), since: Instant::now() });
        }
        if started.elapsed() >= wait_max {
            return None;
        }
        // A shared lock tells slot holders that somebody is waiting.
        announced = announced.or_else(|| File::create(&waiting).ok().filter(|file| file.try_lock_shared().is_ok()));
        thread::sleep(POLL_INTERVAL);
    }
}

/// How many slots there are: one per core.
fn slots() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// The file of a slot.
fn file(directory: &Path, slot: usize) -> PathBuf {
    directory.join(format!("slot-{slot}"))
}

/// Locks a free slot. The first one is always usable; the others only if the machine has the memory for another run.
fn free(directory: &Path, slots: usize, has_memory: impl Fn() -> bool) -> Option<File> {
    (0..slots).take_while(|slot| *slot == 0 || has_memory()).find_map(|slot| {
        // Who holds it has written into it.
        let file = File::options().write(true).create(true).truncate(false).open(file(directory, slot)).ok()?;
        file.try_lock().ok()?;
        holders::sign(&file);
        Some(file)
    })
}

/// Returns the directory of the lock files, which only this user may write to. Without one there is no limit.
fn directory() -> Option<&'static Path> {
    static DIRECTORY: OnceLock<Option<PathBuf>> = OnceLock::new();
    let find = || {
        let runtime = env::var_os("XDG_RUNTIME_DIR").map(|runtime| PathBuf::from(runtime).join("refrain"));
        let temporary = env::temp_dir().join(format!("refrain-{}", geteuid().as_raw()));
        runtime.into_iter().chain([temporary]).find(|directory| make_own(directory).unwrap_or(false))
    };
    DIRECTORY.get_or_init(find).as_deref()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    pub const MEMORY: u64 = 2 << 30;

    /// Creates a separate directory: this process's other tests share the user's.
    pub fn fresh(name: &str) -> PathBuf {
        let directory = env::temp_dir().join(format!("refrain-slots-{}-{name}", std::process::id()));
        assert!(make_own(&directory).unwrap());
        directory
    }

    #[test]
    fn there_are_as_many_slots_as_cores_and_one_that_is_dropped_is_free() {
        let directory = fresh("count");
        let free = || super::free(&directory, slots(), || has_memory(MEMORY));
        let mut taken: Vec<_> = std::iter::from_fn(free).take(slots() + 1).collect();
        assert!((1..=slots()).contains(&taken.len()), "{}", taken.len());
        assert!(free().is_none());
        taken.remove(0);
        assert!(free().is_some());
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn who_waits_gets_the_slot_of_a_thread_that_would_take_it_again_at_once() {
        let directory = fresh("fair");
        const WAIT_MAX: Duration = Duration::from_secs(30);
        let done = std::sync::atomic::AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..slots() {
                scope.spawn(|| {
                    while !done.load(std::sync::atomic::Ordering::Relaxed) {
                        let _slot = free_within(&directory, slots(), MEMORY, WAIT_MAX);
                        thread::sleep(Duration::from_millis(20));
                    }
                });
            }
            thread::sleep(Duration::from_millis(100));
            let waited = Instant::now();
            for _ in 0..3 {
                assert!(free_within(&directory, slots(), MEMORY, WAIT_MAX).is_some(), "no slot in {WAIT_MAX:?}");
            }
            done.store(true, std::sync::atomic::Ordering::Relaxed);
            assert!(waited.elapsed() < WAIT_MAX / 2, "{:?}", waited.elapsed());
        });
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn who_has_a_slot_has_signed_it() {
        let directory = fresh("signed");
        fs::write(file(&directory, 0), "12345678901234567890").unwrap();
        let _taken = free(&directory, 1, || true).unwrap();
        let holders = holders::all(&directory, 2);
        assert_eq!(holders.iter().map(|holder| holder.process).collect::<Vec<_>>(), [std::process::id()]);
        assert!(!holders[0].is_stopped);
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn without_the_memory_for_another_run_there_is_one_slot() {
        let directory = fresh("memory");
        let first = free(&directory, 4, || false);
        assert!(first.is_some());
        assert!(free(&directory, 4, || false).is_none());
        let second = free(&directory, 4, || true);
        assert!(second.is_some());
        // Whoever is done gives the first one to the next.
        drop(first);
        assert!(free(&directory, 4, || false).is_some());
        drop(second);
        fs::remove_dir_all(directory).unwrap();
    }
}
