//! Futures in models: a thread polls one and is parked meanwhile.

use super::thread::{self, Thread};
use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};

/// Unparks a thread.
struct Unpark(Thread);

impl Wake for Unpark {
    #[track_caller]
    fn wake(self: Arc<Unpark>) {
        self.0.unpark();
    }

    #[track_caller]
    fn wake_by_ref(self: &Arc<Unpark>) {
        self.0.unpark();
    }
}

/// Runs a future to completion on the running thread, which is parked until the future is woken.
///
/// For primitives of `tokio::sync` in models, where no runtime exists:
/// [unmodified dependencies](super#unmodified-dependencies) says how they become part of models.
#[track_caller]
pub fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return value;
        }
        thread::park();
    }
}
