//! `Condvar`.

use super::{LockResult, MutexGuard, On, loom, mutex::unpoisoned, on, shuttle};
use crate::interleaving::{
    cannot,
    log::{self, Number, begin, did},
    seq_cst::{self, Through},
};
use std::{
    panic::Location,
    sync::Arc,
    time::{Duration, Instant},
};

/// As `std::sync::Condvar`.
#[derive(Debug)]
pub struct Condvar {
    raw: On<Arc<loom::sync::Condvar>, shuttle::sync::Condvar, std::sync::Condvar>,
    number: Number,
}

/// As `std::sync::WaitTimeoutResult`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// As in `std`.
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

impl Condvar {
    /// As in `std`, but not `const`.
    #[track_caller]
    pub fn new() -> Condvar {
        let raw = on!(Arc::default(), shuttle::sync::Condvar::new(), std::sync::Condvar::new());
        if let On::Loom(raw) = &raw {
            seq_cst::waits_at(raw);
        }
        let number = log::number("condvar");
        did(Location::caller(), || format!("condvar{number} = Condvar::new"));
        Condvar { raw, number }
    }

    /// As in `std`.
    #[track_caller]
    pub fn wait<'a, T>(&self, mut guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let (place, number) = (Location::caller(), self.number);
        did(place, || format!("condvar{number}.wait() begins: mutex{} unlocked", guard.mutex.number));
        begin(place, || format!("condvar{number}.wait()"));
        seq_cst::release(Through::Mutex(guard.mutex.number));
        let raw = match (&self.raw, guard.raw.take()) {
            (On::Loom(raw), Some(On::Loom(guard))) => On::Loom(unpoisoned(raw.wait(guard))),
            (On::Shuttle(raw), Some(On::Shuttle(guard))) => On::Shuttle(unpoisoned(raw.wait(guard))),
            (On::Std(raw), Some(On::Std(guard))) => On::Std(unpoisoned(raw.wait(guard))),
            _ => unreachable!("what is made on one engine stays on it"),
        };
        seq_cst::acquire(Through::Mutex(guard.mutex.number));
        did(place, || format!("condvar{number}.wait() ends: mutex{} locked", guard.mutex.number));
        guard.raw = Some(raw);
        Ok(guard)
    }

    /// As in `std`.
    #[track_caller]
    pub fn wait_while<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<MutexGuard<'a, T>> {
        while condition(&mut guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// As in `std`. Under loom it is refused; under shuttle the time is over as soon as others had their turn.
    #[track_caller]
    pub fn wait_timeout<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        time: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let (place, number) = (Location::caller(), self.number);
        did(place, || format!("condvar{number}.wait_timeout() begins: mutex{} unlocked", guard.mutex.number));
        begin(place, || format!("condvar{number}.wait_timeout()"));
        let (raw, timed_out) = match (&self.raw, guard.raw.take()) {
            (On::Loom(_), _) => cannot("it models no time, and the model calls Condvar::wait_timeout"),
            (On::Shuttle(_), Some(On::Shuttle(raw))) => {
                drop(raw);
                shuttle::thread::yield_now();
                (guard.mutex.lock_raw(), true)
            }
            (On::Std(raw), Some(On::Std(guard))) => {
                let (guard, result) = unpoisoned(raw.wait_timeout(guard, time));
                (On::Std(guard), result.timed_out())
            }
            _ => unreachable!("what is made on one engine stays on it"),
        };
        did(place, || format!("condvar{number}.wait_timeout() ends, out of time: {timed_out}"));
        guard.raw = Some(raw);
        Ok((guard, WaitTimeoutResult(timed_out)))
    }

    /// As in `std`; its time as that of [`Condvar::wait_timeout`].
    #[track_caller]
    pub fn wait_timeout_while<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        time: Duration,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let began = Instant::now();
        let mut is_late = false;
        while condition(&mut guard) {
            if is_late {
                return Ok((guard, WaitTimeoutResult(true)));
            }
            let (again, result) = self.wait_timeout(guard, time.saturating_sub(began.elapsed()))?;
            (guard, is_late) = (again, result.timed_out());
        }
        Ok((guard, WaitTimeoutResult(false)))
    }

    /// As in `std`. Under loom it wakes who waits longest; under shuttle, anybody.
    #[track_caller]
    pub fn notify_one(&self) {
        super::each!(&self.raw, raw => raw.notify_one());
        did(Location::caller(), || format!("condvar{}.notify_one()", self.number));
    }

    /// As in `std`.
    #[track_caller]
    pub fn notify_all(&self) {
        super::each!(&self.raw, raw => raw.notify_all());
        did(Location::caller(), || format!("condvar{}.notify_all()", self.number));
    }
}

impl Default for Condvar {
    #[track_caller]
    fn default() -> Condvar {
        Condvar::new()
    }
}
