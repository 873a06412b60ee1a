//! A C library of which madsim's functions cannot be asked for the next definition: `dlsym` is its own.

use libc::{c_char, c_void};

/// # Safety
/// As `dlsym` of libc.
pub(super) unsafe fn of_libc(handle: *mut c_void, name: *const c_char) -> *mut c_void {
    // SAFETY: as the caller says.
    unsafe { libc::dlsym(handle, name) }
}

/// What the linker must take from here.
pub(super) fn symbol() -> *const () {
    libc::dlsym as *const ()
}
