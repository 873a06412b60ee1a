//! System calls that a test makes by an instruction, as crates do that use no libc.

use nix::libc;
#[cfg(target_arch = "x86_64")]
use std::arch::asm;
use std::time::Duration;

/// Sleeps in real time, also in a run, where libc's sleep is virtual.
pub fn sleep(time: Duration) {
    let time = [time.as_secs() as i64, time.subsec_nanos().into()];
    system_call(libc::SYS_nanosleep, [time.as_ptr() as usize, 0, 0, 0]);
}

/// Makes a system call without libc.
#[cfg(target_arch = "x86_64")]
pub fn system_call(number: i64, args: [usize; 4]) -> isize {
    let result: isize;
    let [a, b, c, d] = args;
    // SAFETY: the caller gives arguments of this system call.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") 0, in("r9") 0,
            lateout("rcx") _, lateout("r11") _,
        );
    }
    result
}

/// Makes a system call without libc.
#[cfg(target_arch = "aarch64")]
pub fn system_call(number: i64, args: [usize; 4]) -> isize {
    let result: isize;
    let [a, b, c, d] = args;
    // SAFETY: the caller gives arguments of this system call.
    unsafe {
        std::arch::asm!("svc 0", in("x8") number, inlateout("x0") a => result, in("x1") b, in("x2") c, in("x3") d, in("x4") 0, in("x5") 0);
    }
    result
}

/// Reads the processor's time stamp counter, if it has one that any program reads.
pub fn time_stamp() -> Option<u64> {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every processor of this architecture has this instruction.
    return Some(unsafe { std::arch::x86_64::_rdtsc() });
    #[cfg(not(target_arch = "x86_64"))]
    None
}

/// Asks the processor for chance, if it has any.
pub fn processors_chance() -> Option<u64> {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("rdrand") {
        let mut chance = 0u64;
        // SAFETY: the processor has this instruction.
        unsafe { asm!("rdrand {}", out(reg) chance) };
        return Some(chance);
    }
    None
}
