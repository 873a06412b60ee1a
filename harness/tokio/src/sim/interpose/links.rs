//! Functions of libc that follow links: a path in the temporary folder of a run keeps the name that is the same in every process.

use super::guard::{PATH_BYTES_MAX, is_guarded, temporary};
use crate::sim::section::unguarded;
use libc::c_char;
use std::{
    ffi::CStr,
    ptr,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// std makes paths canonical with it.
///
/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn realpath(path: *const c_char, into: *mut c_char) -> *mut c_char {
    // SAFETY: the caller gives a path, or null.
    if !is_guarded() || path.is_null() || !temporary::is_named(unsafe { CStr::from_ptr(path) }.to_bytes()) {
        return libcs!(realpath(path: *const c_char, into: *mut c_char) -> *mut c_char);
    }
    let mut real = [0u8; PATH_BYTES_MAX];
    let found = real.as_mut_ptr().cast();
    // No link on the way is the service's: what the kernel says of them is another answer in each process.
    if unguarded(|| libcs!(realpath(path: *const c_char, found: *mut c_char) -> *mut c_char)).is_null() {
        return ptr::null_mut();
    }
    let real = real.split(|byte| *byte == 0).next().unwrap_or_default();
    let mut name = [0; PATH_BYTES_MAX];
    let name = temporary::named(real, &mut name).unwrap_or(real);
    // SAFETY: memory for the path and a zero is the caller's, who has room for the longest path, or is allocated here.
    unsafe {
        let into = if into.is_null() { libc::malloc(name.len() + 1).cast() } else { into };
        if !into.is_null() {
            ptr::copy_nonoverlapping(name.as_ptr(), into.cast(), name.len());
            into.add(name.len()).write(0);
        }
        into
    }
}
