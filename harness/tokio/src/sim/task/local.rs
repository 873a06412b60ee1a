//! tokio's `LocalSet`: tasks that need not be `Send`. tokio's own runs them; here each passes the gate.

use super::{JoinHandle, new_task};
use crate::sim::gate::Gate;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

#[doc(no_inline)]
pub use real::task::LocalEnterGuard;

/// Runs tasks that stay on one thread. As tokio's.
#[derive(Debug, Default)]
pub struct LocalSet(real::task::LocalSet);

impl LocalSet {
    /// An empty set.
    pub fn new() -> LocalSet {
        LocalSet::default()
    }

    /// Spawns a task into it; it runs while somebody awaits the set.
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let id = new_task();
        JoinHandle::local(self.0.spawn_local(Gate::joinable(id, future)), id)
    }

    /// Runs a future, and the tasks of the set meanwhile.
    pub async fn run_until<F: Future>(&self, future: F) -> F::Output {
        self.0.run_until(future).await
    }

    /// Makes it the set of [`spawn_local`] until the guard is dropped.
    pub fn enter(&self) -> LocalEnterGuard {
        self.0.enter()
    }
}

impl Future for LocalSet {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx)
    }
}

/// Spawns a task into the current [`LocalSet`].
///
/// # Panics
/// Outside of one.
#[track_caller]
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let id = new_task();
    JoinHandle::local(real::task::spawn_local(Gate::joinable(id, future)), id)
}
