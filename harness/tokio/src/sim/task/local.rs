//! tokio's `LocalSet`, for tasks that are not `Send`. tokio's own runs them; here each poll also passes the gate.

use super::{JoinHandle, new_task};
use crate::sim::gate::Gate;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

#[doc(no_inline)]
pub use real::task::LocalEnterGuard;

/// A set of tasks that run on one thread.
#[derive(Debug, Default)]
pub struct LocalSet(real::task::LocalSet);

impl LocalSet {
    /// Creates an empty set.
    pub fn new() -> LocalSet {
        LocalSet::default()
    }

    /// Spawns a task onto the set; it runs while the set is awaited.
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let id = new_task();
        JoinHandle::local(self.0.spawn_local(Gate::joinable(id, future)), id)
    }

    /// Runs a future to completion together with the set's tasks.
    pub async fn run_until<F: Future>(&self, future: F) -> F::Output {
        self.0.run_until(future).await
    }

    /// Enters the set: [`spawn_local`] uses it until the guard is dropped.
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

/// Spawns a task onto the current [`LocalSet`].
///
/// # Panics
/// Panics outside a `LocalSet`.
#[track_caller]
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let id = new_task();
    JoinHandle::local(real::task::spawn_local(Gate::joinable(id, future)), id)
}
