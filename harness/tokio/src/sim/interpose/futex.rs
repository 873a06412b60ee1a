//! Waits at an address in memory, which locks, condition variables, channels and `park` are made of. They suspend the task or the thread
//! that waits, in virtual time, and others go on.

use super::{guard, path::call_path, preempt, threads};
use crate::sim::{
    kernel::{self, CallPlace, Timer, Wait, clock},
    section::unguarded,
    stack, time,
};
use libc::{c_int, timespec};
use std::{
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    task::{Context, Waker},
    time::{Duration, UNIX_EPOCH},
};

/// Answers the system call `futex`; with `None` it is to be made.
pub(super) fn futex(args: [usize; 6]) -> Option<isize> {
    const OPTIONS: c_int = libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME;
    if !threads::are_simulated() {
        return None;
    }
    let [at, operation, value, timeout, _, bits] = args;
    let (operation, bits) = (operation as c_int, bits as u32);
    let realtime = operation & libc::FUTEX_CLOCK_REALTIME != 0;
    // SAFETY: it is null or a time, as the kernel would read it.
    let timeout = unsafe { (timeout as *const timespec).as_ref() };
    match operation & !OPTIONS {
        libc::FUTEX_WAIT => Some(wait(at, value as u32, u32::MAX, timeout.map(|time| after(duration(time))))),
        libc::FUTEX_WAIT_BITSET => {
            Some(wait(at, value as u32, bits, timeout.map(|time| until(duration(time), realtime))))
        }
        libc::FUTEX_WAKE => Some(wake(at, value, u32::MAX)),
        libc::FUTEX_WAKE_BITSET => Some(wake(at, value, bits)),
        _ => Some(-libc::ENOSYS as isize),
    }
}

pub(super) fn duration(time: &timespec) -> Duration {
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec as u32)
}

/// The time of the run after a duration.
pub(super) fn after(duration: Duration) -> u64 {
    now().saturating_add(kernel::ns(duration)).min(kernel::FAR_NS)
}

/// The time of the run at a reading of a clock.
pub(super) fn until(reading: Duration, realtime: bool) -> u64 {
    if !realtime {
        return clock::at(reading).min(kernel::FAR_NS);
    }
    let today = time::handle().now_time().duration_since(UNIX_EPOCH).unwrap_or_default();
    after(reading.saturating_sub(today))
}

fn now() -> u64 {
    clock::now(&time::handle())
}

fn wait(at: usize, expected: u32, bits: u32, due: Option<u64>) -> isize {
    // SAFETY: the address is one of an integer, as the kernel would read it.
    let value = unsafe { AtomicU32::from_ptr(at as *mut u32) };
    if value.load(SeqCst) != expected {
        return -libc::EAGAIN as isize;
    }
    let Some(waker) = waker() else { guard::refuse_to_wait("futex") };
    let id = kernel::with(|k| k.futex_waits(at, bits, waker.clone()));
    let place = kernel::peek(|k| k.is_recorded()).unwrap_or(false).then(place);
    let mut timer = due.map(|due| (due, Timer::default()));
    while kernel::with(|k| k.futex_is_waiting(at, id)) {
        kernel::with(|k| k.wait(Wait::Woken(place)));
        if let Some((due, timer)) = &mut timer
            && !sleeps(timer, *due, &waker)
        {
            kernel::with(|k| k.futex_gives_up(at, id));
            return -libc::ETIMEDOUT as isize;
        }
        stack::block();
    }
    0
}

/// The line of the service that waits.
fn place() -> &'static CallPlace {
    let path = call_path();
    unguarded(|| (kernel::hooks().place_of_calls)(path))
}

fn wake(at: usize, most: usize, bits: u32) -> isize {
    let woken = kernel::with_if_free(|k| k.futex_wakes(at, most, bits)).unwrap_or(0) as isize;
    preempt::point();
    woken
}

/// The waker of the task that may be suspended here.
fn waker() -> Option<Waker> {
    stack::waker().filter(|_| kernel::is_free())
}

/// Whether a time has not come.
fn sleeps(timer: &mut Timer, due: u64, waker: &Waker) -> bool {
    let sleeps = timer.poll(&time::handle(), due, &mut Context::from_waker(waker)).is_pending();
    if sleeps {
        kernel::with(|k| k.wait(Wait::Until(due)));
    }
    sleeps
}

/// Suspends the current task until a time of the run. `false`: it cannot be suspended here, or must not block for so long: then it sleeps,
/// and the worker notices.
pub(super) fn sleep_until(due: impl FnOnce() -> u64) -> bool {
    let Some(waker) = threads::are_simulated().then(waker).flatten() else { return false };
    let due = due();
    if !stack::may_block() && kernel::peek(|k| due > k.now.saturating_add(k.settings.poll_max)).unwrap_or(true) {
        return false;
    }
    let mut timer = Timer::default();
    while sleeps(&mut timer, due, &waker) {
        stack::block();
    }
    true
}

/// Lets others go first. `false`: the current task cannot be suspended here.
pub(super) fn yields() -> bool {
    let Some(waker) = threads::are_simulated().then(waker).flatten() else { return false };
    waker.wake_by_ref();
    stack::block();
    true
}
