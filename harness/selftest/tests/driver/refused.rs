//! Processes to which the kernel refuses a system call, as an older one or that of a container does.
#![allow(unsafe_code)]

use nix::libc;
use std::{io, mem, os::unix::process::CommandExt, process::Command};

/// Which calls are refused, by the lower half of one of their arguments.
#[derive(Clone, Copy)]
pub enum Which {
    /// All.
    All,
    /// Those whose argument with this number, from 0, is this one.
    With(usize, u32),
    /// All but those.
    Without(usize, u32),
}

/// Lets a command, and what it starts, fail with `EPERM` where it makes one of these calls.
pub fn refuse(command: &mut Command, call: libc::c_long, which: Which) {
    // SAFETY: the function makes two system calls, and allocates nothing.
    unsafe { command.pre_exec(move || refuse_here(call, which)) };
}

fn refuse_here(call: libc::c_long, which: Which) -> io::Result<()> {
    let step = |code: u32, jt, jf, k: u32| libc::sock_filter { code: code as u16, jt, jf, k };
    let load = |at: usize| step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, at as u32);
    let is = |what: u32, then, or| step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, then, or, what);
    let answer = |what: u32| step(libc::BPF_RET | libc::BPF_K, 0, 0, what);
    let argument = |nth: usize| load(mem::offset_of!(libc::seccomp_data, args) + nth * 8);
    let (looked_at, compared) = match which {
        // Compares the number once more.
        Which::All => (load(mem::offset_of!(libc::seccomp_data, nr)), is(call as u32, 0, 1)),
        Which::With(nth, value) => (argument(nth), is(value, 0, 1)),
        Which::Without(nth, value) => (argument(nth), is(value, 1, 0)),
    };
    let mut steps = [
        load(mem::offset_of!(libc::seccomp_data, nr)),
        is(call as u32, 0, 3),
        looked_at,
        compared,
        answer(libc::SECCOMP_RET_ERRNO | libc::EPERM as u32),
        answer(libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: steps.len() as u16, filter: steps.as_mut_ptr() };
    // SAFETY: the kernel copies the program during the call.
    let done = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) == 0
    };
    if done { Ok(()) } else { Err(io::Error::last_os_error()) }
}
