//! Processes and threads that libc starts: a run has neither. And signals: the guard's own is never blocked.

use super::{
    futex::{after, duration, sleep_until, until, yields},
    guard::{check, is_allowed, is_guarded, own_id},
};
use crate::sim::{kernel, stack};
use libc::{c_char, c_int, clockid_t, pid_t, posix_spawn_file_actions_t, posix_spawnattr_t, sigset_t, timespec};
use refrain_core::verdict::Outside::{Processes, Threads};
use std::{
    ffi::CStr,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fork() -> pid_t {
    if is_guarded() {
        check("fork", Processes, String::new);
    }
    libcs!(fork() -> pid_t)
}

/// # Safety
/// The path is null, or a string that ends with a zero.
unsafe fn check_program(call: &'static str, path: *const c_char) {
    if is_guarded() && !path.is_null() {
        // SAFETY: as above.
        check(call, Processes, || unsafe { CStr::from_ptr(path) }.to_string_lossy().into_owned());
    }
}

/// A function that starts a program.
macro_rules! spawns {
    ($name:ident) => {
        /// # Safety
        /// As libc's.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(
            pid: *mut pid_t,
            path: *const c_char,
            actions: *const posix_spawn_file_actions_t,
            attributes: *const posix_spawnattr_t,
            argv: *const *mut c_char,
            envp: *const *mut c_char,
        ) -> c_int {
            // SAFETY: the caller gives a path.
            unsafe { check_program(stringify!($name), path) };
            libcs!($name(
                pid: *mut pid_t, path: *const c_char, actions: *const posix_spawn_file_actions_t,
                attributes: *const posix_spawnattr_t, argv: *const *mut c_char, envp: *const *mut c_char
            ) -> c_int)
        }
    };
}

spawns!(posix_spawn);
spawns!(posix_spawnp);

/// Where threads may be started, madsim does not report a deadlock: it sleeps until another thread has done something. Nobody else sleeps
/// on a run's thread outside of a task.
fn check_deadlock() {
    if is_guarded() && stack::depth() == 0 && !is_allowed(Threads) {
        (kernel::hooks().deadlocked)();
    }
}

/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanosleep(time: *const timespec, rest: *mut timespec) -> c_int {
    // SAFETY: the caller gives a time.
    if sleep_until(|| after(duration(unsafe { &*time }))) {
        return 0;
    }
    check_deadlock();
    libcs!(nanosleep(time: *const timespec, rest: *mut timespec) -> c_int)
}

/// std sleeps with it.
///
/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_nanosleep(
    clock: clockid_t,
    flags: c_int,
    time: *const timespec,
    rest: *mut timespec,
) -> c_int {
    // SAFETY: the caller gives a time.
    let given = duration(unsafe { &*time });
    let due = || match flags & libc::TIMER_ABSTIME {
        0 => after(given),
        _ => until(given, clock == libc::CLOCK_REALTIME),
    };
    if sleep_until(due) {
        return 0;
    }
    check_deadlock();
    libcs!(clock_nanosleep(clock: clockid_t, flags: c_int, time: *const timespec, rest: *mut timespec) -> c_int)
}

/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sched_yield() -> c_int {
    if yields() { 0 } else { libcs!(sched_yield() -> c_int) }
}

/// The number of the simulated process.
///
/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getpid() -> pid_t {
    match is_guarded().then(own_id).flatten() {
        Some(id) => id as pid_t,
        None => libcs!(getpid() -> pid_t),
    }
}

/// The number of its only thread, which is the same.
///
/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gettid() -> pid_t {
    match is_guarded().then(own_id).flatten() {
        Some(id) => id as pid_t,
        None => libcs!(gettid() -> pid_t),
    }
}

/// A set of signals without the guard's.
///
/// # Safety
/// It is null or a caller's.
unsafe fn without_ours(set: *const sigset_t) -> Option<sigset_t> {
    if !is_guarded() {
        return None;
    }
    // SAFETY: as above.
    let mut set = unsafe { *set.as_ref()? };
    // SAFETY: it is an initialised set.
    unsafe { libc::sigdelset(&mut set, libc::SIGSYS) };
    Some(set)
}

/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_sigmask(how: c_int, set: *const sigset_t, old: *mut sigset_t) -> c_int {
    // SAFETY: the caller gives a set, or null.
    let ours = unsafe { without_ours(set) };
    let set = ours.as_ref().map_or(set, std::ptr::from_ref);
    libcs!(pthread_sigmask(how: c_int, set: *const sigset_t, old: *mut sigset_t) -> c_int)
}

/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sigprocmask(how: c_int, set: *const sigset_t, old: *mut sigset_t) -> c_int {
    // SAFETY: the caller gives a set, or null.
    let ours = unsafe { without_ours(set) };
    let set = ours.as_ref().map_or(set, std::ptr::from_ref);
    libcs!(sigprocmask(how: c_int, set: *const sigset_t, old: *mut sigset_t) -> c_int)
}
