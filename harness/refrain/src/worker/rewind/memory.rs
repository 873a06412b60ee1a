//! The memory of this process: keeps what it is now, and brings it back.
//!
//! What has content is copied to a file without a name, and that file is mapped privately in its place. What a run writes then goes to copies of
//! its pages. Those are overwritten with what the file has, if the kernel tells which they are ([`written`]). Otherwise, and where there are many,
//! it is told to drop them: then the next access finds the file's page, which takes several times as long as to copy one.

use super::{
    mappings::{Mapping, Mappings},
    written::written,
};
use nix::{errno::Errno, libc};
use std::{
    fs::File,
    io,
    ops::Range,
    os::fd::{AsRawFd, FromRawFd, RawFd},
    ptr,
};

/// The longest list of mappings that is read.
const TEXT_BYTES_MAX: usize = 128 << 10;
/// What is longer is dropped rather than overwritten.
const COPIED_MAX: usize = 256 << 10;
/// How many entries of `/proc/self/pagemap` are read at a time, and how long one is.
const ENTRIES: usize = 1_024;
const ENTRY_BYTES: usize = 8;
/// The bits of an entry of `/proc/self/pagemap`: the page is in memory, or was moved to a disk.
const HAS_CONTENT: u64 = 1 << 63 | 1 << 62;

/// What the memory was. It is too large for the heap, which is rewound, and lies on a stack that is not.
pub struct Memory {
    maps: RawFd,
    pages: RawFd,
    /// Where the content is mapped a second time, for reading.
    content: usize,
    before: Text,
    now: Text,
    mappings: Mappings,
    mappings_now: Mappings,
    /// The end of the heap that the kernel knows of.
    heap_end: usize,
    /// The addresses at which only runs have memory.
    of_runs: Range<usize>,
}

struct Text {
    bytes: [u8; TEXT_BYTES_MAX],
    length: usize,
}

impl Text {
    const fn new() -> Text {
        Text { bytes: [0; TEXT_BYTES_MAX], length: 0 }
    }

    /// Reads the list of mappings. `false`: it cannot be read, or is too long.
    fn read(&mut self, maps: RawFd) -> bool {
        self.length = 0;
        loop {
            let Some(rest) = self.bytes.get_mut(self.length..).filter(|rest| !rest.is_empty()) else { return false };
            // SAFETY: there are so many bytes.
            let read = unsafe { libc::pread(maps, rest.as_mut_ptr().cast(), rest.len(), self.length as libc::off_t) };
            match usize::try_from(read) {
                Ok(0) => return true,
                Ok(read) => self.length += read,
                Err(_) => return false,
            }
        }
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Memory {
    /// Of nothing yet, for a process with these descriptors of `/proc/self/maps` and `/proc/self/pagemap`. Maps the content at this address.
    pub const fn new(maps: RawFd, pages: RawFd, content: usize, of_runs: Range<usize>) -> Memory {
        let (before, now) = (Text::new(), Text::new());
        let (mappings, mappings_now) = (Mappings::new(), Mappings::new());
        Memory { maps, pages, content, before, now, mappings, mappings_now, heap_end: 0, of_runs }
    }

    /// Keeps what the memory is now, apart from that in `excluded`, in which the caller's stack and this value are.
    ///
    /// # Errors
    /// If the kernel does not let it.
    pub fn keep(&mut self, excluded: &Range<usize>) -> io::Result<()> {
        let file = memory_file()?;
        // From here on nothing is allocated or freed: that would change what is copied.
        self.read_before()?;
        let mut at = 0;
        for mapping in self.mappings.all().iter().filter(|mapping| mapping.is_private_memory()) {
            if excluded.contains(&mapping.start) {
                continue;
            }
            file.set_len((at + mapping.range().len()) as u64)?;
            if copy_content(self.pages, mapping, &file, at)? {
                map_in_place(&file, mapping, at)?;
            }
            at += mapping.range().len();
        }
        map_for_reading(&file, self.content, at)?;
        self.read_before()?;
        // SAFETY: it only asks.
        self.heap_end = unsafe { libc::sbrk(0) }.addr();
        Ok(())
    }

    fn read_before(&mut self) -> io::Result<()> {
        let is_read = self.before.read(self.maps) && self.mappings.read(self.before.bytes()).is_some();
        if is_read { Ok(()) } else { Err(io::Error::other("this process has more mappings than are looked at")) }
    }

    /// Brings the memory back. It allocates nothing. `false`: that is not possible.
    pub fn rewind(&mut self) -> bool {
        self.undo_mappings() && self.drop_written()
    }

    /// Lets the mappings be those that were kept.
    fn undo_mappings(&mut self) -> bool {
        // SAFETY: nothing but what a run has mapped is there, and no run goes on.
        if unsafe { libc::munmap(address(self.of_runs.start), self.of_runs.len()) } != 0 {
            return false;
        }
        if !self.now.read(self.maps) {
            return false;
        }
        if self.now.bytes() == self.before.bytes() {
            return true;
        }
        if self.mappings_now.read(self.now.bytes()).is_none() {
            return false;
        }
        // SAFETY: as above. If the heap has become longer, the kernel takes the rest back, and if it has become shorter, it
        // maps it again, which is seen below.
        unsafe { libc::brk(address(self.heap_end)) };
        self.mappings_now.all().iter().for_each(|mapping| self.undo(mapping));
        self.now.read(self.maps) && self.now.bytes() == self.before.bytes()
    }

    fn undo(&self, now: &Mapping) {
        for gap in self.mappings.gaps(now.range()) {
            // SAFETY: nothing was here when the memory was kept.
            unsafe { libc::munmap(address(gap.start), gap.len()) };
        }
        for before in self.mappings.all().iter().filter(|before| before.start < now.end && now.start < before.end) {
            if protection(before) != protection(now) {
                let part = before.start.max(now.start)..before.end.min(now.end);
                // SAFETY: it has the protection that it had when the memory was kept.
                unsafe { libc::mprotect(address(part.start), part.len(), protection(before)) };
                if !before.is_shared && !before.is_of_file {
                    // It had no content.
                    drop_pages(&part);
                }
            }
        }
    }

    /// Brings back what was written since the memory was kept.
    fn drop_written(&self) -> bool {
        let stack = ptr::from_ref(self).addr();
        let (mut at, mut all) = (self.content, true);
        for mapping in self.mappings.all().iter().filter(|mapping| mapping.is_private_memory()) {
            if mapping.range().contains(&stack) {
                continue;
            }
            // Without content it is of no file, and what was written is dropped.
            let is_copied = mapping.is_of_file
                && written(self.pages, &mapping.range(), |part| {
                    all &= if part.len() > COPIED_MAX {
                        drop_pages(&part)
                    } else {
                        copy_back(&part, at + part.start - mapping.start)
                    };
                })
                .is_some();
            all &= is_copied || drop_pages(&mapping.range());
            at += mapping.range().len();
        }
        all
    }
}

/// Lets the kernel drop what was written: the pages of a file have what they had, and where there is no file there was nothing.
fn drop_pages(part: &Range<usize>) -> bool {
    // SAFETY: nobody uses what was written.
    unsafe { libc::madvise(address(part.start), part.len(), libc::MADV_DONTNEED) == 0 }
}

/// Overwrites what was written.
fn copy_back(part: &Range<usize>, content: usize) -> bool {
    // SAFETY: both are mapped with this length, and nobody else uses this memory.
    unsafe { ptr::copy_nonoverlapping(address(content).cast::<u8>(), address(part.start).cast::<u8>(), part.len()) };
    true
}

fn address(at: usize) -> *mut libc::c_void {
    ptr::with_exposed_provenance_mut(at)
}

fn protection(mapping: &Mapping) -> libc::c_int {
    let bit = |is_set, bit| if is_set { bit } else { 0 };
    bit(mapping.is_readable, libc::PROT_READ)
        | bit(mapping.is_writable, libc::PROT_WRITE)
        | bit(mapping.is_executable, libc::PROT_EXEC)
}

/// Copies the pages of a mapping that have content to a file. Returns whether there are any.
fn copy_content(pages: RawFd, mapping: &Mapping, file: &File, at: usize) -> io::Result<bool> {
    // SAFETY: the call has no pointers.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
    let (mut entries, mut any) = ([0u8; ENTRIES * ENTRY_BYTES], false);
    for first in mapping.range().step_by(ENTRIES * page) {
        let count = ENTRIES.min((mapping.end - first) / page);
        let entries = &mut entries[..count * ENTRY_BYTES];
        // SAFETY: there is room for so many bytes.
        let read = unsafe {
            libc::pread(pages, entries.as_mut_ptr().cast(), entries.len(), (first / page * ENTRY_BYTES) as libc::off_t)
        };
        if read != entries.len() as isize {
            return Err(io::Error::last_os_error());
        }
        for (nth, entry) in entries.chunks_exact(ENTRY_BYTES).enumerate() {
            let entry = u64::from_ne_bytes(entry.try_into().expect("an entry's bytes"));
            // What is not in memory of a file is in the file.
            if mapping.is_of_file || entry & HAS_CONTENT != 0 {
                let from = first + nth * page;
                copy(file, &(from..from + page), at + from - mapping.start)?;
                any = true;
            }
        }
    }
    Ok(any)
}

/// An empty file in memory that has no name.
fn memory_file() -> io::Result<File> {
    // SAFETY: the name ends with a zero.
    let fd = unsafe { libc::memfd_create(c"refrain".as_ptr(), libc::MFD_CLOEXEC) };
    // SAFETY: it was opened just now.
    Errno::result(fd).map(|fd| unsafe { File::from_raw_fd(fd) }).map_err(io::Error::from)
}

/// Copies memory to a file.
fn copy(file: &File, part: &Range<usize>, at: usize) -> io::Result<()> {
    let mut done = 0;
    while done < part.len() {
        let (from, length) = (address(part.start + done), part.len() - done);
        // SAFETY: it is readable, and the kernel says if it is not.
        let written = unsafe { libc::pwrite(file.as_raw_fd(), from, length, (at + done) as libc::off_t) };
        match usize::try_from(written) {
            Ok(written) if written > 0 => done += written,
            _ => return Err(io::Error::last_os_error()),
        }
    }
    Ok(())
}

/// Maps a file in the place of memory with the same content.
fn map_in_place(file: &File, mapping: &Mapping, at: usize) -> io::Result<()> {
    let (flags, length) = (libc::MAP_PRIVATE | libc::MAP_FIXED, mapping.range().len());
    let (to, fd) = (address(mapping.start), file.as_raw_fd());
    // SAFETY: nobody sees a difference: the file has what is there, this thread is the only one, and its stack is elsewhere.
    let mapped = unsafe { libc::mmap(to, length, protection(mapping), flags, fd, at as libc::off_t) };
    if mapped == to { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Maps the content of a file a second time, at an address where nothing is.
fn map_for_reading(file: &File, at: usize, length: usize) -> io::Result<()> {
    let flags = libc::MAP_SHARED | libc::MAP_FIXED_NOREPLACE;
    // SAFETY: a new mapping, which replaces none.
    let mapped = unsafe { libc::mmap(address(at), length, libc::PROT_READ, flags, file.as_raw_fd(), 0) };
    if mapped == address(at) { Ok(()) } else { Err(io::Error::last_os_error()) }
}
