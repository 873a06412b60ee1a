//! The calls that lead to the start of a thread, as a number: finding its line in the source takes milliseconds, so it is looked for once.

use libc::{c_int, c_void};

/// Maximum number of calls.
const CALLS_MAX: usize = 48;

#[repr(C)]
struct Context(c_void);

unsafe extern "C" {
    fn _Unwind_Backtrace(f: extern "C" fn(*mut Context, *mut c_void) -> c_int, data: *mut c_void) -> c_int;
    fn _Unwind_GetIP(context: *mut Context) -> usize;
}

struct Walk {
    hash: u64,
    calls: usize,
}

extern "C" fn step(context: *mut Context, walk: *mut c_void) -> c_int {
    const GO_ON: c_int = 0;
    const END: c_int = 4;
    // SAFETY: `call_path` passes it, and uses it after the walk only.
    let walk = unsafe { &mut *walk.cast::<Walk>() };
    // SAFETY: the unwinder passes its context.
    let at = unsafe { _Unwind_GetIP(context) } as u64;
    walk.hash = (walk.hash ^ at).wrapping_mul(0x0100_0000_01b3).rotate_left(17);
    walk.calls += 1;
    if walk.calls < CALLS_MAX { GO_ON } else { END }
}

/// The same for the same calls in each run of a worker.
pub(super) fn call_path() -> u64 {
    let mut walk = Walk { hash: 0xcbf2_9ce4_8422_2325, calls: 0 };
    // SAFETY: the function has this type, and gets this pointer during the call only.
    crate::sim::section::unguarded(|| unsafe { _Unwind_Backtrace(step, (&raw mut walk).cast()) });
    walk.hash.max(1)
}
