//! libc's functions for threads.

use super::{
    are_simulated, begin, join, start,
    thread::{Main, Thread, named},
};
use libc::{c_int, c_void, pthread_attr_t, pthread_t};
use std::{
    mem::MaybeUninit,
    ptr,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

type Native = extern "C-unwind" fn(*mut c_void) -> *mut c_void;

/// A thread of a simulated process, or a real one.
///
/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_create(
    thread: *mut pthread_t,
    attributes: *const pthread_attr_t,
    main: Main,
    argument: *mut c_void,
) -> c_int {
    if are_simulated() {
        // SAFETY: as the caller says.
        return unsafe { start(thread, attributes, main, argument) };
    }
    libcs!(pthread_create(
        thread: *mut pthread_t, attributes: *const pthread_attr_t, main: Main, argument: *mut c_void
    ) -> c_int)
}

/// Lets libc create a thread, which waits for its turn. It can be joined, whatever the attributes say.
///
/// # Safety
/// As libc's.
pub(super) unsafe fn create_native(
    native: *mut pthread_t,
    attributes: *const pthread_attr_t,
    thread: &'static Thread,
) -> c_int {
    let mut own = MaybeUninit::<pthread_attr_t>::uninit();
    if let Some(given) = unsafe { attributes.as_ref() } {
        let mut state = 0;
        // SAFETY: the caller's attributes are initialised. The copy is not destroyed, and used during this call only.
        unsafe {
            ptr::copy_nonoverlapping(given, own.as_mut_ptr(), 1);
            pthread_attr_getdetachstate(given, &mut state);
            libc::pthread_attr_setdetachstate(own.as_mut_ptr(), libc::PTHREAD_CREATE_JOINABLE);
        }
        thread.is_detached.set(state == libc::PTHREAD_CREATE_DETACHED);
    }
    let attributes = if attributes.is_null() { ptr::null() } else { own.as_ptr().cast_mut() };
    let (main, argument): (Native, _) = (begin, ptr::from_ref(thread).cast_mut().cast::<c_void>());
    libcs!(pthread_create(
        native: *mut pthread_t, attributes: *const pthread_attr_t, main: Native, argument: *mut c_void
    ) -> c_int)
}

unsafe extern "C" {
    fn pthread_attr_getdetachstate(attributes: *const pthread_attr_t, state: *mut c_int) -> c_int;
}

/// Waits for the end of a thread; other tasks go on.
///
/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_join(native: pthread_t, result: *mut *mut c_void) -> c_int {
    let Some(thread) = are_simulated().then(|| named(native)).flatten() else {
        return libcs!(pthread_join(native: pthread_t, result: *mut *mut c_void) -> c_int);
    };
    if thread.is_detached.get() {
        return libc::EINVAL;
    }
    let returned = join(thread);
    // SAFETY: the caller gives a place for the result, or null.
    if let Some(result) = unsafe { result.as_mut() } {
        *result = returned;
    }
    0
}

/// Nobody will wait for the thread.
///
/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_detach(native: pthread_t) -> c_int {
    let Some(thread) = are_simulated().then(|| named(native)).flatten() else {
        return libcs!(pthread_detach(native: pthread_t) -> c_int);
    };
    match thread.is_detached.replace(true) {
        true => return libc::EINVAL,
        false if thread.has_ended.get() => thread.bury(),
        false => {}
    }
    0
}
