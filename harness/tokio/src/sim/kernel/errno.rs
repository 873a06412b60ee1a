//! I/O errors as Linux returns them, with the errno and thus the usual message.

use std::io::{self, ErrorKind};

/// `EMFILE`, too many open files; `io::ErrorKind` has no stable variant for it.
pub(crate) const EMFILE: i32 = 24;
/// `ENOENT` and `ENOTDIR`.
pub(crate) const NO_SUCH_FILE: i32 = 2;
pub(crate) const NOT_A_DIRECTORY: i32 = 20;
/// `EDESTADDRREQ`, `EMSGSIZE` and `EPROTOTYPE`: `io::ErrorKind` has no variants for them.
pub(crate) const DESTINATION_REQUIRED: i32 = 89;
pub(crate) const MESSAGE_TOO_LONG: i32 = 90;
pub(crate) const WRONG_TYPE: i32 = 91;
/// `EAFNOSUPPORT`, address family not supported; likewise.
pub(crate) const AF_NOT_SUPPORTED: i32 = 97;

/// Returns the error that a system call returns for this kind.
pub(crate) fn os_error(kind: ErrorKind) -> io::Error {
    let number = match kind {
        ErrorKind::PermissionDenied => 1,
        ErrorKind::WouldBlock => 11,
        ErrorKind::InvalidInput => 22,
        ErrorKind::BrokenPipe => 32,
        ErrorKind::AddrInUse => 98,
        ErrorKind::AddrNotAvailable => 99,
        ErrorKind::NetworkDown => 100,
        ErrorKind::NetworkUnreachable => 101,
        ErrorKind::ConnectionReset => 104,
        ErrorKind::NotConnected => 107,
        ErrorKind::TimedOut => 110,
        ErrorKind::ConnectionRefused => 111,
        ErrorKind::HostUnreachable => 113,
        other => return other.into(),
    };
    io::Error::from_raw_os_error(number)
}
