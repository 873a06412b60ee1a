//! Reads what the kernel says of a file.

use super::Call;
use refrain_core::verdict::{Answer, Metadata};
use std::ptr;

/// From a `stat` at the address in an argument.
pub fn stat<const AT: usize>(call: &Call, _: isize) -> Answer {
    // SAFETY: the kernel has written it there.
    let file = unsafe { ptr::read_unaligned(call.args[AT] as *const libc::stat) };
    Answer::File(Box::new(Metadata {
        size: file.st_size as u64,
        mode: file.st_mode,
        inode: file.st_ino,
        links: file.st_nlink as u64,
        owner: file.st_uid,
        modified: nanos(file.st_mtime, file.st_mtime_nsec),
        changed: nanos(file.st_ctime, file.st_ctime_nsec),
        accessed: nanos(file.st_atime, file.st_atime_nsec),
        created: 0,
    }))
}

/// From the last argument of `statx`.
pub fn statx(call: &Call, _: isize) -> Answer {
    // SAFETY: the kernel has written it there.
    let file = unsafe { ptr::read_unaligned(call.args[4] as *const libc::statx) };
    let time = |time: libc::statx_timestamp| nanos(time.tv_sec, time.tv_nsec.into());
    Answer::File(Box::new(Metadata {
        size: file.stx_size,
        mode: file.stx_mode.into(),
        inode: file.stx_ino,
        links: file.stx_nlink.into(),
        owner: file.stx_uid,
        modified: time(file.stx_mtime),
        changed: time(file.stx_ctime),
        accessed: time(file.stx_atime),
        created: time(file.stx_btime),
    }))
}

fn nanos(seconds: i64, nanos: i64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}
