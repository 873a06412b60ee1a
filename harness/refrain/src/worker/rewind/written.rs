//! Which pages of a private mapping of a file were written to, as the kernel knows since Linux 6.7.

use nix::libc;
use std::{mem, ops::Range, os::fd::RawFd};

/// `PAGEMAP_SCAN` of `linux/fs.h`, and the properties of pages that it knows.
const SCAN: libc::c_ulong = 0xc060_6610;
const IS_OF_FILE: u64 = 1 << 2;
const IS_PRESENT: u64 = 1 << 3;
const IS_SWAPPED: u64 = 1 << 4;
const IS_ZERO: u64 = 1 << 5;
/// How many parts one call finds at most.
const PARTS: usize = 256;

/// `struct pm_scan_arg`.
#[repr(C)]
struct Scan {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    parts: u64,
    parts_length: u64,
    pages_max: u64,
    inverted: u64,
    all_of: u64,
    any_of: u64,
    returned: u64,
}

/// `struct page_region`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Part {
    start: u64,
    end: u64,
    _properties: u64,
}

/// Calls `each` with the parts of a range that were written to. `None`: the kernel does not tell.
pub fn written(pagemap: RawFd, range: &Range<usize>, mut each: impl FnMut(Range<usize>)) -> Option<()> {
    let mut parts = [Part { start: 0, end: 0, _properties: 0 }; PARTS];
    let mut from = range.start as u64;
    while from < range.end as u64 {
        let mut scan = Scan {
            size: mem::size_of::<Scan>() as u64,
            flags: 0,
            start: from,
            end: range.end as u64,
            walk_end: 0,
            parts: parts.as_mut_ptr().expose_provenance() as u64,
            parts_length: PARTS as u64,
            pages_max: 0,
            // A page that was written to is a copy: it is no longer the file's.
            inverted: IS_OF_FILE | IS_ZERO,
            all_of: IS_OF_FILE | IS_ZERO,
            any_of: IS_PRESENT | IS_SWAPPED,
            returned: IS_PRESENT,
        };
        // SAFETY: the argument is what the call takes, and has room for so many parts.
        let found = unsafe { libc::ioctl(pagemap, SCAN, &raw mut scan) };
        let found = parts.get(..usize::try_from(found).ok()?)?;
        if scan.walk_end <= from {
            return None;
        }
        found.iter().for_each(|part| each(part.start as usize..part.end as usize));
        from = scan.walk_end;
    }
    Some(())
}
