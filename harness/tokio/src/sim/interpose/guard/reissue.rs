//! System calls that the handler makes itself: those of one instruction, whose address the filter knows.

use libc::{c_int, c_long, c_void};
use std::ops::Range;

/// A system call that did not reach the kernel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    pub number: c_long,
    pub args: [usize; 6],
}

#[cfg(target_arch = "x86_64")]
std::arch::global_asm!(
    ".globl refrain_reissue",
    ".hidden refrain_reissue",
    ".type refrain_reissue, @function",
    "refrain_reissue:",
    "mov rax, rdi",
    "mov rdi, rsi",
    "mov rsi, rdx",
    "mov rdx, rcx",
    "mov r10, r8",
    "mov r8, r9",
    "mov r9, [rsp + 8]",
    "syscall",
    ".globl refrain_reissued",
    ".hidden refrain_reissued",
    "refrain_reissued:",
    "ret",
);

#[cfg(target_arch = "aarch64")]
std::arch::global_asm!(
    ".globl refrain_reissue",
    ".hidden refrain_reissue",
    ".type refrain_reissue, %function",
    "refrain_reissue:",
    "mov x8, x0",
    "mov x0, x1",
    "mov x1, x2",
    "mov x2, x3",
    "mov x3, x4",
    "mov x4, x5",
    "mov x5, x6",
    "svc 0",
    ".globl refrain_reissued",
    ".hidden refrain_reissued",
    "refrain_reissued:",
    "ret",
);

unsafe extern "C" {
    /// Makes a system call that the filter lets through: the filter knows the address behind its instruction.
    fn refrain_reissue(number: c_long, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize) -> isize;
    /// The address behind that instruction.
    static refrain_reissued: u8;
}

/// The address behind the only instruction whose system calls the filter does not look at.
pub(super) fn exempt() -> u64 {
    &raw const refrain_reissued as u64
}

/// The addresses of libc's code, if they are found.
pub(super) fn libcs_code() -> Range<u64> {
    // SAFETY: the name ends with a zero.
    code_around(unsafe { libc::dlsym(libc::RTLD_NEXT, c"getpid".as_ptr()) } as u64)
}

/// The segment of a loaded object that holds an address, if it is found.
pub(super) fn code_around(inside: u64) -> Range<u64> {
    /// Looks for the segment that holds an address.
    unsafe extern "C" fn look(object: *mut libc::dl_phdr_info, _: usize, found: *mut c_void) -> c_int {
        // SAFETY: `dl_iterate_phdr` passes an object, whose headers are as many as it says, and the pointer that it was given.
        let (object, found) = unsafe { (&*object, &mut *found.cast::<(u64, Range<u64>)>()) };
        for nth in 0..object.dlpi_phnum {
            // SAFETY: as above.
            let segment = unsafe { &*object.dlpi_phdr.add(nth.into()) };
            let begins = object.dlpi_addr + segment.p_vaddr;
            let range = begins..begins + segment.p_memsz;
            if segment.p_type == libc::PT_LOAD && range.contains(&found.0) {
                found.1 = range;
            }
        }
        0
    }
    let mut found = (inside, 0..0);
    // SAFETY: the function gets this pointer during the call only.
    unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut found).cast()) };
    found.1
}

/// Makes a system call.
pub(super) fn reissue(Call { number, args: [a, b, c, d, e, f] }: Call) -> isize {
    // SAFETY: whoever made this call answers for its arguments.
    unsafe { refrain_reissue(number, a, b, c, d, e, f) }
}

/// Makes a system call of the harness that no filter sees.
pub(crate) fn call_kernel(number: c_long, args: [usize; 6]) -> isize {
    reissue(Call { number, args })
}
