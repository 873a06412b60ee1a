//! The heap of a run: where it puts what depends on what it has allocated and freed before, and on nothing else.
//!
//! libc's heap starts at an address that may be random, and goes on from what the worker has done. So on the thread of a simulation these
//! functions allocate from a range of addresses that nothing else uses. There, only that thread allocates. Memory is mapped when it is
//! needed, so that a limit of the address space holds as it does with libc's.
//!
//! The harness's own sections ([`section::unguarded`]) use libc's heap: a run that is recorded must not differ from one that is not.
//!
//! The symbols are weak. A service that links an allocator of these names uses that one, and its addresses are that one's.

use crate::sim::{kernel, section};
use libc::{c_int, c_void};
use std::{
    cell::{Cell, UnsafeCell},
    ptr,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// Nothing else is here: programs, libraries and stacks are mapped at either end of the address space.
const START: usize = 0x2000_0000_0000;
/// Where blocks begin that have a mapping of their own.
const LARGE: usize = START + (1 << 40);
const END: usize = START + (1 << 44);

const PAGE: usize = 4096;
/// How much is mapped at once for blocks of up to [`SMALL_MAX`].
const GROWS_BY: usize = 1 << 20;
/// The largest block that is reused for others of its class. Larger ones go back to the kernel.
const SMALL_MAX: usize = 1 << 20;
/// Blocks are multiples of 16 bytes up to 128, and then have four sizes for each power of two.
const CLASSES: usize = class_of(SMALL_MAX).0 + 1;

/// Lies before each allocation.
#[repr(C, align(16))]
struct Header {
    /// Where the block begins; 0 if it is free.
    block: usize,
    /// How long it is, with its header.
    len: usize,
}

const HEADER: usize = size_of::<Header>();

/// Lies at the beginning of a free block, in the place of its header.
#[repr(C)]
struct Free {
    /// 0, as in a [`Header`]: most blocks that are freed twice have their header here.
    block: usize,
    next: *mut Free,
}

struct Heap {
    /// Where the next small block begins, and the end of what is mapped for them.
    next: usize,
    mapped: usize,
    next_large: usize,
    free: [*mut Free; CLASSES],
}

struct OnlyOwner(UnsafeCell<Heap>);

// SAFETY: only the thread that has `IS_OWNER` set looks inside, and there is one in a process.
unsafe impl Sync for OnlyOwner {}

static HEAP: OnlyOwner = OnlyOwner(UnsafeCell::new(Heap {
    next: START,
    mapped: START,
    next_large: LARGE,
    free: [ptr::null_mut(); CLASSES],
}));

thread_local! {
    static IS_OWNER: Cell<bool> = const { Cell::new(false) };
}

/// Lets this thread allocate from the heap of the run. No other one of this process may have begun.
pub(crate) fn begin() {
    IS_OWNER.set(true);
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

fn is_of_heap(at: *mut c_void) -> bool {
    (START..END).contains(&at.addr())
}

/// The class of a block of this length, and how long the blocks of the class are.
const fn class_of(len: usize) -> (usize, usize) {
    if len <= 128 {
        let n = len.div_ceil(16);
        return (n - 1, n * 16);
    }
    let bits = (usize::BITS - (len - 1).leading_zeros()) as usize;
    let quarters = ((len - 1) >> (bits - 3)) + 1;
    (8 + (bits - 8) * 4 + quarters - 5, quarters << (bits - 3))
}

impl Heap {
    /// Allocates, and says whether the memory is known to be zero. Null if there is no memory.
    fn allocate(&mut self, len: usize, align: usize) -> (*mut c_void, bool) {
        let more = if align > HEADER { align } else { 0 };
        let Some(len) = len.checked_add(HEADER + more).filter(|len| *len < END - START) else {
            return (ptr::null_mut(), false);
        };
        let (block, len, is_zero) = if len <= SMALL_MAX { self.small(len) } else { self.large(len) };
        if block == 0 {
            return (ptr::null_mut(), false);
        }
        let at = (block + HEADER).next_multiple_of(align.max(HEADER));
        // SAFETY: the block has room for its header before `at`, and is nobody else's.
        unsafe { header(at as *mut c_void).write(Header { block, len }) };
        (at as *mut c_void, is_zero)
    }

    fn small(&mut self, len: usize) -> (usize, usize, bool) {
        let (class, len) = class_of(len);
        let first = self.free[class];
        if !first.is_null() {
            // SAFETY: what is in the list was put there by `free`.
            self.free[class] = unsafe { (*first).next };
            return (first.addr(), len, false);
        }
        let end = self.next + len;
        if end > self.mapped {
            let more = (end - self.mapped).next_multiple_of(GROWS_BY);
            if self.mapped + more > LARGE || !map(self.mapped, more) {
                return (0, 0, false);
            }
            self.mapped += more;
        }
        (std::mem::replace(&mut self.next, end), len, true)
    }

    fn large(&mut self, len: usize) -> (usize, usize, bool) {
        let len = len.next_multiple_of(PAGE);
        let Some(block) = self.place(len).filter(|block| map(*block, len)) else { return (0, 0, false) };
        (block, len, true)
    }

    /// A place for a large block, with a page after it that is never mapped.
    fn place(&mut self, len: usize) -> Option<usize> {
        let end = self.next_large.checked_add(len + PAGE).filter(|end| *end <= END)?;
        Some(std::mem::replace(&mut self.next_large, end))
    }

    /// # Safety
    /// `at` was allocated here, in this block of this length.
    unsafe fn free(&mut self, at: *mut c_void, (block, len): (usize, usize)) {
        if len > SMALL_MAX {
            // SAFETY: the mapping is this block's alone.
            unsafe { libc::munmap(block as *mut c_void, len) };
            return;
        }
        let (class, _) = class_of(len);
        // SAFETY: the block is nobody's now. Its header may be elsewhere than its beginning, and is changed first.
        unsafe {
            (*header(at)).block = 0;
            (block as *mut Free).write(Free { block: 0, next: self.free[class] });
        }
        self.free[class] = block as *mut Free;
    }

    /// # Safety
    /// `at` was allocated here, in this block of this length.
    unsafe fn reallocate(&mut self, at: *mut c_void, (block, old): (usize, usize), len: usize) -> *mut c_void {
        let room = block + old - at.addr();
        if old > SMALL_MAX && len > SMALL_MAX {
            // SAFETY: as the caller says.
            return unsafe { self.remap(at, block, old, len) };
        }
        if len <= room && (room - len <= room / 2 || room <= 128) {
            return at;
        }
        let (new, _) = self.allocate(len, HEADER);
        if !new.is_null() {
            // SAFETY: both have so many bytes, and do not overlap.
            unsafe {
                ptr::copy_nonoverlapping(at.cast::<u8>(), new.cast::<u8>(), room.min(len));
                self.free(at, (block, old));
            }
        }
        new
    }

    /// Makes a large block longer or shorter. No byte is copied.
    ///
    /// # Safety
    /// `at` was allocated here, in this block of this length.
    unsafe fn remap(&mut self, at: *mut c_void, block: usize, old: usize, len: usize) -> *mut c_void {
        let before = at.addr() - block;
        let Some(new) = len.checked_add(before + PAGE).map(|len| len / PAGE * PAGE) else { return ptr::null_mut() };
        let moved = if new <= old {
            // SAFETY: it becomes shorter where it is.
            unsafe { libc::mremap(block as *mut c_void, old, new, 0) }
        } else {
            let Some(to) = self.place(new) else { return ptr::null_mut() };
            // SAFETY: nothing is mapped there.
            unsafe {
                libc::mremap(
                    block as *mut c_void,
                    old,
                    new,
                    libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED,
                    to as *mut c_void,
                )
            }
        };
        if moved == libc::MAP_FAILED {
            return ptr::null_mut();
        }
        let at = moved.wrapping_byte_add(before);
        // SAFETY: the header was moved with the block.
        unsafe { header(at).write(Header { block: moved.addr(), len: new }) };
        at
    }
}

fn header(at: *mut c_void) -> *mut Header {
    at.wrapping_byte_sub(HEADER).cast()
}

/// The block of an allocation and its length. Ends the run if it was freed before, or was never allocated.
///
/// # Safety
/// `at` is within what is mapped.
unsafe fn checked(at: *mut c_void) -> (usize, usize) {
    // SAFETY: as the caller says.
    let Header { block, len } = unsafe { header(at).read() };
    let is_within = at.addr().is_multiple_of(HEADER) && (block..block.saturating_add(len)).contains(&at.addr());
    if block == 0 || !is_within {
        section::unguarded(|| (kernel::hooks().freed_again)())
    }
    (block, len)
}

/// Maps memory at an address, unless something is there.
fn map(at: usize, len: usize) -> bool {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE;
    let to = at as *mut c_void;
    // SAFETY: it replaces no mapping.
    let mapped = unsafe { libc::mmap(to, len, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
    if mapped != to && mapped != libc::MAP_FAILED {
        // A kernel before 4.17 takes the address as a hint.
        // SAFETY: it was mapped just now.
        unsafe { libc::munmap(mapped, len) };
    }
    mapped == to
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
        return or_no_memory(own(|heap| unsafe { heap.reallocate(at, block, len) }));
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
