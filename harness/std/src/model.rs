//! The interface between this crate and the harness that executes a model.
//!
//! This crate has no dependencies, because anything may depend on it, also what the harness itself is made of. So the
//! harness installs its functions here.

use std::{
    cell::Cell,
    panic::Location,
    sync::{OnceLock, atomic::Ordering},
    time::Duration,
};

/// A place in the source.
pub type Place = &'static Location<'static>;

/// The type of an atomic. Values of every type are passed as 64 bits: signed integers sign-extended, pointers as their
/// exposed addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // They are named as in `std`.
pub enum Type {
    Bool,
    U8,
    U16,
    U32,
    U64,
    Usize,
    I8,
    I16,
    I32,
    I64,
    Isize,
    Ptr,
}

/// A read-modify-write, by the method of `std`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // As above.
pub enum Exchange {
    Swap,
    Add,
    Sub,
    And,
    Nand,
    Or,
    Xor,
    Max,
    Min,
}

/// An atomic as it is found before an operation.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    /// Its address, which is its identity until it is dropped.
    pub address: usize,
    /// Its type.
    pub of: Type,
    /// The newest value, as it is in memory.
    pub value: u64,
    /// Where the operation is.
    pub place: Place,
}

/// An atomic in the current execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Atomic {
    /// Its number.
    pub id: usize,
    /// Its newest value. In a static this is the first one of all executions if this one has not used it yet.
    pub value: u64,
}

/// A thread that is parked in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parked {
    /// Identifies the wait, for [`Model::wake`].
    pub ticket: usize,
    /// What it passed on parking.
    pub token: usize,
}

/// The execution of a model. Threads are numbered in spawn order; 0 is the model's main thread.
pub trait Model: Sync {
    /// Returns the atomic at an address, new in this execution if it is not known or has another value than before.
    fn atomic(&self, found: Found) -> Atomic;
    /// Loads.
    fn load(&self, atomic: usize, order: Ordering, place: Place) -> u64;
    /// Stores.
    fn store(&self, atomic: usize, value: u64, order: Ordering, place: Place);
    /// Performs a read-modify-write and returns the old value.
    fn exchange(&self, atomic: usize, by: Exchange, value: u64, order: Ordering, place: Place) -> u64;
    /// Performs a compare-exchange; returns the value that it read.
    ///
    /// # Errors
    /// Returns a value other than the expected one, and stores nothing.
    fn compare_exchange(
        &self,
        atomic: usize,
        values: (u64, u64),
        orders: (Ordering, Ordering),
        place: Place,
    ) -> Result<u64, u64>;
    /// Forgets the atomic at an address, which is dropped.
    fn dropped(&self, address: usize);
    /// Performs a fence.
    fn fence(&self, order: Ordering, place: Place);

    /// Locks the queue of a key, and calls `f` with the threads that are parked in it.
    fn queue(&self, key: usize, place: Place, f: &mut dyn FnMut(&mut Vec<Parked>));
    /// Makes a ticket for the running thread.
    fn ticket(&self) -> usize;
    /// Blocks the running thread until its ticket is woken; returns the token.
    fn sleep(&self, ticket: usize, place: Place) -> usize;
    /// Wakes a thread, passing it a token.
    fn wake(&self, ticket: usize, token: usize, place: Place);
    /// Rejects a wait that ends after some time, if the engine does not support these; otherwise lets other threads run.
    fn time(&self, call: &str, place: Place);

    /// Returns the running thread.
    fn thread(&self) -> usize;
    /// Spawns a thread.
    fn spawn(&self, thread: Box<dyn FnOnce() + Send>, place: Place) -> usize;
    /// Waits for the end of a thread.
    fn join(&self, thread: usize, place: Place);
    /// Parks the running thread.
    fn park(&self, place: Place);
    /// Parks the running thread for some time.
    fn park_timeout(&self, time: Duration, place: Place);
    /// Unparks a thread.
    fn unpark(&self, thread: usize, place: Place);
    /// Lets other threads run.
    fn yield_now(&self, place: Place);
    /// Lets other threads run, if the running thread has done something since it did so last.
    fn spin_loop(&self, place: Place);
    /// Lets other threads run.
    fn sleep_for(&self, time: Duration, place: Place);
}

static MODEL: OnceLock<&'static dyn Model> = OnceLock::new();

thread_local! {
    static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Sets what executes the models of this process. The first call counts.
pub fn install(model: &'static dyn Model) {
    MODEL.get_or_init(|| model);
}

/// Sets whether this thread of the operating system executes a model's threads.
pub fn enter(is_inside: bool) {
    IS_INSIDE.set(is_inside);
}

/// Returns the model that the running thread belongs to; `None` outside of an execution.
#[inline]
pub fn current() -> Option<&'static dyn Model> {
    if IS_INSIDE.get() { MODEL.get().copied() } else { None }
}
