//! Answers to system calls that depend on the plan and on nothing else.

use super::{
    changes, check, is_allowed,
    reissue::{Call, reissue},
};
use crate::sim::{interpose::read_address, kernel, section::unguarded};
use libc::{c_int, c_long, c_void, clockid_t, sockaddr, timespec, timeval};
use refrain_core::verdict::Outside::{Files, Network, Processes};
use std::{ffi::CStr, mem, ptr, slice};

/// The parent of each process.
pub(super) const PARENT: isize = 1;
/// The first process of each host has this number, apart from the next host's.
const IDS_OF_A_HOST: usize = 1000;
/// The memory of a simulated host.
const MEMORY_BYTES: u64 = 4 << 30;

/// A result of libc's as one of the kernel's.
fn result(of_libc: c_int) -> Option<isize> {
    // SAFETY: this thread's own.
    Some(if of_libc < 0 { -unsafe { *libc::__errno_location() } as isize } else { of_libc as isize })
}

/// The number of the process of the current task, and of its only thread.
pub(crate) fn own_id() -> Option<isize> {
    if is_allowed(Processes) {
        return None;
    }
    kernel::peek(|k| {
        let task = &k.tasks[kernel::current_task()];
        ((task.host + 1) * IDS_OF_A_HOST + task.incarnation as usize % IDS_OF_A_HOST) as isize
    })
}

/// What `to` addresses is on the machine's network: its text, if it is not a Unix socket.
///
/// # Safety
/// As `connect` of libc.
unsafe fn of_network(to: usize, len: usize) -> Option<String> {
    if to == 0 {
        return None;
    }
    // SAFETY: the caller gives an address of this length.
    let addr = unsafe { read_address(to as *const sockaddr, len as u32) };
    addr.map(|addr| addr.to_string())
}

/// Whether an address is that of a cache which libc asks first for users and names.
///
/// # Safety
/// As `connect` of libc.
unsafe fn is_name_service(to: usize, len: usize) -> bool {
    const PATH: &[u8] = b"/var/run/nscd/";
    let begins = mem::offset_of!(libc::sockaddr_un, sun_path);
    // SAFETY: the caller gives an address of this length.
    len > begins + PATH.len() && unsafe { slice::from_raw_parts((to + begins) as *const u8, PATH.len()) } == PATH
}

/// What `interpose` knows does not come here.
pub(super) fn connect(call: &Call) -> Option<isize> {
    // SAFETY: the arguments are those of `connect`.
    let to = unsafe { of_network(call.args[1], call.args[2]) };
    if to.is_none() && unsafe { is_name_service(call.args[1], call.args[2]) } {
        return Some(-libc::ENOENT as isize);
    }
    check("connect", Network, || to.unwrap_or_else(|| "a Unix socket".to_owned()));
    None
}

pub(super) fn bind(call: &Call) -> Option<isize> {
    // SAFETY: the arguments are those of `bind`.
    if let Some(at) = unsafe { of_network(call.args[1], call.args[2]) } {
        check("bind", Network, || at);
    }
    None
}

pub(super) fn sendto(call: &Call) -> Option<isize> {
    // SAFETY: the arguments are those of `sendto`.
    if let Some(to) = unsafe { of_network(call.args[4], call.args[5]) } {
        check("sendto", Network, || to);
    }
    None
}

pub(super) fn sendmsg(call: &Call) -> Option<isize> {
    // SAFETY: the arguments are those of `sendmsg`.
    unsafe { check_message("sendmsg", call.args[1] as *const libc::msghdr) };
    None
}

pub(super) fn sendmmsg(call: &Call) -> Option<isize> {
    // SAFETY: the arguments are those of `sendmmsg`; all messages are of one socket, and the first tells.
    unsafe { check_message("sendmmsg", call.args[1] as *const libc::msghdr) };
    None
}

/// # Safety
/// The pointer is null or one to a message.
unsafe fn check_message(name: &'static str, message: *const libc::msghdr) {
    // SAFETY: as above.
    if let Some(message) = unsafe { message.as_ref() }
        && let Some(to) = unsafe { of_network(message.msg_name as usize, message.msg_namelen as usize) }
    {
        check(name, Network, || to);
    }
}

/// Sockets of these families are made to set options on them. Others tell about the machine, or reach it.
pub(super) fn socket(call: &Call) -> Option<isize> {
    let family = call.args[0] as c_int;
    if ![libc::AF_UNIX, libc::AF_INET, libc::AF_INET6].contains(&family) {
        check("socket", Network, || format!("a socket of family {family}"));
    }
    None
}

pub(super) fn execve(call: &Call) -> Option<isize> {
    let path = call.args[0] as *const libc::c_char;
    // SAFETY: it is null, or a string that ends with a zero.
    check("execve", Processes, || match path.is_null() {
        true => String::new(),
        false => unsafe { CStr::from_ptr(path) }.to_string_lossy().into_owned(),
    });
    None
}

/// The number of this process in the machine.
fn machines_id(number: c_long) -> isize {
    reissue(Call { number, args: [0; 6] })
}

/// A signal to the process itself passes.
pub(super) fn kill(call: &Call) -> Option<isize> {
    let (pid, own) = (call.args[0] as c_int as isize, machines_id(libc::SYS_getpid));
    if Some(pid) != own_id() && ![0, own].contains(&pid) {
        check("kill", Processes, || format!("process {pid}"));
        return None;
    }
    // It may stay pending.
    changes::note(call);
    let args = [own as usize, call.args[1], 0, 0, 0, 0];
    Some(reissue(Call { number: libc::SYS_kill, args }))
}

pub(super) fn tkill(call: &Call) -> Option<isize> {
    signal_thread(call, "tkill", call.args[0] as c_int as isize, call.args[1])
}

pub(super) fn tgkill(call: &Call) -> Option<isize> {
    signal_thread(call, "tgkill", call.args[1] as c_int as isize, call.args[2])
}

fn signal_thread(call: &Call, name: &'static str, thread: isize, signal: usize) -> Option<isize> {
    let own = machines_id(libc::SYS_gettid);
    if Some(thread) != own_id() && thread != own {
        check(name, Processes, || format!("thread {thread}"));
        return None;
    }
    changes::note(call);
    let args = [machines_id(libc::SYS_getpid) as usize, own as usize, signal, 0, 0, 0];
    Some(reissue(Call { number: libc::SYS_tgkill, args }))
}

/// madsim defines libc's function.
pub(super) fn getrandom(call: &Call) -> Option<isize> {
    let [bytes, len, ..] = call.args;
    // SAFETY: the arguments are those of `getrandom`.
    unguarded(|| result(unsafe { libc::getrandom(bytes as *mut c_void, len, 0) } as c_int))
}

/// A number by chance.
#[cfg(target_arch = "x86_64")]
pub(super) fn chance_number() -> u64 {
    let mut number = [0u8; 8];
    getrandom(&Call { number: libc::SYS_getrandom, args: [number.as_mut_ptr() as usize, number.len(), 0, 0, 0, 0] });
    u64::from_ne_bytes(number)
}

/// Nanoseconds since the run began.
#[cfg(target_arch = "x86_64")]
pub(super) fn virtual_ns() -> u64 {
    let now = now(libc::CLOCK_MONOTONIC);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// The clocks that stand for time. Those that count what a process or a thread has computed go with them.
fn now(clock: clockid_t) -> timespec {
    let clock = match clock {
        libc::CLOCK_REALTIME | libc::CLOCK_REALTIME_COARSE | libc::CLOCK_TAI | libc::CLOCK_REALTIME_ALARM => {
            libc::CLOCK_REALTIME
        }
        _ => libc::CLOCK_MONOTONIC,
    };
    let mut now = timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: madsim defines libc's function, which writes the time of a simulation.
    unguarded(|| unsafe { libc::clock_gettime(clock, &mut now) });
    now
}

pub(super) fn clock_gettime(call: &Call) -> Option<isize> {
    let into = call.args[1] as *mut timespec;
    if into.is_null() {
        return Some(-libc::EFAULT as isize);
    }
    // SAFETY: the caller gives room for the time.
    unsafe { into.write(now(call.args[0] as clockid_t)) };
    Some(0)
}

pub(super) fn gettimeofday(call: &Call) -> Option<isize> {
    let into = call.args[0] as *mut timeval;
    let now = now(libc::CLOCK_REALTIME);
    if !into.is_null() {
        // SAFETY: the caller gives room for the time.
        unsafe { into.write(timeval { tv_sec: now.tv_sec, tv_usec: now.tv_nsec / 1000 }) };
    }
    Some(0)
}

#[cfg(target_arch = "x86_64")]
pub(super) fn time(call: &Call) -> Option<isize> {
    let (into, now) = (call.args[0] as *mut libc::time_t, now(libc::CLOCK_REALTIME).tv_sec);
    if !into.is_null() {
        // SAFETY: the caller gives room for the time.
        unsafe { into.write(now) };
    }
    Some(now as isize)
}

/// A host has its name, and one kernel.
pub(super) fn uname(call: &Call) -> Option<isize> {
    let into = call.args[0] as *mut libc::utsname;
    if into.is_null() {
        return Some(-libc::EFAULT as isize);
    }
    // SAFETY: of integers zeros are values.
    let mut names: libc::utsname = unsafe { mem::zeroed() };
    let name = kernel::peek(|k| k.hosts[k.tasks[kernel::current_task()].host].name.clone()).unwrap_or_default();
    let name = if name.is_empty() { "test" } else { &name };
    for (field, text) in [
        (&mut names.sysname, "Linux"),
        (&mut names.nodename, name),
        (&mut names.release, "6.1.0"),
        (&mut names.version, "#1"),
        (&mut names.machine, std::env::consts::ARCH),
        (&mut names.domainname, "(none)"),
    ] {
        let room = field.len() - 1;
        field.iter_mut().take(room).zip(text.bytes()).for_each(|(to, from)| *to = from as libc::c_char);
    }
    // SAFETY: the caller gives room for the names.
    unsafe { into.write(names) };
    Some(0)
}

/// Each host was booted when the run began, and has memory that nobody uses.
pub(super) fn sysinfo(call: &Call) -> Option<isize> {
    let into = call.args[0] as *mut libc::sysinfo;
    if into.is_null() {
        return Some(-libc::EFAULT as isize);
    }
    // SAFETY: of integers zeros are values.
    let mut info: libc::sysinfo = unsafe { mem::zeroed() };
    info.uptime = now(libc::CLOCK_MONOTONIC).tv_sec;
    (info.totalram, info.freeram, info.procs, info.mem_unit) = (MEMORY_BYTES, MEMORY_BYTES, 1, 1);
    // SAFETY: the caller gives room for it.
    unsafe { into.write(info) };
    Some(0)
}

/// A host has one processor, as madsim tells libc.
pub(super) fn sched_getaffinity(call: &Call) -> Option<isize> {
    let [_, len, set, ..] = call.args;
    if len < size_of::<u64>() {
        return Some(-libc::EINVAL as isize);
    }
    // SAFETY: the caller gives room for so many bytes.
    unsafe { ptr::write_unaligned(set as *mut u64, 1) };
    Some(size_of::<u64>() as isize)
}

/// An open file that yields chance, in the place of `/dev/urandom`. It ends, unlike that one.
pub(super) fn chance() -> Option<isize> {
    const BYTES: usize = 256 << 10;
    let mut bytes = vec![0u8; BYTES];
    unguarded(|| {
        // SAFETY: the buffer has so many bytes, the name ends with a zero, and nobody else has the descriptor yet.
        unsafe {
            libc::getrandom(bytes.as_mut_ptr().cast(), BYTES, 0);
            let fd = libc::memfd_create(c"urandom".as_ptr(), libc::MFD_CLOEXEC);
            if fd >= 0 {
                libc::write(fd, bytes.as_ptr().cast(), BYTES);
                libc::lseek(fd, 0, libc::SEEK_SET);
            }
            result(fd)
        }
    })
}

/// Ends the run for a file of the machine, unless the test allows it.
pub(super) fn check_file(name: &'static str, path: &[u8]) {
    check(name, Files, || String::from_utf8_lossy(path).into_owned());
}
