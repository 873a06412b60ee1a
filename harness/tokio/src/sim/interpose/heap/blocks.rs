//! The blocks of a run's heap: where one lies depends on what was allocated and freed before, and on nothing else.
//!
//! They are in a range of addresses that nothing else uses. Memory is mapped when it is needed, so that a limit of the address space holds as
//! it does with libc's heap.

use crate::sim::addresses;
use libc::c_void;
use std::ptr;

const START: usize = addresses::HEAP;
/// Where blocks begin that have a mapping of their own.
const LARGE: usize = START + (1 << 40);
const END: usize = START + (1 << 44);
/// Where the marks of kept memory begin: a bit for each 16 bytes of small blocks.
const MARKS: usize = END;

/// A multiple of a page: some kernels of aarch64 have pages of 64 KiB.
pub const PAGE: usize = if cfg!(target_arch = "aarch64") { 64 << 10 } else { 4096 };
/// How much is mapped at once for blocks of up to [`SMALL_MAX`].
const GROWS_BY: usize = 1 << 20;
/// The largest block that is reused for others of its class. Larger ones go back to the kernel.
const SMALL_MAX: usize = 1 << 20;
/// Blocks are multiples of 16 bytes up to 128, and then have four sizes for each power of two.
const CLASSES: usize = class_of(SMALL_MAX).0 + 1;

/// Lies before each allocation.
#[repr(C, align(16))]
struct Header {
    /// Where the block begins; no such place if it is free.
    block: usize,
    /// How long it is, with its header.
    len: usize,
}

/// How an allocation is aligned at least.
pub const HEADER: usize = size_of::<Header>();

/// Lies at the beginning of a free block, in the place of its header.
#[repr(C)]
struct Free {
    /// In the place of a [`Header`]'s: most blocks that are freed twice have their header here. 0, or [`KEPT`] and the length of a block
    /// that is kept: all else in it is as it was.
    block: usize,
    next: *mut Free,
}

/// No block begins at an odd address.
const KEPT: usize = 1;

/// The free blocks, and where the next ones begin.
pub struct Heap {
    /// Where the next small block begins, and the end of what is mapped for them.
    next: usize,
    mapped: usize,
    next_large: usize,
    free: [*mut Free; CLASSES],
    /// Whether free blocks are kept, and those that are.
    keeps: bool,
    kept: *mut Free,
}

/// Whether an address is one of this heap.
pub fn is_of_heap(at: *mut c_void) -> bool {
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
    /// Creates an empty heap. There is one range of addresses, so a process has one heap.
    pub const fn new() -> Heap {
        Heap {
            next: START,
            mapped: START,
            next_large: LARGE,
            free: [ptr::null_mut(); CLASSES],
            keeps: false,
            kept: ptr::null_mut(),
        }
    }

    /// From now on, free blocks are kept. Nothing was allocated before.
    pub fn keep(&mut self) {
        self.keeps = true;
    }

    /// Frees the blocks that are kept.
    pub fn reuse(&mut self) {
        while !self.kept.is_null() {
            let block = self.kept;
            // SAFETY: what is in the list was put there by `keep_block`, with its length.
            unsafe {
                self.kept = (*block).next;
                let len = (*block).block - KEPT;
                mark(block.addr(), len, false);
                self.put(block, len);
            }
        }
    }

    /// Whether an address is in a block that is kept.
    #[inline]
    pub fn is_kept(&self, address: usize) -> bool {
        self.keeps && (START..self.mapped).contains(&address) && {
            let (word, bit) = mark_of(address);
            // SAFETY: the marks of what is mapped are.
            unsafe { *word & bit != 0 }
        }
    }

    /// Allocates, and says whether the memory is known to be zero. Null if there is no memory.
    pub fn allocate(&mut self, len: usize, align: usize) -> (*mut c_void, bool) {
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
            let marks = |at: usize| MARKS + (at - START) / 128;
            let has_marks = || !self.keeps || map(marks(self.mapped), more / 128);
            if self.mapped + more > LARGE || !map(self.mapped, more) || !has_marks() {
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

    /// Frees an allocation.
    ///
    /// # Safety
    /// `at` was allocated here, in this block of this length.
    pub unsafe fn free(&mut self, at: *mut c_void, (block, len): (usize, usize)) {
        if len > SMALL_MAX {
            // SAFETY: the mapping is this block's alone.
            unsafe { libc::munmap(block as *mut c_void, len) };
            return;
        }
        let block = block as *mut Free;
        // SAFETY: the block is nobody's now. Its header may be elsewhere than its beginning, and is changed first.
        unsafe {
            (*header(at)).block = 0;
            if self.keeps {
                self.keep_block(block, len);
            } else {
                self.put(block, len);
            }
        }
    }

    /// # Safety
    /// The block is nobody's, and has this length.
    unsafe fn put(&mut self, block: *mut Free, len: usize) {
        let (class, _) = class_of(len);
        // SAFETY: as the caller says.
        unsafe { block.write(Free { block: 0, next: self.free[class] }) };
        self.free[class] = block;
    }

    /// # Safety
    /// The block is nobody's, and has this length.
    unsafe fn keep_block(&mut self, block: *mut Free, len: usize) {
        // SAFETY: as the caller says.
        unsafe {
            block.write(Free { block: len | KEPT, next: self.kept });
            mark(block.addr(), len, true);
        }
        self.kept = block;
    }

    /// Makes an allocation longer or shorter. Null if there is no memory.
    ///
    /// # Safety
    /// `at` was allocated here, in this block of this length.
    pub unsafe fn reallocate(&mut self, at: *mut c_void, (block, old): (usize, usize), len: usize) -> *mut c_void {
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

/// The word with the mark of an address in a small block, and its bit there.
fn mark_of(address: usize) -> (*mut u64, u64) {
    let nth = (address - START) / HEADER;
    ((MARKS + nth / 64 * size_of::<u64>()) as *mut u64, 1 << (nth % 64))
}

/// Marks a block as kept, or as not.
///
/// # Safety
/// The marks of the block are mapped.
unsafe fn mark(block: usize, len: usize, is_kept: bool) {
    for address in (block..block + len).step_by(HEADER) {
        let (word, bit) = mark_of(address);
        // SAFETY: as the caller says.
        unsafe { *word = if is_kept { *word | bit } else { *word & !bit } };
    }
}

fn header(at: *mut c_void) -> *mut Header {
    at.wrapping_byte_sub(HEADER).cast()
}

/// The block of an allocation and its length; `None` if it was freed before, or was never allocated.
///
/// # Safety
/// `at` is within what is mapped.
pub unsafe fn block_of(at: *mut c_void) -> Option<(usize, usize)> {
    // SAFETY: as the caller says.
    let Header { block, len } = unsafe { header(at).read() };
    let is_within = at.addr().is_multiple_of(HEADER) && (block..block.saturating_add(len)).contains(&at.addr());
    (block != 0 && block & KEPT == 0 && is_within).then_some((block, len))
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
