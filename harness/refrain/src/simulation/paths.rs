//! Paths of simulated Unix sockets in `std::fs`.
//!
//! Before a service binds a path, it removes the one that an earlier process left. It may also check whether the path exists, or
//! change its mode. These calls do not go through tokio: `std::fs` calls the C library. So every program that links Refrain
//! overrides three functions of the C library. They handle the paths of simulated sockets on the current task's machine, and
//! pass all other calls to the kernel.

use nix::{
    errno::Errno,
    fcntl::AT_FDCWD,
    libc::{
        AT_FDCWD as HERE, S_IFMT, S_IFSOCK, STATX_BASIC_STATS, SYS_statx, c_char, c_int, c_uint, mode_t,
        statx as Statx, syscall,
    },
    sys::stat::{FchmodatFlags, Mode, fchmodat},
    unistd::{UnlinkatFlags, unlinkat},
};
use std::{
    ffi::{CStr, OsStr},
    io, mem,
    os::unix::ffi::OsStrExt,
    path::Path,
};
use tokio::control;

/// The mode of a new socket with the usual umask.
const MODE: u16 = 0o755;

#[unsafe(no_mangle)]
extern "C" fn unlink(path: *const c_char) -> c_int {
    // SAFETY: who calls `unlink` gives it a string that ends with a zero.
    let path = unsafe { CStr::from_ptr(path) };
    let removed = control::remove_socket(as_path(path))
        .unwrap_or_else(|| unlinkat(AT_FDCWD, path, UnlinkatFlags::NoRemoveDir).map_err(io::Error::from));
    done(removed)
}

#[unsafe(no_mangle)]
extern "C" fn chmod(path: *const c_char, mode: mode_t) -> c_int {
    // SAFETY: who calls `chmod` gives it a string that ends with a zero.
    let path = unsafe { CStr::from_ptr(path) };
    if control::has_socket(as_path(path)) == Some(true) {
        return 0;
    }
    let mode = Mode::from_bits_truncate(mode);
    done(fchmodat(AT_FDCWD, path, mode, FchmodatFlags::FollowSymlink).map_err(io::Error::from))
}

/// `std::fs` reads metadata with it.
#[unsafe(no_mangle)]
extern "C" fn statx(folder: c_int, path: *const c_char, flags: c_int, mask: c_uint, into: *mut Statx) -> c_int {
    // SAFETY: the arguments are those of whoever asks, and the C library passes them on in the same way.
    let answer = unsafe { syscall(SYS_statx, folder, path, flags, mask, into) as c_int };
    if folder != HERE || path.is_null() || into.is_null() {
        return answer;
    }
    let error = Errno::last();
    // SAFETY: whoever calls `statx` gives it room for the answer, which was written.
    if answer == 0 && !is_socket(unsafe { &*into }) {
        return answer;
    }
    // SAFETY: whoever calls `statx` gives it a string that ends with a zero.
    match control::has_socket(as_path(unsafe { CStr::from_ptr(path) })) {
        Some(true) => {
            // SAFETY: as above, and an answer of zeros is a valid one.
            unsafe {
                *into = mem::zeroed();
                (*into).stx_mask = STATX_BASIC_STATS;
                (*into).stx_mode = S_IFSOCK as u16 | MODE;
                (*into).stx_nlink = 1;
            }
            0
        }
        Some(false) => done(Err(io::Error::from(Errno::ENOENT))),
        None if answer == 0 => 0,
        None => done(Err(io::Error::from(error))),
    }
}

fn is_socket(file: &Statx) -> bool {
    u32::from(file.stx_mode) & S_IFMT == S_IFSOCK
}

fn as_path(path: &CStr) -> &Path {
    Path::new(OsStr::from_bytes(path.to_bytes()))
}

/// Converts a result to the return value of a C function.
fn done(result: io::Result<()>) -> c_int {
    match result {
        Ok(()) => 0,
        Err(error) => {
            Errno::set_raw(error.raw_os_error().unwrap_or(Errno::EIO as i32));
            -1
        }
    }
}
