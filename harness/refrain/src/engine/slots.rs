//! One budget of processes for the machine: as many runs at a time as it has cores, whoever starts the tests.
//!
//! libtest, nextest and `cargo refrain` all run tests side by side, and each test has workers. A job is done while its
//! worker holds a slot: a lock on one of a few files that all tests of a user share. The kernel releases a lock when the
//! process that holds it dies, however it dies; a token that was read from a jobserver's pipe would be lost.
//!
//! The budget bounds load and guarantees nothing else. So nobody waits for a slot forever: a process that holds one may
//! be stopped in a debugger.

use rustix::process::geteuid;
use std::{
    cell::Cell,
    env,
    fs::{self, DirBuilder, File},
    io,
    num::NonZeroUsize,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// The address space that a run may take; an allocation past it aborts the run, which then is out of memory.
pub const MEMORY_MAX: u64 = 2 << 30;

/// How long a test waits for a slot before it goes on without.
const WAIT_MAX: Duration = Duration::from_secs(30);
/// How long an additional worker of a test waits before it looks whether there is still work.
const WAIT_ADDITIONAL: Duration = Duration::from_millis(50);
/// How often it is looked whether a slot is free.
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// After so much use a thread lets others go first, for as long as they need to see a free slot.
const USE_MAX: Duration = Duration::from_millis(100);
const YIELD: Duration = Duration::from_millis(5);
/// How long what is known about the machine's memory is good for.
const MEMORY_EVERY: Duration = Duration::from_millis(100);

thread_local! {
    /// How long this thread has used slots since it last let others go first.
    static USED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// The right to do one job.
#[derive(Debug)]
pub struct Slot {
    _lock: Option<File>,
    since: Instant,
}

#[cfg(test)]
impl Slot {
    /// One that belongs to no budget.
    pub fn unbudgeted() -> Slot {
        Slot { _lock: None, since: Instant::now() }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        USED.set(USED.get() + self.since.elapsed());
    }
}

/// A slot for the one worker that a test needs.
pub fn wait() -> Slot {
    let slot = directory().and_then(|directory| free_within(directory, WAIT_MAX));
    slot.unwrap_or(Slot { _lock: None, since: Instant::now() })
}

/// A slot for one of the other workers of a test, if one is free soon.
pub fn wait_a_moment() -> Option<Slot> {
    match directory() {
        Some(directory) => free_within(directory, WAIT_ADDITIONAL),
        None => Some(Slot { _lock: None, since: Instant::now() }),
    }
}

fn free_within(directory: &Path, wait_max: Duration) -> Option<Slot> {
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
        if let Some(lock) = free(directory) {
            return Some(Slot { _lock: Some(lock), since: Instant::now() });
        }
        if started.elapsed() >= wait_max {
            return None;
        }
        // A lock that all who wait share says that somebody waits.
        announced = announced.or_else(|| File::create(&waiting).ok().filter(|file| file.try_lock_shared().is_ok()));
        thread::sleep(LOOK_EVERY);
    }
}

/// A lock on a slot that nobody has. The first one is always there; any other one only where the memory is that a run may
/// take.
fn free(directory: &Path) -> Option<File> {
    let slots = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    (0..slots).take_while(|slot| *slot == 0 || has_memory()).find_map(|slot| {
        let file = File::create(directory.join(format!("slot-{slot}"))).ok()?;
        file.try_lock().is_ok().then_some(file)
    })
}

/// Where the locks are: a directory of this user that nobody else can write to. Without one there is no budget.
fn directory() -> Option<&'static Path> {
    static DIRECTORY: OnceLock<Option<PathBuf>> = OnceLock::new();
    let find = || {
        let runtime = env::var_os("XDG_RUNTIME_DIR").map(|runtime| PathBuf::from(runtime).join("refrain"));
        let temporary = env::temp_dir().join(format!("refrain-{}", geteuid().as_raw()));
        runtime.into_iter().chain([temporary]).find(|directory| is_ours(directory).unwrap_or(false))
    };
    DIRECTORY.get_or_init(find).as_deref()
}

fn is_ours(directory: &Path) -> io::Result<bool> {
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let metadata = fs::symlink_metadata(directory)?;
    Ok(metadata.is_dir() && metadata.uid() == geteuid().as_raw() && metadata.mode() & 0o022 == 0)
}

/// Whether the machine has the memory that one more run may take.
fn has_memory() -> bool {
    static KNOWN: Mutex<Option<(Instant, bool)>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    match *known {
        Some((since, has)) if since.elapsed() < MEMORY_EVERY => has,
        _ => {
            let has = available_memory().is_none_or(|bytes| bytes >= MEMORY_MAX);
            *known = Some((Instant::now(), has));
            has
        }
    }
}

/// What the kernel says is available, on the machine and in the control group of this process.
fn available_memory() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|info| field(&info, "MemAvailable:"));
    [machine.map(|kib| kib << 10), available_in_group()].into_iter().flatten().min()
}

fn available_in_group() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let read = |name: &str| fs::read_to_string(Path::new("/sys/fs/cgroup").join(path).join(name)).ok();
    let max: u64 = read("memory.max")?.trim().parse().ok()?;
    let used: u64 = read("memory.current")?.trim().parse().ok()?;
    // What files have in memory is used, and given back where it is needed.
    let files = read("memory.stat")
        .map_or(0, |stat| ["inactive_file", "active_file"].iter().filter_map(|name| field(&stat, name)).sum());
    Some(max.saturating_sub(used.saturating_sub(files)))
}

/// The number after a name in the kernel's tables.
fn field(table: &str, name: &str) -> Option<u64> {
    let mut words = table.lines().map(str::split_whitespace);
    let mut line = words.find_map(|mut line| (line.next() == Some(name)).then_some(line))?;
    line.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory of its own: this process's other tests share the user's.
    fn fresh(name: &str) -> PathBuf {
        let directory = env::temp_dir().join(format!("refrain-slots-{}-{name}", std::process::id()));
        assert!(is_ours(&directory).unwrap());
        directory
    }

    #[test]
    fn there_are_as_many_slots_as_cores_and_one_that_is_dropped_is_free() {
        let directory = fresh("count");
        let cores = thread::available_parallelism().unwrap().get();
        let mut slots: Vec<_> = std::iter::from_fn(|| free(&directory)).take(cores + 1).collect();
        assert!((1..=cores).contains(&slots.len()), "{}", slots.len());
        assert!(free(&directory).is_none());
        slots.remove(0);
        assert!(free(&directory).is_some());
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn who_waits_gets_the_slot_of_a_thread_that_would_take_it_again_at_once() {
        let directory = fresh("fair");
        let cores = thread::available_parallelism().unwrap().get();
        let done = std::sync::atomic::AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..cores {
                scope.spawn(|| {
                    while !done.load(std::sync::atomic::Ordering::Relaxed) {
                        let _slot = free_within(&directory, WAIT_MAX);
                        thread::sleep(Duration::from_millis(20));
                    }
                });
            }
            thread::sleep(Duration::from_millis(100));
            let waited = Instant::now();
            for _ in 0..3 {
                assert!(free_within(&directory, WAIT_MAX).is_some(), "no slot in {WAIT_MAX:?}");
            }
            done.store(true, std::sync::atomic::Ordering::Relaxed);
            assert!(waited.elapsed() < WAIT_MAX / 2, "{:?}", waited.elapsed());
        });
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn a_directory_that_others_can_write_to_is_not_used() {
        use std::os::unix::fs::PermissionsExt;
        let directory = fresh("others");
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(!is_ours(&directory).unwrap());
        fs::remove_dir(&directory).unwrap();
        std::os::unix::fs::symlink("/", &directory).unwrap();
        assert!(!is_ours(&directory).unwrap());
        fs::remove_file(directory).unwrap();
    }

    #[test]
    fn the_kernels_tables_are_read() {
        assert_eq!(field("MemTotal: 5 kB\nMemAvailable:   7 kB\n", "MemAvailable:"), Some(7));
        assert_eq!(field("MemTotal: 5 kB\n", "MemAvailable:"), None);
        assert!(available_memory().is_some());
    }
}
