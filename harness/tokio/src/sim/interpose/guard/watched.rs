//! The system calls through which a run can read its machine, and what each is told.

use super::{
    answered,
    paths::{file_of, in_folder},
    reissue::Call,
};
use libc::{c_int, c_long};
use refrain_core::verdict::Answer;

/// What a call asks about.
#[derive(Clone, Copy)]
enum About {
    Nothing,
    /// The file of the descriptor in this argument.
    Fd(usize),
    /// The path in this argument.
    Path(usize),
    /// The path in the second of these arguments, in the folder of the first.
    In(usize, usize),
}

/// How an answer is read from the result and the arguments.
type Read = fn(&Call, isize) -> Answer;

type Row = (c_long, &'static str, About, Read);

use About::{Fd, In, Nothing, Path};
use answered::{bytes, datagram, entries, file, mapped, message, number, pieces, text, usage};

const CALLS: &[Row] = &[
    (libc::SYS_read, "read", Fd(0), bytes::<1>),
    (libc::SYS_pread64, "pread", Fd(0), bytes::<1>),
    (libc::SYS_readv, "readv", Fd(0), pieces),
    (libc::SYS_preadv, "preadv", Fd(0), pieces),
    (libc::SYS_preadv2, "preadv2", Fd(0), pieces),
    (libc::SYS_mmap, "mmap", Fd(4), mapped),
    (libc::SYS_lseek, "lseek", Fd(0), number),
    (libc::SYS_ioctl, "ioctl", Fd(0), number),
    (libc::SYS_sendfile, "sendfile", Fd(1), number),
    (libc::SYS_copy_file_range, "copy_file_range", Fd(0), number),
    (libc::SYS_fstat, "fstat", Fd(0), file::stat::<1>),
    (libc::SYS_newfstatat, "fstatat", In(0, 1), file::stat::<2>),
    (libc::SYS_statx, "statx", In(0, 1), file::statx),
    (libc::SYS_statfs, "statfs", Path(0), bytes_of::<1, { size_of::<libc::statfs>() }>),
    (libc::SYS_fstatfs, "fstatfs", Fd(0), bytes_of::<1, { size_of::<libc::statfs>() }>),
    (libc::SYS_faccessat, "faccessat", In(0, 1), number),
    (libc::SYS_faccessat2, "faccessat2", In(0, 1), number),
    (libc::SYS_getdents64, "getdents64", Fd(0), entries),
    (libc::SYS_readlinkat, "readlinkat", In(0, 1), bytes::<2>),
    (libc::SYS_getcwd, "getcwd", Nothing, text),
    (libc::SYS_openat, "openat", In(0, 1), number),
    (libc::SYS_openat2, "openat2", In(0, 1), number),
    (libc::SYS_mkdirat, "mkdirat", In(0, 1), number),
    (libc::SYS_unlinkat, "unlinkat", In(0, 1), number),
    (libc::SYS_renameat2, "renameat2", In(0, 1), number),
    (libc::SYS_linkat, "linkat", In(2, 3), number),
    (libc::SYS_symlinkat, "symlinkat", In(1, 2), number),
    (libc::SYS_recvfrom, "recvfrom", Fd(0), datagram),
    (libc::SYS_recvmsg, "recvmsg", Fd(0), message),
    (libc::SYS_recvmmsg, "recvmmsg", Fd(0), number),
    (libc::SYS_accept, "accept", Fd(0), number),
    (libc::SYS_accept4, "accept4", Fd(0), number),
    (libc::SYS_connect, "connect", Fd(0), number),
    (libc::SYS_bind, "bind", Fd(0), number),
    (libc::SYS_ppoll, "ppoll", Nothing, number),
    (libc::SYS_pselect6, "pselect6", Nothing, number),
    (libc::SYS_epoll_pwait, "epoll_pwait", Fd(0), number),
    (libc::SYS_getrusage, "getrusage", Nothing, usage),
    (libc::SYS_times, "times", Nothing, number),
];

/// Those that newer architectures do not have.
#[cfg(target_arch = "x86_64")]
const OLD_CALLS: &[Row] = &[
    (libc::SYS_stat, "stat", Path(0), file::stat::<1>),
    (libc::SYS_lstat, "lstat", Path(0), file::stat::<1>),
    (libc::SYS_access, "access", Path(0), number),
    (libc::SYS_readlink, "readlink", Path(0), bytes::<1>),
    (libc::SYS_open, "open", Path(0), number),
    (libc::SYS_creat, "creat", Path(0), number),
    (libc::SYS_mkdir, "mkdir", Path(0), number),
    (libc::SYS_rmdir, "rmdir", Path(0), number),
    (libc::SYS_unlink, "unlink", Path(0), number),
    (libc::SYS_rename, "rename", Path(0), number),
    (libc::SYS_renameat, "renameat", In(0, 1), number),
    (libc::SYS_link, "link", Path(1), number),
    (libc::SYS_symlink, "symlink", Path(1), number),
    (libc::SYS_poll, "poll", Nothing, number),
    (libc::SYS_select, "select", Nothing, number),
    (libc::SYS_epoll_wait, "epoll_wait", Fd(0), number),
];
/// The kernel of aarch64 has this one, with which glibc renames, and the crate libc does not name it.
#[cfg(target_arch = "aarch64")]
const OLD_CALLS: &[Row] = &[(38, "renameat", In(0, 1), number)];
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const OLD_CALLS: &[Row] = &[];

fn rows() -> impl Iterator<Item = &'static Row> {
    CALLS.iter().chain(OLD_CALLS)
}

/// The numbers of all of them.
pub(super) fn numbers() -> impl Iterator<Item = c_long> {
    rows().map(|(number, ..)| *number)
}

/// Whether a system call is one of them.
pub(super) fn contains(number: c_long) -> bool {
    numbers().any(|known| known == number)
}

/// Whether a system call is one of them. Memory without a file tells nothing.
pub(super) fn tells(call: &Call) -> bool {
    let is_anonymous = || call.args[3] as c_int & libc::MAP_ANONYMOUS != 0;
    contains(call.number) && !(call.number == libc::SYS_mmap && is_anonymous())
}

/// Describes a system call that tells something, and that was made: its name, what it asks about, and its answer.
pub(super) fn describe(call: &Call, result: isize) -> (&'static str, String, Answer) {
    let (_, name, about, read) = rows().find(|(number, ..)| *number == call.number).expect("it is one of them");
    let answer = if (-4095..0).contains(&result) { Answer::Failed(-result as i32) } else { read(call, result) };
    (name, about.text(call, result), answer)
}

impl About {
    fn text(self, call: &Call, result: isize) -> String {
        match self {
            Nothing => String::new(),
            Fd(nth) => file_of(call.args[nth] as c_int),
            Path(nth) => in_folder(libc::AT_FDCWD, call.args[nth], result),
            In(folder, path) => in_folder(call.args[folder] as c_int, call.args[path], result),
        }
    }
}

/// The bytes of a structure that the call has filled.
fn bytes_of<const AT: usize, const LENGTH: usize>(call: &Call, _: isize) -> Answer {
    bytes::<AT>(call, LENGTH as isize)
}
