//! Errors as Linux gives them: with their number, and so with the text that people know.

use std::io::{self, ErrorKind};

/// Too many open files: there is no kind for it.
pub(crate) const EMFILE: i32 = 24;
/// Address family not supported: neither.
pub(crate) const AF_NOT_SUPPORTED: i32 = 97;

/// The error that a system call gives for this kind.
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
