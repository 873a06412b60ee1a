//! Answers the instructions that read the processor's time stamp.
//!
//! The kernel can let `rdtsc` and `rdtscp` fault. For the service, the handler answers with virtual time. For the harness it executes them, and
//! for the vDSO, whose clocks add what they read to the kernel's time: code that calls it without libc reads the machine's clock.

use std::io;

/// Lets these instructions fault in this process from here on, where the kernel and the processor can.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn trap(_are_logged: bool) -> io::Result<()> {
    Ok(())
}

/// Lets these instructions be executed again, as before a run.
#[cfg(not(target_arch = "x86_64"))]
pub fn reset() {}

/// Nothing is to be found here.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn find_vdso() {}

/// Whether these instructions can be answered, and logged.
#[cfg(not(target_arch = "x86_64"))]
pub fn sees_time_stamps() -> bool {
    false
}

#[cfg(target_arch = "x86_64")]
pub(super) use trapped::{find_vdso, trap};
#[cfg(target_arch = "x86_64")]
pub use trapped::{reset, sees_time_stamps};

#[cfg(target_arch = "x86_64")]
mod trapped {
    use super::{
        super::{answers, call_kernel, is_of_service, log, reissue::code_around},
        io,
    };
    use libc::{c_int, c_void, siginfo_t, ucontext_t};
    use std::{
        arch::x86_64::__rdtscp,
        mem,
        ops::Range,
        ptr,
        sync::{
            OnceLock,
            atomic::{AtomicU64, Ordering::Relaxed},
        },
    };

    /// The handler runs on this stack, which also has room for a backtrace with its lines.
    const STACK_BYTES: usize = 1 << 20;
    const RDTSC: [u8; 2] = [0x0f, 0x31];
    const RDTSCP: [u8; 3] = [0x0f, 0x01, 0xf9];

    /// The frequency of the simulated counter, in GHz.
    const CYCLES_PER_NANOSECOND: u64 = 3;
    /// Two reads at the same virtual time are this many cycles apart, and up to as many more: no processor is faster, and a
    /// source of chance that measures its own jitter, as that of aws-lc does, refuses to work if there is none.
    const CYCLES_BETWEEN: u64 = 32;

    /// The action for other faults.
    static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();
    /// Whether the kernel and the processor can do it.
    static SEES: OnceLock<bool> = OnceLock::new();
    /// The code of the vDSO.
    static VDSO: OnceLock<Range<u64>> = OnceLock::new();
    /// The last answer in this run.
    static LAST: AtomicU64 = AtomicU64::new(0);

    /// Whether these instructions can be answered, and logged.
    pub fn sees_time_stamps() -> bool {
        *SEES.get_or_init(|| set(libc::PR_TSC_ENABLE))
    }

    /// Lets these instructions be executed again, as before a run.
    pub fn reset() {
        set(libc::PR_TSC_ENABLE);
    }

    /// Whether the kernel and the processor have done it.
    fn set(how: c_int) -> bool {
        call_kernel(libc::SYS_prctl, [libc::PR_SET_TSC as usize, how as usize, 0, 0, 0, 0]) == 0
    }

    pub fn trap(are_logged: bool) -> io::Result<()> {
        if !sees_time_stamps() {
            return Ok(());
        }
        find_vdso();
        if are_logged {
            give_stack()?;
        }
        let done = |result: c_int| if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) };
        // SAFETY: of integers and pointers zeros are values.
        let (mut action, mut before): (libc::sigaction, libc::sigaction) = unsafe { mem::zeroed() };
        action.sa_sigaction = handle as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
        // SAFETY: it is a valid place for the action.
        done(unsafe { libc::sigaction(libc::SIGSEGV, ptr::null(), &mut before) })?;
        let _ = BEFORE.set(before);
        // SAFETY: the handler does nothing for a fault of another instruction, and is called for these between two instructions of the
        // service or of the harness, never inside of its own code.
        done(unsafe { libc::sigaction(libc::SIGSEGV, &action, ptr::null_mut()) })?;
        set(libc::PR_TSC_SIGSEGV);
        Ok(())
    }

    /// Looks for the vDSO, and for what the processor can do, once in the worker.
    pub fn find_vdso() {
        sees_time_stamps();
        // SAFETY: the call has no pointers.
        VDSO.get_or_init(|| code_around(unsafe { libc::getauxval(libc::AT_SYSINFO_EHDR) }));
    }

    /// The stack that std has given the thread for signals has room for a message only.
    fn give_stack() -> io::Result<()> {
        let (kind, access) =
            (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE, libc::PROT_READ | libc::PROT_WRITE);
        // SAFETY: a new mapping, which is never unmapped.
        let at = unsafe { libc::mmap(ptr::null_mut(), STACK_BYTES, access, kind, -1, 0) };
        let stack = libc::stack_t { ss_sp: at, ss_flags: 0, ss_size: STACK_BYTES };
        // SAFETY: nobody else uses this memory.
        if at == libc::MAP_FAILED || unsafe { libc::sigaltstack(&stack, ptr::null_mut()) } != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }

    extern "C" fn handle(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
        // SAFETY: the kernel passes the information on the fault, and the context to which it will return.
        let (of_kernel, registers) = unsafe {
            let context = &mut *context.cast::<ucontext_t>();
            ((*info).si_code == libc::SI_KERNEL, &mut context.uc_mcontext.gregs)
        };
        if !(of_kernel && execute(registers)) {
            // SAFETY: the arguments are those of the kernel.
            unsafe { pass_on(signal, info, context) };
        }
    }

    /// Executes the instruction and goes on behind it, if it is one of these.
    fn execute(registers: &mut [libc::greg_t; 23]) -> bool {
        let at = registers[libc::REG_RIP as usize] as *const u8;
        // SAFETY: the processor has read an instruction there. A byte is looked at only if those before it begin one of the two, and any
        // instruction that begins in this way has it.
        let is = |code: &[u8]| code.iter().enumerate().all(|(nth, byte)| unsafe { at.add(nth).read() } == *byte);
        let (name, length) = match () {
            () if is(&RDTSC) => ("rdtsc", RDTSC.len()),
            () if is(&RDTSCP) => ("rdtscp", RDTSCP.len()),
            () => return false,
        };
        let is_answered = is_of_service() && !VDSO.get().is_some_and(|vdso| vdso.contains(&(at as u64)));
        let (now, processor) = if is_answered { (answer(), 0) } else { read() };
        log::executed(name, now as i64);
        registers[libc::REG_RAX as usize] = (now & 0xffff_ffff) as i64;
        registers[libc::REG_RDX as usize] = (now >> 32) as i64;
        if length == RDTSCP.len() {
            registers[libc::REG_RCX as usize] = processor.into();
        }
        registers[libc::REG_RIP as usize] += length as i64;
        true
    }

    /// The time stamp and the number of the processor.
    fn read() -> (u64, u32) {
        set(libc::PR_TSC_ENABLE);
        let mut processor = 0;
        // SAFETY: a processor on which one of the two instructions has just faulted has both.
        let now = unsafe { __rdtscp(&mut processor) };
        set(libc::PR_TSC_SIGSEGV);
        (now, processor)
    }

    /// The time stamp of the simulated processor: virtual time, and what the reads themselves take. One thread of a run executes at a time.
    fn answer() -> u64 {
        let last = LAST.load(Relaxed);
        let took = CYCLES_BETWEEN + answers::chance_number() % CYCLES_BETWEEN;
        let now = (answers::virtual_ns() * CYCLES_PER_NANOSECOND).max(last + took);
        LAST.store(now, Relaxed);
        now
    }

    /// # Safety
    /// As for a handler of signals.
    unsafe fn pass_on(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
        let Some(before) = BEFORE.get() else { return };
        match before.sa_sigaction {
            // SAFETY: this action was installed before; the instruction faults again.
            libc::SIG_DFL | libc::SIG_IGN => unsafe {
                libc::sigaction(signal, before, ptr::null_mut());
            },
            // SAFETY: a handler that was installed with `SA_SIGINFO` has this type, and one without it ignores what it does not take.
            handler => unsafe {
                mem::transmute::<usize, extern "C" fn(c_int, *mut siginfo_t, *mut c_void)>(handler)(
                    signal, info, context,
                );
            },
        }
    }
}
