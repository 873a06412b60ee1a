//! The counters of source coverage, if the test is built with `-Cinstrument-coverage`: a run adds its own to its worker's, which writes them.
//!
//! LLVM's runtime writes the counters of a process that calls `exit`. Runs and workers end without that, and a file for each of thousands of
//! runs would fill the disk. So a run has counters of its own, which it adds to memory that it shares with its worker before it ends.
//!
//! If that is asked for, the runs with each kind of fault, and those without any, are counted apart as well, and get files of their own.

use std::{
    arch::global_asm,
    ffi::{CString, c_char},
    os::unix::ffi::OsStringExt,
    path::Path,
    slice,
    sync::{
        OnceLock,
        atomic::{
            AtomicBool, AtomicPtr, AtomicU64,
            Ordering::{Relaxed, SeqCst},
        },
    },
};

// The runtime is linked only into instrumented executables: elsewhere these are null.
global_asm!(
    ".weak __llvm_profile_begin_counters",
    ".weak __llvm_profile_end_counters",
    ".weak __llvm_profile_initialize_file",
    ".weak __llvm_profile_write_file",
    ".weak __llvm_profile_set_filename",
    ".hidden __llvm_profile_begin_counters",
    ".hidden __llvm_profile_end_counters",
    ".hidden __llvm_profile_initialize_file",
    ".hidden __llvm_profile_write_file",
    ".hidden __llvm_profile_set_filename",
    ".hidden refrain_profile",
    ".globl refrain_profile",
    ".pushsection .data.rel.ro.refrain_profile, \"aw\"",
    ".balign 8",
    "refrain_profile:",
    ".8byte __llvm_profile_begin_counters",
    ".8byte __llvm_profile_end_counters",
    ".8byte __llvm_profile_initialize_file",
    ".8byte __llvm_profile_write_file",
    ".8byte __llvm_profile_set_filename",
    ".popsection",
);

/// The functions of LLVM's runtime.
#[repr(C)]
struct Runtime {
    begin: Option<unsafe extern "C" fn() -> *const AtomicU64>,
    end: Option<unsafe extern "C" fn() -> *const AtomicU64>,
    initialize_file: Option<unsafe extern "C" fn()>,
    write_file: Option<unsafe extern "C" fn() -> i32>,
    set_filename: Option<unsafe extern "C" fn(*const c_char)>,
}

unsafe extern "C" {
    #[link_name = "refrain_profile"]
    static RUNTIME: Runtime;
}

/// What the runs of this worker have counted: all of them, then those of each file in [`APART`].
static SHARED: AtomicPtr<AtomicU64> = AtomicPtr::new(std::ptr::null_mut());
/// Whether this process is a run.
static IS_RUN: AtomicBool = AtomicBool::new(false);
/// The files of what is counted apart: of the runs without faults, then of those with each kind of fault.
static APART: OnceLock<Vec<CString>> = OnceLock::new();
/// The kinds of fault of this run, one bit for each.
static KINDS: AtomicU64 = AtomicU64::new(0);

fn runtime() -> &'static Runtime {
    // SAFETY: the table above, which nobody writes to: five addresses, each of a function with this signature, or null.
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

/// Returns the files of what is counted apart.
fn apart() -> &'static [CString] {
    APART.get().map_or(&[], Vec::as_slice)
}

/// Returns one part of the counters that this process shares with its worker, or with its runs: 0 has all runs.
fn shared(part: usize) -> &'static [AtomicU64] {
    let shared = SHARED.load(Relaxed);
    if shared.is_null() {
        return &[];
    }
    let length = counters().len();
    // SAFETY: `share` has got memory of zeroes for all parts, which is never freed.
    unsafe { slice::from_raw_parts(shared.add(part * length), length) }
}

/// Has this worker count the runs without faults, and those with each kind of fault, apart: in a file of a folder for each. Call it before
/// [`bytes`].
pub fn count_apart(folder: &Path, test: &str, kinds: impl Iterator<Item = &'static str>) {
    let file = |kind: &str| {
        // Workers of one test add to one file.
        let name = format!("{}-{}-%m.profraw", test.replace("::", "."), kind.replace(' ', "-"));
        CString::new(folder.join(name).into_os_string().into_vec()).unwrap_or_default()
    };
    let _ = APART.set(["none"].into_iter().chain(kinds).map(file).collect());
}

/// Returns how many bytes a worker has to share with its runs.
pub fn bytes() -> usize {
    size_of_val(counters()) * (1 + apart().len())
}

/// Takes memory of [`bytes`] zeroes, aligned to a page, as what this worker shares with its runs.
pub fn share(memory: *mut AtomicU64) {
    SHARED.store(memory, SeqCst);
}

/// Begins a run in this process, which was forked for it: what its worker has counted is not the run's.
pub fn begin_run() {
    IS_RUN.store(true, Relaxed);
    KINDS.store(0, Relaxed);
    counters().iter().for_each(|counter| counter.store(0, Relaxed));
}

/// This run has a fault of a kind, which is given as its position among the kinds.
pub fn has(kind: usize) {
    KINDS.fetch_or(1 << kind, Relaxed);
}

/// Adds what a run has counted to what its worker shares with it, before the process ends.
pub fn end_run() {
    if !IS_RUN.load(Relaxed) {
        return;
    }
    add(counters(), shared(0));
    if !apart().is_empty() {
        let kinds = KINDS.load(Relaxed);
        if kinds == 0 {
            add(counters(), shared(1));
        }
        let of_run = |kind: &usize| kinds & 1 << kind != 0;
        (0..apart().len() - 1).filter(of_run).for_each(|kind| add(counters(), shared(2 + kind)));
    }
    // They are not added again where the process ends after that.
    counters().iter().for_each(|counter| counter.store(0, Relaxed));
}

/// Writes what this worker and its runs have counted to the file that LLVM_PROFILE_FILE names, and then what was counted apart.
pub fn write() {
    let Runtime { initialize_file: Some(initialize_file), write_file: Some(write_file), .. } = runtime() else {
        return;
    };
    add(shared(0), counters());
    // SAFETY: neither has a precondition. The first one finds out that this process has another number than the one it was forked from.
    unsafe {
        initialize_file();
        write_file();
    }
    let Some(set_filename) = runtime().set_filename else { return };
    for (nth, file) in apart().iter().enumerate() {
        let counted = shared(1 + nth);
        if counted.iter().all(|counter| counter.load(Relaxed) == 0) {
            continue;
        }
        counters().iter().for_each(|counter| counter.store(0, Relaxed));
        add(counted, counters());
        // SAFETY: the text ends with a zero, and is copied.
        unsafe {
            set_filename(file.as_ptr());
            write_file();
        }
    }
}

fn add(from: &[AtomicU64], to: &[AtomicU64]) {
    for (from, to) in from.iter().zip(to) {
        to.store(to.load(Relaxed).wrapping_add(from.load(Relaxed)), Relaxed);
    }
}
