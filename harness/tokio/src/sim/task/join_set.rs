//! tokio's `JoinSet`: tasks that are aborted when the set is dropped.

use super::{AbortHandle, Id, JoinError, JoinHandle, LocalSet, spawn, spawn_blocking, spawn_local};
use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll},
};

/// A set of tasks. Dropping it aborts those that are left.
pub struct JoinSet<T>(Vec<JoinHandle<T>>);

impl<T> Default for JoinSet<T> {
    fn default() -> Self {
        JoinSet::new()
    }
}

impl<T> fmt::Debug for JoinSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinSet").field("len", &self.0.len()).finish()
    }
}

impl<T> JoinSet<T> {
    /// Creates an empty set.
    pub fn new() -> JoinSet<T> {
        JoinSet(vec![])
    }

    /// Returns the number of tasks in the set.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: 'static> JoinSet<T> {
    /// Spawns a task into the set.
    #[track_caller]
    pub fn spawn<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.add(spawn(task))
    }

    /// Runs a closure as a task in the set.
    #[track_caller]
    pub fn spawn_blocking<F>(&mut self, f: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.add(spawn_blocking(f))
    }

    /// Spawns a task on the current [`LocalSet`] into the set.
    #[track_caller]
    pub fn spawn_local<F: Future<Output = T> + 'static>(&mut self, task: F) -> AbortHandle {
        self.add(spawn_local(task))
    }

    /// Spawns a task on a [`LocalSet`] into the set.
    #[track_caller]
    pub fn spawn_local_on<F: Future<Output = T> + 'static>(&mut self, task: F, local_set: &LocalSet) -> AbortHandle {
        self.add(local_set.spawn_local(task))
    }

    pub(in crate::sim) fn add(&mut self, task: JoinHandle<T>) -> AbortHandle {
        let abort = task.abort_handle();
        self.0.push(task);
        abort
    }

    /// Waits for one task to complete and returns its output; `None` if the set is empty.
    pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        poll_fn(|cx| self.poll_join_next(cx)).await
    }

    /// Like [`JoinSet::join_next`], with the task's id.
    pub async fn join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        poll_fn(|cx| self.poll_join_next_with_id(cx)).await
    }

    /// Returns the output of a completed task, if there is one.
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        match self.poll_join_next(&mut Context::from_waker(std::task::Waker::noop())) {
            Poll::Ready(done) => done,
            Poll::Pending => None,
        }
    }

    /// Like [`JoinSet::try_join_next`], with the task's id.
    pub fn try_join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        match self.poll_join_next_with_id(&mut Context::from_waker(std::task::Waker::noop())) {
            Poll::Ready(done) => done,
            Poll::Pending => None,
        }
    }

    /// Polls for one task to complete, and returns its output and id.
    pub fn poll_join_next_with_id(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<(Id, T), JoinError>>> {
        self.poll_done(cx).map(|done| done.map(|(id, result)| result.map(|value| (id, value))))
    }

    /// Polls for one task to complete, and returns its output.
    pub fn poll_join_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        self.poll_done(cx).map(|done| done.map(|(_, result)| result))
    }

    fn poll_done(&mut self, cx: &mut Context<'_>) -> Poll<Option<(Id, Result<T, JoinError>)>> {
        for index in 0..self.0.len() {
            if let Poll::Ready(done) = Pin::new(&mut self.0[index]).poll(cx) {
                let task = self.0.remove(index);
                return Poll::Ready(Some((task.id(), done)));
            }
        }
        if self.0.is_empty() { Poll::Ready(None) } else { Poll::Pending }
    }

    /// Waits for all tasks.
    ///
    /// # Panics
    /// Panics if a task was aborted.
    pub async fn join_all(mut self) -> Vec<T> {
        let mut results = vec![];
        while let Some(done) = self.join_next().await {
            results.push(done.expect("a task of join_all was cancelled"));
        }
        results
    }

    /// Aborts all tasks and waits for them to end.
    pub async fn shutdown(&mut self) {
        self.abort_all();
        while self.join_next().await.is_some() {}
    }

    /// Aborts all tasks.
    pub fn abort_all(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }

    /// Removes all tasks from the set without aborting them.
    pub fn detach_all(&mut self) {
        self.0.clear();
    }
}

impl<T, F> FromIterator<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = F>>(tasks: I) -> JoinSet<T> {
        let mut set = JoinSet::new();
        tasks.into_iter().for_each(|task| drop(set.spawn(task)));
        set
    }
}

impl<T> Drop for JoinSet<T> {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}
