//! How much memory is available for another run, on the machine and in the control group of this process.

use std::{
    fs,
    path::Path,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long a measurement of the available memory is cached.
const MEMORY_EVERY: Duration = Duration::from_millis(100);

/// Returns whether the machine has the memory that one more run may use.
pub(super) fn has_memory(memory_max: u64) -> bool {
    static KNOWN: Mutex<Option<(Instant, Option<u64>)>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let available = match *known {
        Some((since, available)) if since.elapsed() < MEMORY_EVERY => available,
        _ => {
            let available = available_memory(&|path| fs::read_to_string(path).ok());
            *known = Some((Instant::now(), available));
            available
        }
    };
    available.is_none_or(|bytes| bytes >= memory_max)
}

/// Reads one of the kernel's tables.
type ReadTable<'a> = &'a dyn Fn(&Path) -> Option<String>;

/// Returns whether the tables report enough memory for another run. Without tables there is enough.
#[cfg(test)]
fn has_memory_in(read: ReadTable<'_>) -> bool {
    available_memory(read).is_none_or(|bytes| bytes >= tests::MEMORY)
}

/// What the kernel says is available, on the machine and in the control group of this process.
fn available_memory(read: ReadTable<'_>) -> Option<u64> {
    let machine = read("/proc/meminfo".as_ref()).and_then(|info| field(&info, "MemAvailable:"));
    [machine.map(|kib| kib << 10), available_in_group(read)].into_iter().flatten().min()
}

fn available_in_group(read: ReadTable<'_>) -> Option<u64> {
    let groups = read("/proc/self/cgroup".as_ref())?;
    let path = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let read = |name: &str| read(&Path::new("/sys/fs/cgroup").join(path).join(name));
    let max: u64 = read("memory.max")?.trim().parse().ok()?;
    let used: u64 = read("memory.current")?.trim().parse().ok()?;
    // The page cache counts as used but is reclaimed on demand.
    let files = read("memory.stat")
        .map_or(0, |stat| ["inactive_file", "active_file"].iter().filter_map(|name| field(&stat, name)).sum());
    Some(max.saturating_sub(used.saturating_sub(files)))
}

/// Returns the number after a name in a table of the kernel.
fn field(table: &str, name: &str) -> Option<u64> {
    let mut words = table.lines().map(str::split_whitespace);
    let mut line = words.find_map(|mut line| (line.next() == Some(name)).then_some(line))?;
    line.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    pub use crate::engine::slots::tests::MEMORY;

    /// Whether a machine, and a control group on it if there is one, have memory: what is available, the group's limit, what it
    /// uses, and how much of that is files.
    fn has_memory_with(available_mib: u64, group_mib: Option<(&str, u64, u64)>) -> bool {
        has_memory_in(&|path| {
            Some(match (path.to_str()?, group_mib) {
                ("/proc/meminfo", _) => format!("MemTotal: 99999999 kB\nMemAvailable: {} kB\n", available_mib << 10),
                ("/proc/self/cgroup", Some(_)) => "0::/ci/job\n".into(),
                ("/sys/fs/cgroup/ci/job/memory.max", Some(("max", ..))) => "max\n".into(),
                ("/sys/fs/cgroup/ci/job/memory.max", Some((max, ..))) => {
                    format!("{}\n", max.parse::<u64>().ok()? << 20)
                }
                ("/sys/fs/cgroup/ci/job/memory.current", Some((_, used, _))) => format!("{}\n", used << 20),
                ("/sys/fs/cgroup/ci/job/memory.stat", Some((.., files))) => {
                    format!("anon 7\ninactive_file {}\nactive_file {}\n", files << 19, files << 19)
                }
                _ => return None,
            })
        })
    }

    #[test]
    fn a_run_may_take_what_the_machine_and_its_group_have() {
        let most = MEMORY >> 20;
        assert!(has_memory_with(most, None));
        assert!(!has_memory_with(most - 1, None));
        assert!(has_memory_with(most, Some(("max", 9_000, 0))));
        assert!(!has_memory_with(most - 1, Some(("max", 0, 0))));
        let limit = (most + 1_000).to_string();
        assert!(has_memory_with(9_000, Some((&limit, 1_000, 0))));
        assert!(!has_memory_with(9_000, Some((&limit, 1_001, 0))));
        // What files take is given back where it is needed.
        assert!(has_memory_with(9_000, Some((&limit, 1_500, 500))));
        assert!(!has_memory_with(9_000, Some((&limit, 1_501, 500))));
        assert!(has_memory_in(&|_| None));
    }

    #[test]
    fn the_kernels_tables_are_read() {
        assert_eq!(field("MemTotal: 5 kB\nMemAvailable:   7 kB\n", "MemAvailable:"), Some(7));
        assert_eq!(field("MemTotal: 5 kB\n", "MemAvailable:"), None);
        assert!(available_memory(&|path| fs::read_to_string(path).ok()).is_some());
    }
}
