//! The paths that system calls ask about, also of calls that the kernel refuses: what it has not read may not be there, or have no end.

use super::{
    PATH_BYTES_MAX,
    reissue::{Call, reissue},
    temporary,
};
use libc::c_int;
use std::{ffi::CStr, slice};

/// Memory is there or not in pieces of this size, or of a multiple of it.
const PAGE_BYTES: usize = 4096;

/// A path in a folder, as the caller of a system call with this result has written it where that is enough.
pub(super) fn in_folder(folder: c_int, path: usize, result: isize) -> String {
    let path = text_at(path, result);
    match (folder, &*path) {
        (libc::AT_FDCWD, _) => path,
        (_, path) if path.starts_with('/') => path.to_owned(),
        (_, "") => file_of(folder),
        (_, path) => format!("{}/{path}", file_of(folder)),
    }
}

/// The path of an open file. What has none is named by its kind: the number that follows is another one in each run.
pub(super) fn file_of(fd: c_int) -> String {
    let link = format!("/proc/self/fd/{fd}\0");
    let mut path = [0u8; PATH_BYTES_MAX];
    let args = [libc::AT_FDCWD as usize, link.as_ptr() as usize, path.as_mut_ptr() as usize, path.len(), 0, 0];
    let length = reissue(Call { number: libc::SYS_readlinkat, args });
    let path = &path[..length.max(0) as usize];
    let mut into = [0; PATH_BYTES_MAX];
    let path = String::from_utf8_lossy(temporary::named(path, &mut into).unwrap_or(path)).into_owned();
    match path.split_once(":[") {
        Some((kind, _)) => kind.to_owned(),
        None => path,
    }
}

/// The path at an address up to its zero, before the kernel has read it; `None` if the kernel will refuse it. Nothing here allocates.
pub(super) fn ahead(address: usize, copy: &mut [u8; PATH_BYTES_MAX]) -> Option<&[u8]> {
    if address == 0 {
        return None;
    }
    let result = copied(address, copy);
    if result < 0 && result != -libc::EFAULT as isize {
        // The machine does not let a process copy its own memory.
        // SAFETY: the caller gives a string that ends with a zero.
        return Some(unsafe { CStr::from_ptr(address as *const libc::c_char) }.to_bytes());
    }
    let bytes = &copy[..result.max(0) as usize];
    bytes.iter().position(|byte| *byte == 0).map(|length| &bytes[..length])
}

/// The text at an address up to its zero, or as much of it as the kernel reads.
fn text_at(address: usize, result: isize) -> String {
    let mut copy = [0; PATH_BYTES_MAX];
    let bytes: &[u8] = match address {
        0 => &[],
        // SAFETY: the kernel has read so many bytes, or fewer up to a zero.
        _ if was_read(result) => unsafe {
            let text = address as *const u8;
            slice::from_raw_parts(text, libc::strnlen(text.cast(), PATH_BYTES_MAX))
        },
        _ => {
            let length = copied(address, &mut copy).max(0);
            &copy[..length as usize]
        }
    };
    String::from_utf8_lossy(bytes.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned()
}

/// Whether the kernel has read the path of a call with this result. Others it refuses because of their other arguments, before that.
fn was_read(result: isize) -> bool {
    const AFTER_READING: [c_int; 6] =
        [libc::ENOENT, libc::EACCES, libc::ENOTDIR, libc::EEXIST, libc::ELOOP, libc::ENAMETOOLONG];
    result >= 0 || AFTER_READING.contains(&(-result as c_int))
}

/// Lets the kernel copy what is at an address, and returns how much of it is there, or why that is not known.
fn copied(address: usize, to: &mut [u8; PATH_BYTES_MAX]) -> isize {
    let process = reissue(Call { number: libc::SYS_getpid, args: [0; 6] });
    // Of a piece of which a part is not there it need not copy the rest.
    let first = PAGE_BYTES - address % PAGE_BYTES;
    let piece = |base: usize, length: usize| libc::iovec { iov_base: base as *mut _, iov_len: length };
    let there = [piece(address, first), piece(address.wrapping_add(first), PATH_BYTES_MAX - first)];
    let here = piece(to.as_mut_ptr() as usize, PATH_BYTES_MAX);
    let args = [process as usize, &raw const here as usize, 1, &raw const there as usize, there.len(), 0];
    reissue(Call { number: libc::SYS_process_vm_readv, args })
}
