//! The end of a thread: after the destructors of its thread-locals, which are the service's.
//!
//! libc runs those of its keys last, in up to four rounds. In the last one the thread says that it has ended, and waits until it is joined.

use super::thread::{Said, Thread};
use crate::sim::interpose::heap;
use libc::{c_void, pthread_key_t};
use std::sync::OnceLock;

/// As many as libc has at least, and glibc at most.
const ROUNDS: u32 = 4;

static KEY: OnceLock<pthread_key_t> = OnceLock::new();

/// Lets libc call when this thread ends.
pub(super) fn expect(thread: *mut c_void) {
    let key = *KEY.get_or_init(|| {
        let mut key = 0;
        // SAFETY: there is room for the key, and the destructor takes what is set below.
        let failed = unsafe { libc::pthread_key_create(&mut key, Some(ends)) };
        assert_eq!(failed, 0, "there are keys for thread-locals");
        key
    });
    // SAFETY: the key was created.
    unsafe { libc::pthread_setspecific(key, thread) };
}

unsafe extern "C" fn ends(argument: *mut c_void) {
    // SAFETY: it was set above, and lives as long as the run.
    let thread: &'static Thread = unsafe { &*argument.cast::<Thread>() };
    thread.rounds.set(thread.rounds.get() + 1);
    if thread.rounds.get() < ROUNDS {
        return expect(argument);
    }
    heap::leave();
    thread.say(Said::Ended);
}
