//! Reads the answers to system calls from where the kernel has written them.

use super::reissue::{Call, reissue};
use refrain_core::{seed::seed_of, verdict::Answer};
use std::{mem::offset_of, ptr, slice};

pub(super) mod file;

/// How much of an answer is kept as text.
const BEGINS_BYTES: usize = 64;
const BEGINS_ENTRIES: usize = 16;
/// How much of it is looked at.
const LOOKED_AT_BYTES_MAX: usize = 1 << 20;

/// The result itself.
pub(super) fn number(_: &Call, result: isize) -> Answer {
    Answer::Number(result as i64)
}

/// As many bytes as the result says, at the address in an argument.
pub(super) fn bytes<const AT: usize>(call: &Call, result: isize) -> Answer {
    // SAFETY: the kernel has written so many bytes there.
    of_bytes(unsafe { at(call.args[AT], result as usize) })
}

/// Bytes up to a zero, at the address in the first argument.
pub(super) fn text(call: &Call, result: isize) -> Answer {
    bytes::<0>(call, (result - 1).max(0))
}

/// The bytes of a datagram, which may have been longer than there was room.
pub(super) fn datagram(call: &Call, result: isize) -> Answer {
    bytes::<1>(call, result.min(call.args[2] as isize))
}

/// As many bytes as the result says, in the buffers that are listed in the second argument.
pub(super) fn pieces(call: &Call, result: isize) -> Answer {
    // SAFETY: the kernel has read this list, and filled its buffers in their order.
    unsafe { of_pieces(call.args[1] as *const libc::iovec, call.args[2], result as usize) }
}

/// The same, of a message.
pub(super) fn message(call: &Call, result: isize) -> Answer {
    // SAFETY: the kernel has read this header and its list, and filled the buffers in their order. With `MSG_TRUNC` the result may be
    // longer than they are.
    unsafe {
        let header = &*(call.args[1] as *const libc::msghdr);
        of_pieces(header.msg_iov, header.msg_iovlen as _, result as usize)
    }
}

/// # Safety
/// The list has so many buffers, of which the first `length` bytes, if there are so many, are written.
unsafe fn of_pieces(list: *const libc::iovec, count: usize, length: usize) -> Answer {
    let mut all = vec![];
    for nth in 0..count {
        // SAFETY: as the caller says.
        let piece = unsafe { &*list.add(nth) };
        // SAFETY: as the caller says.
        all.extend_from_slice(unsafe { at(piece.iov_base as usize, piece.iov_len.min(length - all.len())) });
    }
    of_bytes(&all)
}

/// What a file that was mapped begins with: the memory may not be readable.
pub(super) fn mapped(call: &Call, _: isize) -> Answer {
    let [_, length, _, _, fd, offset] = call.args;
    let mut content = vec![0u8; length.min(LOOKED_AT_BYTES_MAX)];
    let args = [fd, content.as_mut_ptr() as usize, content.len(), offset, 0, 0];
    let read = reissue(Call { number: libc::SYS_pread64, args });
    of_bytes(&content[..read.max(0) as usize])
}

/// The entries of a folder. Their numbers in the file system do not count.
pub(super) fn entries(call: &Call, result: isize) -> Answer {
    // SAFETY: the kernel has written so many bytes there.
    let mut rest = unsafe { at(call.args[1], result as usize) };
    let mut names = vec![];
    while let Some(length) = rest.get(offset_of!(libc::dirent64, d_reclen)..).and_then(|rest| rest.first_chunk()) {
        let (entry, others) = rest.split_at_checked(u16::from_ne_bytes(*length).into()).unwrap_or((rest, &[]));
        let name = &entry[offset_of!(libc::dirent64, d_name)..];
        names.push(name.split(|byte| *byte == 0).next().unwrap_or_default());
        rest = others;
    }
    names.retain(|name| ![&b"."[..], b".."].contains(name));
    let hash = names.iter().fold(0, |hash, name| seed_of(hash, hash_of(name)));
    let begins = names.iter().take(BEGINS_ENTRIES).map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    Answer::Entries { count: names.len() as u64, hash, begins }
}

/// The processor time that a process or thread has used.
pub(super) fn usage(call: &Call, _: isize) -> Answer {
    // SAFETY: the kernel has written it there.
    let usage = unsafe { ptr::read_unaligned(call.args[1] as *const libc::rusage) };
    let nanos = |time: libc::timeval| time.tv_sec as u64 * 1_000_000_000 + time.tv_usec as u64 * 1000;
    Answer::ProcessorTime(nanos(usage.ru_utime) + nanos(usage.ru_stime))
}

/// # Safety
/// So many bytes are there, and nobody writes them meanwhile.
unsafe fn at<'a>(address: usize, length: usize) -> &'a [u8] {
    if length == 0 {
        return &[];
    }
    // SAFETY: as the caller says.
    unsafe { slice::from_raw_parts(address as *const u8, length) }
}

fn of_bytes(bytes: &[u8]) -> Answer {
    let begins = String::from_utf8_lossy(&bytes[..bytes.len().min(BEGINS_BYTES)]).into_owned();
    Answer::Bytes { length: bytes.len() as u64, hash: hash_of(bytes), begins }
}

fn hash_of(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes[..bytes.len().min(LOOKED_AT_BYTES_MAX)].as_chunks();
    let words = words.iter().map(|word| u64::from_le_bytes(*word));
    words.chain(rest.iter().map(|byte| u64::from(*byte))).fold(bytes.len() as u64, seed_of)
}
