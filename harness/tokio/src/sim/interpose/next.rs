//! What madsim's functions of libc answer on a thread of a simulated process.
//!
//! madsim defines the clocks, chance and the number of processors for the whole program. Outside of its runtime, which such a thread is,
//! they call the next definition, which they ask `dlsym` for. So `dlsym` says that it is here.

use super::preempt;
use crate::sim::{kernel, stack, time};
use libc::{c_char, c_int, c_long, c_void, clockid_t, cpu_set_t, pid_t, timespec, timeval};
use std::{
    cell::Cell,
    ffi::CStr,
    ptr, slice,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::{Duration, UNIX_EPOCH},
};

/// A definition of this file, for a function that madsim defines.
fn own(name: &CStr) -> Option<*mut c_void> {
    Some(match name.to_bytes() {
        b"clock_gettime" => clock_gettime as *mut c_void,
        b"gettimeofday" => gettimeofday as *mut c_void,
        b"getrandom" => getrandom as *mut c_void,
        b"sched_getaffinity" => sched_getaffinity as *mut c_void,
        b"sysconf" => sysconf as *mut c_void,
        b"gethostname" => gethostname as *mut c_void,
        _ => return None,
    })
}

/// As libc's, but for what madsim asks for.
///
/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void {
    // SAFETY: the caller gives a name.
    let own = || own(unsafe { CStr::from_ptr(name) });
    let own = if handle == libc::RTLD_NEXT && !name.is_null() { own() } else { None };
    // SAFETY: as the caller says.
    own.unwrap_or_else(|| unsafe { of_libc(handle, name) })
}

unsafe extern "C" {
    fn dlvsym(handle: *mut c_void, name: *const c_char, version: *const c_char) -> *mut c_void;
}

/// Asks libc itself.
///
/// # Safety
/// As `dlsym`.
pub(super) unsafe fn of_libc(handle: *mut c_void, name: *const c_char) -> *mut c_void {
    /// Those of glibc 2.34, and of the first ones on x86-64 and aarch64.
    const VERSIONS: [&CStr; 3] = [c"GLIBC_2.34", c"GLIBC_2.2.5", c"GLIBC_2.17"];
    static AT: AtomicUsize = AtomicUsize::new(0);
    let mut at = AT.load(Relaxed);
    if at == 0 {
        // SAFETY: the names end with zeros.
        let of = |version: &&CStr| unsafe { dlvsym(libc::RTLD_NEXT, c"dlsym".as_ptr(), version.as_ptr()) } as usize;
        at = VERSIONS.iter().map(of).find(|at| *at != 0).expect("libc has dlsym");
        AT.store(at, Relaxed);
    }
    // SAFETY: it is libc's function of this name.
    let dlsym =
        unsafe { std::mem::transmute::<usize, unsafe extern "C" fn(*mut c_void, *const c_char) -> *mut c_void>(at) };
    // SAFETY: as the caller says.
    unsafe { dlsym(handle, name) }
}

/// The time of the run by a clock of the wall, or by the others.
fn now(is_wall: bool) -> Duration {
    let time = time::handle();
    match is_wall {
        true => time.now_time().duration_since(UNIX_EPOCH).unwrap_or_default(),
        false => time.elapsed(),
    }
}

unsafe extern "C" fn clock_gettime(clock: clockid_t, to: *mut timespec) -> c_int {
    if !stack::is_thread() {
        return libcs!(clock_gettime(clock: clockid_t, to: *mut timespec) -> c_int);
    }
    preempt::point();
    let now = now([libc::CLOCK_REALTIME, libc::CLOCK_REALTIME_COARSE].contains(&clock));
    // SAFETY: the caller gives room for a time.
    unsafe { to.write(timespec { tv_sec: now.as_secs() as _, tv_nsec: now.subsec_nanos().into() }) };
    0
}

unsafe extern "C" fn gettimeofday(to: *mut timeval, zone: *mut c_void) -> c_int {
    if !stack::is_thread() {
        return libcs!(gettimeofday(to: *mut timeval, zone: *mut c_void) -> c_int);
    }
    let now = now(true);
    // SAFETY: the caller gives room for a time.
    unsafe { to.write(timeval { tv_sec: now.as_secs() as _, tv_usec: now.subsec_micros().into() }) };
    0
}

unsafe extern "C" fn getrandom(to: *mut c_void, len: usize, flags: u32) -> isize {
    if !stack::is_thread() {
        return libcs!(getrandom(to: *mut c_void, len: usize, flags: u32) -> isize);
    }
    preempt::point();
    // A stream of its own: a thread that asks for chance moves nobody else's.
    thread_local!(static ASKED: Cell<u64> = const { Cell::new(0) });
    // SAFETY: the caller gives room for so much.
    let to = unsafe { slice::from_raw_parts_mut(to.cast::<u8>(), len) };
    for bytes in to.chunks_mut(8) {
        let chance = kernel::thread_chance(ASKED.replace(ASKED.get() + 1)).to_ne_bytes();
        bytes.copy_from_slice(&chance[..bytes.len()]);
    }
    len as isize
}

/// A simulated host has one processor.
unsafe extern "C" fn sched_getaffinity(pid: pid_t, size: usize, set: *mut cpu_set_t) -> c_int {
    if !stack::is_thread() {
        return libcs!(sched_getaffinity(pid: pid_t, size: usize, set: *mut cpu_set_t) -> c_int);
    }
    // SAFETY: the caller gives room for so much.
    unsafe {
        ptr::write_bytes(set.cast::<u8>(), 0, size);
        libc::CPU_SET(0, &mut *set);
    }
    0
}

unsafe extern "C" fn sysconf(name: c_int) -> c_long {
    if stack::is_thread() && name == libc::_SC_NPROCESSORS_ONLN {
        return 1;
    }
    libcs!(sysconf(name: c_int) -> c_long)
}

unsafe extern "C" fn gethostname(name: *mut c_char, size: usize) -> c_int {
    if !stack::is_thread() {
        return libcs!(gethostname(name: *mut c_char, size: usize) -> c_int);
    }
    // madsim knows the name.
    stack::on_simulation(|| unsafe { libc::gethostname(name, size) })
}

/// What the linker must take from here.
pub(super) fn symbol() -> *const () {
    dlsym as *const ()
}
