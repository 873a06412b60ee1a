//! The system calls that do not reach the kernel from within a run, and what happens to each.

use super::{FUTEX, answers, changes, check, files, filter::Fate, reissue::Call, temporary, watched};
use libc::c_long;
use refrain_core::verdict::Outside::{self, Processes, SystemCalls};

/// What happens to a system call.
enum Does {
    /// It ends the run, unless the test allows this.
    Refuse(Outside),
    /// This function answers it, or lets it pass with `None`.
    Answer(fn(&Call) -> Option<isize>),
    /// The same, except for those of libc, which makes some while signals are blocked.
    AnswerUnlessLibcs(fn(&Call) -> Option<isize>),
    /// It ends the run, except for a `clone` with the arguments of libc's `fork` and `pthread_create`, which `interpose` catches.
    RefuseUnlessLibcs,
    /// There is no such system call. libc then uses an older one, whose arguments a filter can see.
    Missing,
}

type Row = (c_long, &'static str, Does);

use Does::{Answer, AnswerUnlessLibcs, Missing, Refuse, RefuseUnlessLibcs};

const CALLS: &[Row] = &[
    (libc::SYS_connect, "connect", Answer(answers::connect)),
    (libc::SYS_bind, "bind", Answer(answers::bind)),
    (libc::SYS_sendto, "sendto", Answer(answers::sendto)),
    (libc::SYS_sendmsg, "sendmsg", Answer(answers::sendmsg)),
    (libc::SYS_sendmmsg, "sendmmsg", Answer(answers::sendmmsg)),
    (libc::SYS_socket, "socket", Answer(answers::socket)),
    (libc::SYS_futex, "futex", Answer(|call| FUTEX.get()?(call.args))),
    (libc::SYS_clone, "clone", RefuseUnlessLibcs),
    (libc::SYS_clone3, "clone3", Missing),
    (libc::SYS_execve, "execve", Answer(answers::execve)),
    (libc::SYS_execveat, "execveat", Refuse(Processes)),
    (libc::SYS_kill, "kill", Answer(answers::kill)),
    (libc::SYS_tkill, "tkill", AnswerUnlessLibcs(answers::tkill)),
    (libc::SYS_tgkill, "tgkill", AnswerUnlessLibcs(answers::tgkill)),
    (libc::SYS_rt_sigqueueinfo, "rt_sigqueueinfo", Refuse(Processes)),
    (libc::SYS_rt_tgsigqueueinfo, "rt_tgsigqueueinfo", Refuse(Processes)),
    (libc::SYS_pidfd_send_signal, "pidfd_send_signal", Refuse(Processes)),
    (libc::SYS_ptrace, "ptrace", Refuse(Processes)),
    (libc::SYS_process_vm_readv, "process_vm_readv", Refuse(Processes)),
    (libc::SYS_process_vm_writev, "process_vm_writev", Refuse(Processes)),
    (libc::SYS_unshare, "unshare", Refuse(Processes)),
    (libc::SYS_setns, "setns", Refuse(Processes)),
    (libc::SYS_io_uring_setup, "io_uring_setup", Refuse(SystemCalls)),
    (libc::SYS_bpf, "bpf", Refuse(SystemCalls)),
    (libc::SYS_perf_event_open, "perf_event_open", Refuse(SystemCalls)),
    (libc::SYS_userfaultfd, "userfaultfd", Refuse(SystemCalls)),
    (libc::SYS_fanotify_init, "fanotify_init", Refuse(SystemCalls)),
    (libc::SYS_shmget, "shmget", Refuse(SystemCalls)),
    (libc::SYS_semget, "semget", Refuse(SystemCalls)),
    (libc::SYS_msgget, "msgget", Refuse(SystemCalls)),
    (libc::SYS_mq_open, "mq_open", Refuse(SystemCalls)),
    (libc::SYS_timerfd_create, "timerfd_create", Refuse(SystemCalls)),
    (libc::SYS_timer_create, "timer_create", Refuse(SystemCalls)),
    (libc::SYS_setitimer, "setitimer", Refuse(SystemCalls)),
    (libc::SYS_clock_settime, "clock_settime", Refuse(SystemCalls)),
    (libc::SYS_getrandom, "getrandom", Answer(answers::getrandom)),
    (libc::SYS_clock_gettime, "clock_gettime", Answer(answers::clock_gettime)),
    (libc::SYS_gettimeofday, "gettimeofday", Answer(answers::gettimeofday)),
    (libc::SYS_getpid, "getpid", AnswerUnlessLibcs(|_| answers::own_id())),
    (libc::SYS_gettid, "gettid", AnswerUnlessLibcs(|_| answers::own_id())),
    (libc::SYS_getppid, "getppid", AnswerUnlessLibcs(|_| Some(answers::PARENT))),
    (libc::SYS_uname, "uname", Answer(answers::uname)),
    (libc::SYS_sysinfo, "sysinfo", Answer(answers::sysinfo)),
    (libc::SYS_sched_getaffinity, "sched_getaffinity", Answer(answers::sched_getaffinity)),
    (libc::SYS_openat, "openat", Answer(|call| files::open("openat", call.args[0] as i32, call.args[1]))),
    (libc::SYS_openat2, "openat2", Answer(|call| files::open("openat2", call.args[0] as i32, call.args[1]))),
    (libc::SYS_readlinkat, "readlinkat", Answer(|call| temporary::link(call, 2))),
    (libc::SYS_getcwd, "getcwd", Answer(temporary::getcwd)),
    (libc::SYS_prctl, "prctl", Answer(changes::prctl)),
    (libc::SYS_prlimit64, "prlimit64", Answer(changes::prlimit64)),
];

/// Those that newer architectures do not have.
#[cfg(target_arch = "x86_64")]
const OLD_CALLS: &[Row] = &[
    (libc::SYS_fork, "fork", Refuse(Processes)),
    (libc::SYS_vfork, "vfork", Refuse(Processes)),
    (libc::SYS_alarm, "alarm", Refuse(SystemCalls)),
    (libc::SYS_arch_prctl, "arch_prctl", Answer(changes::note)),
    (libc::SYS_time, "time", Answer(answers::time)),
    (libc::SYS_open, "open", Answer(|call| files::open("open", libc::AT_FDCWD, call.args[0]))),
    (libc::SYS_creat, "creat", Answer(|call| files::open("creat", libc::AT_FDCWD, call.args[0]))),
    (libc::SYS_readlink, "readlink", Answer(|call| temporary::link(call, 1))),
];
#[cfg(not(target_arch = "x86_64"))]
const OLD_CALLS: &[Row] = &[];

/// What the filter does with each.
pub(super) fn fates() -> Vec<(c_long, Fate)> {
    let fate = |does: &Does| match does {
        Refuse(_) | Answer(_) => Fate::Handled,
        AnswerUnlessLibcs(_) => Fate::HandledUnlessLibcs,
        RefuseUnlessLibcs => Fate::HandledUnlessLibcsClone,
        Missing => Fate::Missing,
    };
    let named = CALLS.iter().chain(OLD_CALLS).map(|(number, _, does)| (*number, fate(does)));
    named.chain(changes::ALWAYS.iter().map(|number| (*number, Fate::Handled))).collect()
}

/// Answers a system call; with `None` it is to be made.
pub(super) fn answer(call: &Call) -> Option<isize> {
    let row = CALLS.iter().chain(OLD_CALLS).find(|(number, ..)| *number == call.number);
    let Some((_, name, does)) = row else {
        if changes::ALWAYS.contains(&call.number) {
            return changes::note(call);
        }
        if watched::contains(call.number) {
            return None;
        }
        // Of a calling convention of 32 bits.
        check("a system call of 32 bits", SystemCalls, || call.number.to_string());
        return Some(-libc::ENOSYS as isize);
    };
    match does {
        Answer(answer) | AnswerUnlessLibcs(answer) => return answer(call),
        Refuse(outside) => check(name, *outside, String::new),
        RefuseUnlessLibcs => check(name, Processes, String::new),
        Missing => {}
    }
    None
}
