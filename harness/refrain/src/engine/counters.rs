//! The counters of source coverage, if the test is built with `-Cinstrument-coverage`: a run adds its own to its worker's, which writes them.
//!
//! LLVM's runtime writes the counters of a process that calls `exit`. Runs and workers end without that, and a file for each of thousands of
//! runs would fill the disk. So a run has counters of its own, which it adds to memory that it shares with its worker before it ends.

use std::{
    arch::global_asm,
    slice,
    sync::atomic::{
        AtomicBool, AtomicPtr, AtomicU64,
        Ordering::{Relaxed, SeqCst},
    },
};

// The runtime is linked only into instrumented executables: elsewhere these are null.
global_asm!(
    ".weak __llvm_profile_begin_counters",
    ".weak __llvm_profile_end_counters",
    ".weak __llvm_profile_initialize_file",
    ".weak __llvm_profile_write_file",
    ".hidden __llvm_profile_begin_counters",
    ".hidden __llvm_profile_end_counters",
    ".hidden __llvm_profile_initialize_file",
    ".hidden __llvm_profile_write_file",
    ".hidden refrain_profile",
    ".globl refrain_profile",
    ".pushsection .data.rel.ro.refrain_profile, \"aw\"",
    ".balign 8",
    "refrain_profile:",
    ".8byte __llvm_profile_begin_counters",
    ".8byte __llvm_profile_end_counters",
    ".8byte __llvm_profile_initialize_file",
    ".8byte __llvm_profile_write_file",
    ".popsection",
);

/// The functions of LLVM's runtime.
#[repr(C)]
struct Runtime {
    begin: Option<unsafe extern "C" fn() -> *const AtomicU64>,
    end: Option<unsafe extern "C" fn() -> *const AtomicU64>,
    initialize_file: Option<unsafe extern "C" fn()>,
    write_file: Option<unsafe extern "C" fn() -> i32>,
}

unsafe extern "C" {
    #[link_name = "refrain_profile"]
    static RUNTIME: Runtime;
}

/// What the runs of this worker have counted.
static SHARED: AtomicPtr<AtomicU64> = AtomicPtr::new(std::ptr::null_mut());
/// Whether this process is a run.
static IS_RUN: AtomicBool = AtomicBool::new(false);

fn runtime() -> &'static Runtime {
    // SAFETY: the table above, which nobody writes to: four addresses, each of a function with this signature, or null.
    unsafe { &RUNTIME }
}

/// Returns the counters of this process; none if it is not instrumented.
fn counters() -> &'static [AtomicU64] {
    let Runtime { begin: Some(begin), end: Some(end), .. } = runtime() else { return &[] };
    // SAFETY: the two functions return the bounds of a section of aligned counters, which is there as long as the process. Compiled
    // code increments them with plain instructions; only one thread of a run or a worker executes when this is called.
    unsafe {
        let (begin, end) = (begin(), end());
        slice::from_raw_parts(begin, (end.addr() - begin.addr()) / size_of::<AtomicU64>())
    }
}

/// Returns the counters that this process shares with its worker, or with its runs.
fn shared() -> &'static [AtomicU64] {
    let shared = SHARED.load(Relaxed);
    if shared.is_null() {
        return &[];
    }
    // SAFETY: `share` has got so much memory of zeroes, which is never freed.
    unsafe { slice::from_raw_parts(shared, counters().len()) }
}

/// Returns how many bytes a worker has to share with its runs.
pub fn bytes() -> usize {
    size_of_val(counters())
}

/// Takes memory of [`bytes`] zeroes, aligned to a page, as what this worker shares with its runs.
pub fn share(memory: *mut AtomicU64) {
    SHARED.store(memory, SeqCst);
}

/// Begins a run in this process, which was forked for it: what its worker has counted is not the run's.
pub fn begin_run() {
    IS_RUN.store(true, Relaxed);
    counters().iter().for_each(|counter| counter.store(0, Relaxed));
}

/// Adds what a run has counted to what its worker shares with it, before the process ends.
pub fn end_run() {
    if IS_RUN.load(Relaxed) {
        add(counters(), shared());
        // They are not added again where the process ends after that.
        counters().iter().for_each(|counter| counter.store(0, Relaxed));
    }
}

/// Writes what this worker and its runs have counted to the file that LLVM_PROFILE_FILE names.
pub fn write() {
    let Runtime { initialize_file: Some(initialize_file), write_file: Some(write_file), .. } = runtime() else {
        return;
    };
    add(shared(), counters());
    // SAFETY: neither has a precondition. The first one finds out that this process has another number than the one it was forked from.
    unsafe {
        initialize_file();
        write_file();
    }
}

fn add(from: &[AtomicU64], to: &[AtomicU64]) {
    for (from, to) in from.iter().zip(to) {
        to.store(to.load(Relaxed).wrapping_add(from.load(Relaxed)), Relaxed);
    }
}
