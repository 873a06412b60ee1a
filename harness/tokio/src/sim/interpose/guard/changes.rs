//! Notes system calls that change what the kernel keeps for this process, such as its working folder. A process in which the service has made
//! one is not what it was before the run, and nobody brings that back.

use super::reissue::Call;
use crate::sim::stack;
use libc::{c_int, c_long};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Those that change something whatever their arguments are.
pub(super) const ALWAYS: &[c_long] = &[
    libc::SYS_add_key,
    libc::SYS_capset,
    libc::SYS_chdir,
    libc::SYS_chroot,
    libc::SYS_fchdir,
    libc::SYS_ioprio_set,
    libc::SYS_keyctl,
    libc::SYS_landlock_restrict_self,
    libc::SYS_mlock,
    libc::SYS_mlock2,
    libc::SYS_mlockall,
    libc::SYS_mount,
    libc::SYS_munlock,
    libc::SYS_munlockall,
    libc::SYS_personality,
    libc::SYS_pivot_root,
    libc::SYS_pkey_alloc,
    libc::SYS_pkey_mprotect,
    libc::SYS_request_key,
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_setattr,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setscheduler,
    libc::SYS_seccomp,
    libc::SYS_set_mempolicy,
    libc::SYS_setdomainname,
    libc::SYS_setfsgid,
    libc::SYS_setfsuid,
    libc::SYS_setgid,
    libc::SYS_setgroups,
    libc::SYS_sethostname,
    libc::SYS_setpgid,
    libc::SYS_setpriority,
    libc::SYS_setregid,
    libc::SYS_setresgid,
    libc::SYS_setresuid,
    libc::SYS_setreuid,
    libc::SYS_setrlimit,
    libc::SYS_setsid,
    libc::SYS_setuid,
    libc::SYS_umask,
    libc::SYS_umount2,
];

/// Whether the service has made one.
static CHANGED: AtomicBool = AtomicBool::new(false);

/// Returns whether the service has changed what the kernel keeps for this process, and only a new process is without the change.
pub fn has_changed_process() -> bool {
    CHANGED.load(Relaxed)
}

/// Notes a change, and lets the call pass.
pub(super) fn note(_: &Call) -> Option<isize> {
    CHANGED.store(true, Relaxed);
    None
}

/// With a limit to set.
pub(super) fn prlimit64(call: &Call) -> Option<isize> {
    if call.args[2] == 0 { None } else { note(call) }
}

/// A thread of a simulated process may have a name: it ends with the run.
pub(super) fn prctl(call: &Call) -> Option<isize> {
    let asks = [
        libc::PR_GET_PDEATHSIG,
        libc::PR_GET_DUMPABLE,
        libc::PR_GET_KEEPCAPS,
        libc::PR_GET_TIMING,
        libc::PR_GET_NAME,
        libc::PR_GET_SECCOMP,
        libc::PR_CAPBSET_READ,
        libc::PR_GET_SECUREBITS,
        libc::PR_GET_TIMERSLACK,
        libc::PR_GET_CHILD_SUBREAPER,
        libc::PR_GET_NO_NEW_PRIVS,
        libc::PR_GET_TID_ADDRESS,
        libc::PR_GET_THP_DISABLE,
    ];
    let what = call.args[0] as c_int;
    let names_thread = what == libc::PR_SET_NAME && stack::is_thread();
    if names_thread || asks.contains(&what) { None } else { note(call) }
}
