//! The heap of a run: its addresses are a function of what the service allocates.
//!
//! libc's heap starts at an address that may be random, and goes on from what the worker has done. So on the thread of a simulation libc's
//! functions of memory allocate from [`blocks`]. There, only that thread allocates, and the threads of simulated processes in their turn.
//!
//! The executions of a model use it, too, and keep what is freed until the next one begins: whether something is used after it was freed is
//! known by its address.
//!
//! The harness's own sections ([`section::unguarded`]) use libc's heap: a run that is recorded must not differ from one that is not.
//!
//! The symbols are weak. A service that links an allocator of these names uses that one, and its addresses are that one's.

mod blocks;

use super::preempt;
use crate::sim::section;
use blocks::{HEADER, Heap, PAGE, is_of_heap};
use libc::{c_int, c_void};
use std::{
    cell::{Cell, UnsafeCell},
    ptr,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

/// Is told what the thread of the heap frees.
#[derive(Debug, Clone, Copy)]
pub struct Freed {
    /// Something at this address is freed that is not allocated.
    pub again: fn(usize) -> !,
    /// Something is freed and kept: its address and its length.
    pub kept: fn(usize, usize),
}

struct OnlyOwner(UnsafeCell<Heap>);

// SAFETY: only a thread that has `IS_OWNER` set looks inside, and of those one executes at a time.
unsafe impl Sync for OnlyOwner {}

static HEAP: OnlyOwner = OnlyOwner(UnsafeCell::new(Heap::new()));

static FREED: OnceLock<Freed> = OnceLock::new();

thread_local! {
    static IS_OWNER: Cell<bool> = const { Cell::new(false) };
}

/// Lets this thread allocate from the heap of the run. No other one of this process may have begun; threads of simulated processes
/// [`join`] it.
pub(crate) fn begin(freed: Freed) {
    let _ = FREED.set(freed);
    IS_OWNER.set(true);
}

/// Lets this thread of a simulated process allocate from the heap of the run, while it has the turn.
pub(super) fn join() {
    IS_OWNER.set(FREED.get().is_some());
}

/// Ends that: libc still frees what it has for the thread.
pub(super) fn leave() {
    IS_OWNER.set(false);
}

/// From now on, what this thread frees is kept. It has begun.
pub(crate) fn keep() {
    own(Heap::keep);
}

/// Lets this thread allocate again what it has freed.
pub(crate) fn reuse() {
    if IS_OWNER.get() {
        own(Heap::reuse);
    }
}

/// Whether an address is in memory that this thread has freed, and that is kept.
#[inline]
pub(crate) fn is_freed(address: usize) -> bool {
    IS_OWNER.get() && own(|heap| heap.is_kept(address))
}

/// The heap, on its own thread.
fn own<R>(f: impl FnOnce(&mut Heap) -> R) -> R {
    // SAFETY: the callers have checked that this thread is the owner, and `f` calls none of them: the heap calls nothing that allocates.
    f(unsafe { &mut *HEAP.0.get() })
}

/// Whether an allocation is made here.
fn is_here() -> bool {
    IS_OWNER.get() && !section::is_unguarded()
}

/// The block of an allocation and its length. Ends the run if it was freed before, or was never allocated.
///
/// # Safety
/// `at` is within what is mapped.
unsafe fn checked(at: *mut c_void) -> (usize, usize) {
    // SAFETY: as the caller says.
    unsafe { blocks::block_of(at) }.unwrap_or_else(|| {
        let freed = FREED.get().expect("a heap that was begun");
        section::unguarded(|| (freed.again)(at.addr()))
    })
}

/// Tells that the service has freed something, if it is kept.
fn tell_kept(at: *mut c_void, (block, len): (usize, usize)) {
    if is_freed(at.addr())
        && !section::is_unguarded()
        && let Some(freed) = FREED.get()
    {
        section::unguarded(|| (freed.kept)(at.addr(), block + len - at.addr()));
    }
}

/// libc's own functions, under the names that it keeps for those who replace them.
mod libcs {
    use super::c_void;

    unsafe extern "C" {
        pub fn __libc_malloc(len: usize) -> *mut c_void;
        pub fn __libc_calloc(count: usize, len: usize) -> *mut c_void;
        pub fn __libc_realloc(at: *mut c_void, len: usize) -> *mut c_void;
        pub fn __libc_memalign(align: usize, len: usize) -> *mut c_void;
        pub fn __libc_free(at: *mut c_void);
    }
}

/// Sets `errno` if there was no memory.
fn or_no_memory(at: *mut c_void) -> *mut c_void {
    if at.is_null() {
        // SAFETY: it is this thread's own.
        unsafe { *libc::__errno_location() = libc::ENOMEM };
    }
    at
}

unsafe extern "C" fn malloc(len: usize) -> *mut c_void {
    if !is_here() {
        // SAFETY: as the caller's.
        return unsafe { libcs::__libc_malloc(len) };
    }
    or_no_memory(own(|heap| heap.allocate(len, HEADER)).0)
}

unsafe extern "C" fn calloc(count: usize, len: usize) -> *mut c_void {
    if !is_here() {
        // SAFETY: as the caller's.
        return unsafe { libcs::__libc_calloc(count, len) };
    }
    let Some(len) = count.checked_mul(len) else { return or_no_memory(ptr::null_mut()) };
    let (at, is_zero) = own(|heap| heap.allocate(len, HEADER));
    if !at.is_null() && !is_zero {
        // SAFETY: it has so many bytes.
        unsafe { at.cast::<u8>().write_bytes(0, len) };
    }
    or_no_memory(at)
}

unsafe extern "C" fn realloc(at: *mut c_void, len: usize) -> *mut c_void {
    if at.is_null() {
        // SAFETY: as the caller's.
        return unsafe { malloc(len) };
    }
    if !is_of_heap(at) {
        // SAFETY: as the caller's.
        return unsafe { libcs::__libc_realloc(at, len) };
    }
    if len == 0 {
        // SAFETY: as the caller's.
        unsafe { free(at) };
        return ptr::null_mut();
    }
    if IS_OWNER.get() {
        // SAFETY: as the caller's.
        let block = unsafe { checked(at) };
        // SAFETY: as the caller's.
        let new = own(|heap| unsafe { heap.reallocate(at, block, len) });
        if new != at && !new.is_null() {
            tell_kept(at, block);
        }
        return or_no_memory(new);
    }
    // Another thread's memory is left where it is.
    // SAFETY: as the caller's, and both have so many bytes.
    unsafe {
        let new = libcs::__libc_malloc(len);
        if !new.is_null() {
            ptr::copy_nonoverlapping(at.cast::<u8>(), new.cast::<u8>(), malloc_usable_size(at).min(len));
        }
        new
    }
}

unsafe extern "C" fn free(at: *mut c_void) {
    if !is_of_heap(at) {
        // SAFETY: as the caller's.
        return unsafe { libcs::__libc_free(at) };
    }
    // What another thread frees is kept: there the heap must not change.
    if IS_OWNER.get() {
        // SAFETY: as the caller's.
        let block = unsafe { checked(at) };
        // SAFETY: as the caller's.
        own(|heap| unsafe { heap.free(at, block) });
        tell_kept(at, block);
        preempt::point();
    }
}

unsafe extern "C" fn memalign(align: usize, len: usize) -> *mut c_void {
    if !is_here() {
        // SAFETY: as the caller's.
        return unsafe { libcs::__libc_memalign(align, len) };
    }
    match align.checked_next_power_of_two() {
        Some(align) => or_no_memory(own(|heap| heap.allocate(len, align)).0),
        None => or_no_memory(ptr::null_mut()),
    }
}

unsafe extern "C" fn aligned_alloc(align: usize, len: usize) -> *mut c_void {
    // SAFETY: as the caller's.
    unsafe { memalign(align, len) }
}

unsafe extern "C" fn posix_memalign(to: *mut *mut c_void, align: usize, len: usize) -> c_int {
    if !align.is_power_of_two() || !align.is_multiple_of(size_of::<usize>()) {
        return libc::EINVAL;
    }
    // SAFETY: as the caller's.
    let at = unsafe { memalign(align, len) };
    if at.is_null() {
        return libc::ENOMEM;
    }
    // SAFETY: as the caller's.
    unsafe { *to = at };
    0
}

unsafe extern "C" fn valloc(len: usize) -> *mut c_void {
    // SAFETY: as the caller's.
    unsafe { memalign(PAGE, len) }
}

unsafe extern "C" fn pvalloc(len: usize) -> *mut c_void {
    // SAFETY: as the caller's.
    unsafe { memalign(PAGE, len.checked_next_multiple_of(PAGE).unwrap_or(len)) }
}

unsafe extern "C" fn malloc_usable_size(at: *mut c_void) -> usize {
    if !is_of_heap(at) {
        return libcs!(malloc_usable_size(at: *mut c_void) -> usize);
    }
    // SAFETY: as the caller's.
    let (block, len) = unsafe { checked(at) };
    block + len - at.addr()
}

/// Defines a weak symbol that jumps to a function.
macro_rules! weak {
    ($($name:ident),*) => {$(
        std::arch::global_asm!(
            concat!(".weak ", stringify!($name)),
            concat!(".type ", stringify!($name), ", %function"),
            concat!(stringify!($name), ":"),
            concat!(jump!(), " {to}"),
            to = sym $name,
        );
    )*};
}

#[cfg(target_arch = "x86_64")]
macro_rules! jump {
    () => {
        "jmp"
    };
}

#[cfg(target_arch = "aarch64")]
macro_rules! jump {
    () => {
        "b"
    };
}

weak!(malloc, calloc, realloc, free, memalign, aligned_alloc, posix_memalign, valloc, pvalloc, malloc_usable_size);

/// What the linker must take from here.
pub(super) fn symbols() -> [*const (); 2] {
    [libc::malloc as *const (), libc::free as *const ()]
}
