//! tokio's `Barrier`, with the tasks that wait at it.

use super::label::Label;
use real::sync as tokio;
use refrain_core::event::{Operation, Primitive};
use std::fmt;

#[doc(no_inline)]
pub use real::sync::BarrierWaitResult;

/// Lets tasks continue when enough of them have arrived. As tokio's.
pub struct Barrier {
    label: Label,
    inner: tokio::Barrier,
}

impl Barrier {
    /// Creates a barrier for `n` tasks.
    #[track_caller]
    pub fn new(n: usize) -> Barrier {
        Barrier { label: Label::new(Primitive::Barrier), inner: tokio::Barrier::new(n) }
    }

    /// Waits until enough tasks have arrived.
    pub async fn wait(&self) -> BarrierWaitResult {
        self.label.wait(Operation::Meet, self.inner.wait()).await
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
