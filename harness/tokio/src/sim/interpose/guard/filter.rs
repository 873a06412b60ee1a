//! The seccomp filter of a run: the system calls of its thread that the kernel hands to [`super::handler`].
//!
//! The kernel evaluates a filter once for each number of a system call when it is installed, and remembers those that are always
//! allowed: these cost nothing. So the number is looked at first, by binary search.

use libc::{c_long, c_ulong, sock_filter, sock_fprog};
use std::{io, mem::offset_of, ops::Range, ptr};

/// What happens to a system call. All others are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// The handler gets it, unless the handler itself makes it.
    Handled,
    /// The same, unless libc makes it.
    HandledUnlessLibcs,
    /// The same, unless it is a `clone` with the flags of libc's `fork` or `pthread_create`.
    HandledUnlessLibcsClone,
    /// It does not exist, so that libc uses an older one with arguments that a filter can see.
    Missing,
}

#[cfg(target_arch = "x86_64")]
const ARCH: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCH: u32 = 0xc000_00b7;
/// Numbers from here on belong to another calling convention of x86-64.
const OTHER_CONVENTION: u32 = 0x4000_0000;

/// The flags with which libc's `fork` calls `clone`.
const FORK: u32 = (libc::CLONE_CHILD_CLEARTID | libc::CLONE_CHILD_SETTID | libc::SIGCHLD) as u32;

/// The target of a jump, resolved once the length of the search is known.
#[derive(Debug, Clone, Copy)]
enum Target {
    At(usize),
    Allow,
    To(Fate),
    Trap,
}

/// A comparison and where it leads.
struct Jump {
    code: u32,
    value: u32,
    yes: Target,
    no: Target,
}

/// Returns the program that gives these system calls their fates. The one whose instruction ends at `exempt` is allowed; `libcs` is where
/// libc's instructions are.
pub(super) fn program(calls: &[(c_long, Fate)], exempt: u64, libcs: Range<u64>) -> Vec<sock_filter> {
    let mut calls: Vec<(u32, Fate)> = calls.iter().map(|(number, fate)| (*number as u32, *fate)).collect();
    calls.sort_unstable_by_key(|(number, _)| *number);
    let mut search = vec![Jump { code: libc::BPF_JGE, value: OTHER_CONVENTION, yes: Target::Trap, no: Target::At(1) }];
    push_search(&mut search, &calls);

    const PROLOGUE: usize = 3;
    let clone = PROLOGUE + search.len();
    let (unless_libcs, handled) = (clone + 3, clone + 8);
    let (trap, allow, missing) = (handled + 4, handled + 5, handled + 6);
    let index = |target: Target| match target {
        Target::At(nth) => PROLOGUE + nth,
        Target::Allow => allow,
        Target::To(Fate::Handled) => handled,
        Target::To(Fate::HandledUnlessLibcs) => unless_libcs,
        Target::To(Fate::HandledUnlessLibcsClone) => clone,
        Target::To(Fate::Missing) => missing,
        Target::Trap => trap,
    };
    let jump = |at: usize, code: u32, value: u32, yes: usize, no: usize| {
        let distance = |to: usize| u8::try_from(to - at - 1).expect("the program is short");
        sock_filter { code: (libc::BPF_JMP | code | libc::BPF_K) as u16, jt: distance(yes), jf: distance(no), k: value }
    };
    let words = |address: u64| [address as u32, (address >> 32) as u32];
    let ([low, high], [first, highs], [end, _]) = (words(exempt), words(libcs.start), words(libcs.end));
    let pointer = offset_of!(libc::seccomp_data, instruction_pointer);
    let mut program = vec![
        load(offset_of!(libc::seccomp_data, arch)),
        jump(1, libc::BPF_JEQ, ARCH, 2, trap),
        load(offset_of!(libc::seccomp_data, nr)),
    ];
    program.extend(
        search
            .iter()
            .enumerate()
            .map(|(nth, Jump { code, value, yes, no })| jump(PROLOGUE + nth, *code, *value, index(*yes), index(*no))),
    );
    program.extend([
        load(offset_of!(libc::seccomp_data, args)),
        jump(clone + 1, libc::BPF_JSET, libc::CLONE_THREAD as u32, allow, clone + 2),
        jump(clone + 2, libc::BPF_JEQ, FORK, allow, trap),
        load(pointer + 4),
        jump(unless_libcs + 1, libc::BPF_JEQ, highs, unless_libcs + 2, handled),
        load(pointer),
        jump(unless_libcs + 3, libc::BPF_JGE, first, unless_libcs + 4, handled),
        jump(unless_libcs + 4, libc::BPF_JGE, end, handled, allow),
        load(pointer),
        jump(handled + 1, libc::BPF_JEQ, low, handled + 2, trap),
        load(pointer + 4),
        jump(handled + 3, libc::BPF_JEQ, high, allow, trap),
        answer(libc::SECCOMP_RET_TRAP),
        answer(libc::SECCOMP_RET_ALLOW),
        answer(libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32),
    ]);
    program
}

/// A binary search for the number of the system call.
fn push_search(search: &mut Vec<Jump>, calls: &[(u32, Fate)]) {
    match calls {
        [] => {}
        [(number, fate)] => {
            let (yes, no) = (Target::To(*fate), Target::Allow);
            search.push(Jump { code: libc::BPF_JEQ, value: *number, yes, no });
        }
        _ => {
            let (lower, upper) = calls.split_at(calls.len() / 2);
            let at = search.len();
            let next = Target::At(at + 1);
            search.push(Jump { code: libc::BPF_JGE, value: upper[0].0, yes: next, no: next });
            push_search(search, lower);
            search[at].yes = Target::At(search.len());
            push_search(search, upper);
        }
    }
}

/// Loads a word of the `seccomp_data`.
fn load(offset: usize) -> sock_filter {
    sock_filter { code: (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16, jt: 0, jf: 0, k: offset as u32 }
}

fn answer(value: u32) -> sock_filter {
    sock_filter { code: (libc::BPF_RET | libc::BPF_K) as u16, jt: 0, jf: 0, k: value }
}

/// Whether the kernel has filters, and lets this process install one.
pub fn is_available() -> bool {
    let action = libc::SECCOMP_RET_TRAP;
    // SAFETY: it reads the action, and installs nothing.
    unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_ACTION_AVAIL, 0, &raw const action) == 0 }
}

/// Installs a filter for this thread, and for those that it starts.
pub(super) fn install(program: &mut [sock_filter]) -> io::Result<()> {
    let program = sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    let done = |result: c_long| if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) };
    // SAFETY: the call has no pointers.
    done(c_long::from(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }))?;
    // Otherwise older kernels disable speculation for a process with a filter, which slows everything that it does. A service is trusted.
    let flags: c_ulong = libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    // SAFETY: the program is valid during the call, and the kernel copies it.
    done(unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, ptr::from_ref(&program)) })
}
