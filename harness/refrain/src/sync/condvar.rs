//! `Condvar`.

mod timed;

use super::{LockResult, MutexGuard, On, alloc, mutex::unpoisoned, on};
use crate::{
    event::step::{self, Operation},
    interleaving::{
        clocks::{self, Through},
        limit,
        log::{self, Number, begin, does_when_chosen, log_effect, log_step},
        pending::Effect,
        seq_cst, spin, stuck,
        waiters::Waiters,
    },
    protocol::EngineLimit,
    verdict::ThreadWait,
};
use std::{
    panic::Location,
    sync::Arc,
    time::{Duration, Instant},
};
use timed::Timed;

/// Like `std::sync::Condvar`.
#[derive(Debug)]
pub struct Condvar {
    raw: On<Arc<Waiters>, Timed, std::sync::Condvar>,
    number: Number,
}

/// Like `std::sync::WaitTimeoutResult`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// See `std`.
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

impl Condvar {
    /// See `std`; but not `const`.
    #[track_caller]
    pub fn new() -> Condvar {
        let raw = on!(Arc::new(Waiters::new()), Timed::new(), std::sync::Condvar::new());
        if let On::Loom(raw) = &raw {
            seq_cst::waits_at(raw);
        }
        let number = log::number("condvar");
        log_effect(Location::caller(), || Operation::Condvar { id: number, what: step::Condvar::New });
        Condvar { raw, number }
    }

    /// See `std`.
    #[track_caller]
    pub fn wait<'a, T>(&self, mut guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let (place, mutex) = (Location::caller(), guard.mutex);
        let _used = alloc::uses(self, Effect::Write, place);
        let begins = || self.step(step::Condvar::WaitBegins { mutex: mutex.number, timed: false });
        let waits = ThreadWait::Notification { condvar: self.number, timed: false };
        let unlocked = || {
            begin(place, waits);
            clocks::release(Through::Mutex(mutex.number));
        };
        let raw = match (&self.raw, guard.raw.take()) {
            (On::Loom(raw), Some(On::Loom(guard))) => {
                begin(place, waits);
                raw.wait(|| {
                    log_effect(place, begins);
                    unlocked();
                    drop(guard);
                });
                mutex.lock_raw()
            }
            (On::Shuttle(raw), Some(On::Shuttle(guard))) => {
                does_when_chosen(place, begins);
                unlocked();
                On::Shuttle(raw.wait(guard))
            }
            (On::Std(raw), Some(On::Std(guard))) => On::Std(unpoisoned(raw.wait(guard))),
            _ => unreachable!("what is made on one engine stays on it"),
        };
        clocks::acquire(Through::Mutex(mutex.number));
        log_effect(place, || self.step(step::Condvar::WaitEnds { mutex: mutex.number, timed_out: None }));
        guard.raw = Some(raw);
        Ok(guard)
    }

    /// See `std`.
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

    /// See `std`. Rejected under loom; under shuttle the timeout elapses as soon as the thread is scheduled, unless a
    /// notification came before.
    #[track_caller]
    pub fn wait_timeout<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        time: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let (place, mutex) = (Location::caller(), guard.mutex);
        let _used = alloc::uses(self, Effect::Write, place);
        let (raw, timed_out) = match (&self.raw, guard.raw.take()) {
            (On::Loom(_), _) => limit(EngineLimit::Time { call: "Condvar::wait_timeout".into() }),
            (On::Shuttle(raw), Some(On::Shuttle(guard))) => {
                begin(place, ThreadWait::Notification { condvar: self.number, timed: true });
                let timed_out = raw.wait_timeout(|| {
                    drop(guard);
                    clocks::release(Through::Mutex(mutex.number));
                    spin::changed();
                    stuck::yields(place);
                    log_step(place, || self.step(step::Condvar::WaitBegins { mutex: mutex.number, timed: true }));
                });
                (mutex.lock_raw(), timed_out)
            }
            (On::Std(raw), Some(On::Std(guard))) => {
                let (guard, result) = unpoisoned(raw.wait_timeout(guard, time));
                (On::Std(guard), result.timed_out())
            }
            _ => unreachable!("what is made on one engine stays on it"),
        };
        clocks::acquire(Through::Mutex(mutex.number));
        let ends = step::Condvar::WaitEnds { mutex: mutex.number, timed_out: Some(timed_out) };
        log_step(place, || self.step(ends));
        guard.raw = Some(raw);
        Ok((guard, WaitTimeoutResult(timed_out)))
    }

    /// See `std`, and for the timeout [`Condvar::wait_timeout`].
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

    /// See `std`. Under loom it wakes the longest waiting thread; under shuttle any thread.
    #[track_caller]
    pub fn notify_one(&self) {
        let place = Location::caller();
        let _used = alloc::uses(self, Effect::Write, place);
        super::each!(&self.raw, raw => raw.notify_one());
        log_effect(place, || self.step(step::Condvar::NotifyOne));
    }

    /// See `std`.
    #[track_caller]
    pub fn notify_all(&self) {
        let place = Location::caller();
        let _used = alloc::uses(self, Effect::Write, place);
        super::each!(&self.raw, raw => raw.notify_all());
        log_effect(place, || self.step(step::Condvar::NotifyAll));
    }

    fn step(&self, what: step::Condvar) -> Operation {
        Operation::Condvar { id: self.number, what }
    }
}

impl Default for Condvar {
    #[track_caller]
    fn default() -> Condvar {
        Condvar::new()
    }
}
