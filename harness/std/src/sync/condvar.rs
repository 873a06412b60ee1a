//! `Condvar`.

use super::mutex::MutexGuard;
use crate::{
    model::{self, Model},
    parking::{self, Outcome},
};
use std::{
    panic::Location,
    sync::{LockResult, PoisonError},
    time::{Duration, Instant},
};

/// Like `std::sync::Condvar`.
#[derive(Debug, Default)]
pub struct Condvar(std::sync::Condvar);

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
    /// See `std`.
    pub const fn new() -> Condvar {
        Condvar(std::sync::Condvar::new())
    }

    fn key(&self) -> usize {
        (&raw const *self).addr()
    }

    /// See `std`.
    ///
    /// # Errors
    /// See `std`.
    #[track_caller]
    pub fn wait<'a, T>(&self, mut guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        if let Some(model) = model::current() {
            return self.wait_in(model, guard, false).map(|(guard, _)| guard).map_err(first);
        }
        let Some(value) = guard.value.take() else { return Ok(guard) };
        match self.0.wait(value) {
            Ok(value) => Ok(with(guard, value)),
            Err(poisoned) => Err(PoisonError::new(with(guard, poisoned.into_inner()))),
        }
    }

    /// Waits in a model.
    #[track_caller]
    fn wait_in<'a, T>(
        &self,
        model: &dyn Model,
        guard: MutexGuard<'a, T>,
        is_timed: bool,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let (mutex, place) = (guard.mutex, Location::caller());
        let outcome = parking::park((model, place), self.key(), || true, || drop(guard), |_, _| {}, 0, is_timed);
        let result = WaitTimeoutResult(outcome == Outcome::TimedOut);
        match mutex.lock_at(place) {
            Ok(guard) => Ok((guard, result)),
            Err(poisoned) => Err(PoisonError::new((poisoned.into_inner(), result))),
        }
    }

    /// See `std`.
    ///
    /// # Errors
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

    /// See `std`. Rejected under the exhaustive engine.
    ///
    /// # Errors
    /// See `std`.
    #[track_caller]
    pub fn wait_timeout<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        time: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        if let Some(model) = model::current() {
            return self.wait_in(model, guard, true);
        }
        let Some(value) = guard.value.take() else { return Ok((guard, WaitTimeoutResult(false))) };
        match self.0.wait_timeout(value, time) {
            Ok((value, result)) => Ok((with(guard, value), WaitTimeoutResult(result.timed_out()))),
            Err(poisoned) => {
                let (value, result) = poisoned.into_inner();
                Err(PoisonError::new((with(guard, value), WaitTimeoutResult(result.timed_out()))))
            }
        }
    }

    /// See `std`, and for the timeout [`Condvar::wait_timeout`].
    ///
    /// # Errors
    /// See `std`.
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

    /// See `std`.
    #[track_caller]
    pub fn notify_one(&self) {
        match model::current() {
            Some(model) => drop(parking::unpark_one((model, Location::caller()), self.key(), |_| 0)),
            None => self.0.notify_one(),
        }
    }

    /// See `std`.
    #[track_caller]
    pub fn notify_all(&self) {
        match model::current() {
            Some(model) => drop(parking::unpark_all((model, Location::caller()), self.key(), 0)),
            None => self.0.notify_all(),
        }
    }
}

fn with<'a, T>(mut guard: MutexGuard<'a, T>, value: std::sync::MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    guard.value = Some(value);
    guard
}

fn first<A, B>(poisoned: PoisonError<(A, B)>) -> PoisonError<A> {
    PoisonError::new(poisoned.into_inner().0)
}
