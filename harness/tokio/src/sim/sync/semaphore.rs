//! tokio's `Semaphore`, with the tasks that have its permits and those that wait for one.

use super::label::{Label, Part};
use crate::sim::kernel::Role;
use real::sync as tokio;
use refrain_core::event::{Operation::Acquire, Primitive};
use std::{fmt, ptr, sync::Arc};

#[doc(no_inline)]
pub use real::sync::{AcquireError, TryAcquireError};

/// A counting semaphore. As tokio's.
pub struct Semaphore {
    label: Label,
    inner: tokio::Semaphore,
}

/// Permits of a [`Semaphore`]. As tokio's.
#[must_use]
#[clippy::has_significant_drop]
#[derive(Debug)]
pub struct SemaphorePermit<'a> {
    permit: tokio::SemaphorePermit<'a>,
    part: Part,
    semaphore: &'a Semaphore,
}

/// Owned permits of a [`Semaphore`]. As tokio's.
#[must_use]
#[clippy::has_significant_drop]
#[derive(Debug)]
pub struct OwnedSemaphorePermit {
    permits: usize,
    part: Part,
    semaphore: Arc<Semaphore>,
}

impl Semaphore {
    /// The maximum number of permits.
    pub const MAX_PERMITS: usize = tokio::Semaphore::MAX_PERMITS;

    /// Creates a semaphore with this many permits.
    #[track_caller]
    pub fn new(permits: usize) -> Semaphore {
        Semaphore { label: Label::new(Primitive::Semaphore), inner: tokio::Semaphore::new(permits) }
    }

    /// Creates it in a constant context.
    #[track_caller]
    pub const fn const_new(permits: usize) -> Semaphore {
        Semaphore { label: Label::new(Primitive::Semaphore), inner: tokio::Semaphore::const_new(permits) }
    }

    /// Returns the number of available permits.
    pub fn available_permits(&self) -> usize {
        self.inner.available_permits()
    }

    /// Adds permits.
    pub fn add_permits(&self, n: usize) {
        self.label.notifies();
        self.inner.add_permits(n);
    }

    /// Forgets up to `n` available permits and returns their number.
    pub fn forget_permits(&self, n: usize) -> usize {
        self.inner.forget_permits(n)
    }

    fn permit<'a>(&'a self, permit: tokio::SemaphorePermit<'a>) -> SemaphorePermit<'a> {
        SemaphorePermit { permit, part: self.label.part(Role::Holder), semaphore: self }
    }

    fn owned(self: Arc<Self>, permits: usize) -> OwnedSemaphorePermit {
        OwnedSemaphorePermit { permits, part: self.label.part(Role::Holder), semaphore: self }
    }

    /// Acquires a permit.
    pub async fn acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.label.wait(Acquire, self.inner.acquire()).await.map(|permit| self.permit(permit))
    }

    /// Acquires `n` permits.
    pub async fn acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.label.wait(Acquire, self.inner.acquire_many(n)).await.map(|permit| self.permit(permit))
    }

    /// Acquires a permit, if one is available.
    pub fn try_acquire(&self) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.inner.try_acquire().map(|permit| self.permit(permit))
    }

    /// Acquires `n` permits, if that many are available.
    pub fn try_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.inner.try_acquire_many(n).map(|permit| self.permit(permit))
    }

    /// Blocking version of `acquire`, outside asynchronous contexts.
    #[track_caller]
    pub fn blocking_acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.inner.blocking_acquire().map(|permit| self.permit(permit))
    }

    /// Blocking version of `acquire_many`, outside asynchronous contexts.
    #[track_caller]
    pub fn blocking_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.inner.blocking_acquire_many(n).map(|permit| self.permit(permit))
    }

    /// Acquires a permit that owns an `Arc` of the semaphore.
    pub async fn acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, AcquireError> {
        self.acquire_many_owned(1).await
    }

    /// Acquires `n` permits that own an `Arc` of the semaphore.
    pub async fn acquire_many_owned(self: Arc<Self>, n: u32) -> Result<OwnedSemaphorePermit, AcquireError> {
        self.label.wait(Acquire, self.inner.acquire_many(n)).await?.forget();
        Ok(self.owned(n as usize))
    }

    /// Acquires a permit that owns an `Arc` of the semaphore, if one is available.
    pub fn try_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.try_acquire_many_owned(1)
    }

    /// Acquires `n` permits that own an `Arc` of the semaphore, if that many are available.
    pub fn try_acquire_many_owned(self: Arc<Self>, n: u32) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.inner.try_acquire_many(n)?.forget();
        Ok(self.owned(n as usize))
    }

    /// Blocking version of `acquire_owned`, outside asynchronous contexts.
    #[track_caller]
    pub fn blocking_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, AcquireError> {
        self.blocking_acquire_many_owned(1)
    }

    /// Blocking version of `acquire_many_owned`, outside asynchronous contexts.
    #[track_caller]
    pub fn blocking_acquire_many_owned(self: Arc<Self>, n: u32) -> Result<OwnedSemaphorePermit, AcquireError> {
        self.inner.blocking_acquire_many(n)?.forget();
        Ok(self.owned(n as usize))
    }

    /// Closes the semaphore: waiting tasks get an error.
    pub fn close(&self) {
        self.inner.close();
    }

    /// Returns whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<'a> SemaphorePermit<'a> {
    /// Forgets the permits: they are not returned to the semaphore.
    pub fn forget(self) {
        self.permit.forget();
    }

    /// Merges the permits of another one into this one.
    ///
    /// # Panics
    /// If they belong to another semaphore.
    #[track_caller]
    pub fn merge(&mut self, other: Self) {
        self.permit.merge(other.permit);
        self.part.used();
    }

    /// Splits `n` permits off, if there are that many.
    pub fn split(&mut self, n: usize) -> Option<Self> {
        self.part.used();
        self.permit.split(n).map(|permit| self.semaphore.permit(permit))
    }

    /// Returns the semaphore.
    pub fn semaphore(&self) -> &Semaphore {
        self.semaphore
    }

    /// Returns the number of permits.
    pub fn num_permits(&self) -> usize {
        self.permit.num_permits()
    }
}

impl OwnedSemaphorePermit {
    /// Forgets the permits: they are not returned to the semaphore.
    pub fn forget(mut self) {
        self.permits = 0;
    }

    /// Merges the permits of another one into this one.
    ///
    /// # Panics
    /// If they belong to another semaphore.
    #[track_caller]
    pub fn merge(&mut self, mut other: Self) {
        assert!(ptr::eq(&*self.semaphore, &*other.semaphore), "merging permits from different semaphore instances");
        self.permits = self.permits.checked_add(other.permits).expect("number of permits overflowed");
        other.permits = 0;
        self.part.used();
    }

    /// Splits `n` permits off, if there are that many.
    pub fn split(&mut self, n: usize) -> Option<Self> {
        self.permits = self.permits.checked_sub(n)?;
        self.part.used();
        Some(self.semaphore.clone().owned(n))
    }

    /// Returns the semaphore.
    pub fn semaphore(&self) -> &Arc<Semaphore> {
        &self.semaphore
    }

    /// Returns the number of permits.
    pub fn num_permits(&self) -> usize {
        self.permits
    }
}

impl Drop for OwnedSemaphorePermit {
    fn drop(&mut self) {
        self.semaphore.inner.add_permits(self.permits);
    }
}
