//! Initialisation and completion that must happen exactly once.

use super::{
    Plain, join,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::*},
        hint, thread,
    },
    threads,
};
use std::sync::Arc;

/// Double-checked initialisation: a thread that sees the flag without the lock may not see the value.
pub fn double_checked(repaired: bool) {
    let shared = Arc::new((Mutex::new(()), AtomicBool::new(false), Plain::new(0)));
    let order = if repaired { Acquire } else { Relaxed };
    threads(2, move |_| {
        let (lock, is_made, value) = &*shared;
        if !is_made.load(order) {
            let _guard = lock.lock().unwrap();
            if !is_made.load(Relaxed) {
                value.set(7);
                is_made.store(true, Release);
            }
        }
        assert_eq!(value.get(), 7);
    });
}

/// RUSTSEC-2023-0031, `spin::Once`: a thread that waits for another's attempt returns the value even if that attempt failed.
pub fn spin_once(repaired: bool) {
    const INCOMPLETE: usize = 0;
    const RUNNING: usize = 1;
    const COMPLETE: usize = 2;

    struct Once {
        state: AtomicUsize,
        value: AtomicUsize,
    }

    impl Once {
        fn try_call(&self, make: impl Fn() -> Option<usize>, repaired: bool) -> Option<usize> {
            loop {
                match self.state.compare_exchange(INCOMPLETE, RUNNING, Acquire, Acquire) {
                    Ok(_) => {
                        let made = make();
                        self.value.store(made.unwrap_or(0), Relaxed);
                        self.state.store(if made.is_some() { COMPLETE } else { INCOMPLETE }, Release);
                        return made;
                    }
                    Err(COMPLETE) => return Some(self.value.load(Relaxed)),
                    Err(_) => {}
                }
                while self.state.load(Acquire) == RUNNING {
                    hint::spin_loop();
                }
                if !repaired || self.state.load(Acquire) == COMPLETE {
                    return Some(self.value.load(Relaxed));
                }
            }
        }
    }

    let once = Arc::new(Once { state: AtomicUsize::new(INCOMPLETE), value: AtomicUsize::new(0) });
    let fails = once.clone();
    let failing = thread::spawn(move || {
        fails.try_call(|| None, repaired);
    });
    assert_eq!(once.try_call(|| Some(7), repaired), Some(7), "a value that was made");
    join([failing]);
}

/// RUSTSEC-2021-0124, `tokio::sync::oneshot`: a value that is sent while the receiver closes is taken both by the
/// sender and by the receiver.
pub fn oneshot_close(repaired: bool) {
    const SENT: usize = 1;
    const CLOSED: usize = 2;

    struct Channel {
        state: AtomicUsize,
        value: Plain<Option<u32>>,
    }

    impl Channel {
        /// The state before.
        fn complete(&self, repaired: bool) -> usize {
            if !repaired {
                return self.state.fetch_or(SENT, AcqRel);
            }
            let mut state = self.state.load(Relaxed);
            while state & CLOSED == 0 {
                match self.state.compare_exchange(state, state | SENT, AcqRel, Acquire) {
                    Ok(_) => break,
                    Err(is) => state = is,
                }
            }
            state
        }
    }

    let channel = Arc::new(Channel { state: AtomicUsize::new(0), value: Plain::new(None) });
    let receives = channel.clone();
    let receiver = thread::spawn(move || {
        receives.state.fetch_or(CLOSED, AcqRel);
        if receives.state.load(Acquire) & SENT != 0 {
            assert!(receives.value.get().is_some(), "the value is there");
            receives.value.set(None);
        }
    });
    channel.value.set(Some(7));
    if channel.complete(repaired) & CLOSED != 0 {
        assert!(channel.value.get().is_some(), "the value is there");
        channel.value.set(None);
    }
    join([receiver]);
}
