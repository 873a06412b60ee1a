//! Decides when a process runs without a slot, and when it pauses. It waits for a slot until a timeout, once: a stopped process does not
//! release its slot. It pauses while its reports are not read.

use super::{Slot, free_within, holders};
use crate::{protocol::SlotWait, report};
use std::{
    io::{self, Write},
    path::Path,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

/// How long to wait before the next look at who holds the slots. Where it is stopped processes alone, the first look ends the wait.
const LOOKS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(4), Duration::from_secs(25)];

/// Receives what a test waits for.
type Tell = Box<dyn Fn(&SlotWait) + Send + Sync>;

static TELL: OnceLock<Tell> = OnceLock::new();

/// Passes on what this process waits for. Without this it is printed to standard error.
pub fn tell_waits(tell: impl Fn(&SlotWait) + Send + Sync + 'static) {
    let _ = TELL.set(Box::new(tell));
}

/// Tells it past libtest, which keeps what a test prints until that has ended.
pub(super) fn tell(wait: &SlotWait) {
    match TELL.get() {
        Some(tell) => tell(wait),
        None => drop(writeln!(io::stderr(), "{}", report::slot_wait(wait))),
    }
}

/// Returns when this process is to go on.
type Pause = Box<dyn Fn() + Send + Sync>;

static PAUSE: OnceLock<Pause> = OnceLock::new();

/// Calls this before each slot is taken: while it does not return, this process holds none for long.
pub fn pause_with(pause: impl Fn() + Send + Sync + 'static) {
    let _ = PAUSE.set(Box::new(pause));
}

pub(super) fn pause() {
    if let Some(pause) = PAUSE.get() {
        pause();
    }
}

/// What this process has waited for.
#[derive(Debug, Default)]
pub(super) struct Patience {
    /// Whether the last wait timed out.
    is_over: AtomicBool,
    /// Whether a wait was told.
    was_told: AtomicBool,
}

impl Patience {
    pub const fn new() -> Patience {
        Patience { is_over: AtomicBool::new(false), was_told: AtomicBool::new(false) }
    }

    /// Returns whether the last wait timed out.
    #[cfg(test)]
    pub fn is_over(&self) -> bool {
        self.is_over.load(Relaxed)
    }

    /// Waits for a slot. Returns `None` after the timeout, and from then on immediately, until a slot is free again.
    pub fn wait(&self, directory: &Path, slots: usize, memory_max: u64, tell: impl Fn(&SlotWait)) -> Option<Slot> {
        let slot = match self.is_over.load(Relaxed) {
            true => free_within(directory, slots, memory_max, Duration::ZERO),
            false => self.wait_once(directory, slots, memory_max, tell),
        };
        self.is_over.store(slot.is_none(), Relaxed);
        slot
    }

    fn wait_once(&self, directory: &Path, slots: usize, memory_max: u64, tell: impl Fn(&SlotWait)) -> Option<Slot> {
        let mut looks = LOOKS.into_iter();
        while let Some(wait) = looks.next() {
            if let Some(slot) = free_within(directory, slots, memory_max, wait) {
                return Some(slot);
            }
            let holders = holders::all(directory, slots);
            let is_vain = !holders.is_empty() && holders.iter().all(|holder| holder.is_stopped);
            let left = if is_vain { Duration::ZERO } else { looks.as_slice().iter().sum() };
            let is_known = wait != LOOKS[0] || holders.iter().any(|holder| holder.is_stopped);
            if is_known && !self.was_told.swap(true, Relaxed) {
                tell(&SlotWait { holders, goes_on_after_s: left.as_secs() });
            }
            if is_vain {
                break;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::slots::{
            file, free,
            tests::{MEMORY, fresh},
        },
        protocol::SlotHolder,
    };
    use rustix::process::{Pid, Signal, kill_process};
    use std::{
        fs,
        process::{Child, Command},
        sync::Mutex,
        thread,
        time::Instant,
    };

    /// A process that does nothing. It ends with this.
    struct Process(Child);

    impl Process {
        fn start() -> Process {
            Process(Command::new("sleep").arg("1000").spawn().unwrap())
        }

        /// Stops it, or lets it go on.
        fn send(&self, signal: Signal) {
            let process = Pid::from_child(&self.0);
            kill_process(process, signal).unwrap();
            let is_stopped = || {
                let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap();
                stat.contains(") T ")
            };
            while is_stopped() != (signal == Signal::STOP) {
                thread::yield_now();
            }
        }
    }

    impl Drop for Process {
        fn drop(&mut self) {
            self.0.kill().and_then(|()| self.0.wait()).unwrap();
        }
    }

    /// A wait for the one slot, which another process has: how long it takes, and what it tells.
    fn waits(patience: &Patience, directory: &Path) -> (bool, Duration, Vec<SlotWait>) {
        let (started, told) = (Instant::now(), Mutex::new(vec![]));
        let slot = patience.wait(directory, 1, MEMORY, |wait| told.lock().unwrap().push(wait.clone()));
        (slot.is_some(), started.elapsed(), told.into_inner().unwrap())
    }

    #[test]
    fn a_slot_of_a_stopped_process_is_waited_for_once_and_told() {
        const ONCE: Duration = Duration::from_secs(15);
        const AT_ONCE: Duration = Duration::from_millis(500);
        let (directory, process) = (fresh("stopped"), Process::start());
        let taken = free(&directory, 1, || true).unwrap();
        fs::write(file(&directory, 0), process.0.id().to_string()).unwrap();
        process.send(Signal::STOP);
        let patience = Patience::new();
        let (has_one, took, told) = waits(&patience, &directory);
        let holder = SlotHolder { process: process.0.id(), name: "sleep".into(), is_stopped: true };
        assert_eq!((has_one, told), (false, vec![SlotWait { holders: vec![holder], goes_on_after_s: 0 }]));
        assert!(took < ONCE, "{took:?}");
        // Each job after that goes on at once, and tells nothing.
        let (has_one, took, told) = waits(&patience, &directory);
        assert_eq!((has_one, told), (false, vec![]));
        assert!(took < AT_ONCE, "{took:?}");
        // Once a slot is free it is taken, and waited for again.
        drop(taken);
        assert!(waits(&patience, &directory).0);
        assert!(!patience.is_over());
        fs::remove_dir_all(directory).unwrap();
    }
}
