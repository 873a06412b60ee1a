//! Thread-locals: in a model, each of its threads has values of its own, which are dropped when it ends.
//!
//! A model's threads are coroutines on one thread of the operating system, and would share those of `std`.

use crate::model;
use std::{
    any::Any,
    cell::{Cell, RefCell},
    collections::BTreeMap,
    error::Error,
    fmt,
    rc::Rc,
};

/// Like `std::thread::LocalKey`.
pub struct LocalKey<T: 'static> {
    raw: &'static std::thread::LocalKey<T>,
    init: fn() -> T,
}

/// Like `std::thread::AccessError`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessError(());

/// A value of a thread.
enum Local {
    Alive(Rc<dyn Any>),
    /// It is being dropped, or was.
    Dropped,
}

thread_local! {
    /// The values of each thread of the model in the order of their creation, by the addresses of their keys.
    static LOCALS: RefCell<BTreeMap<usize, Vec<(usize, Local)>>> = const { RefCell::new(BTreeMap::new()) };
}

/// An execution begins. What an abandoned one has left is not dropped: there are no threads any more on which it could
/// be.
pub fn begin() {
    let left = LOCALS.with(|locals| std::mem::take(&mut *locals.borrow_mut()));
    std::mem::forget(left);
}

/// The running thread of the model ends: its values are dropped, the newest first.
pub fn end() {
    let Some(model) = model::current() else { return };
    let thread = model.thread();
    while let Some(value) = LOCALS.with(|locals| next_alive(&mut locals.borrow_mut(), thread)) {
        drop(value);
    }
}

fn next_alive(locals: &mut BTreeMap<usize, Vec<(usize, Local)>>, thread: usize) -> Option<Rc<dyn Any>> {
    let own = locals.get_mut(&thread)?;
    let (_, newest) = own.iter_mut().rfind(|(_, local)| matches!(local, Local::Alive(_)))?;
    match std::mem::replace(newest, Local::Dropped) {
        Local::Alive(value) => Some(value),
        Local::Dropped => None,
    }
}

impl<T: 'static> LocalKey<T> {
    /// For the macro.
    #[doc(hidden)]
    pub const fn new(raw: &'static std::thread::LocalKey<T>, init: fn() -> T) -> LocalKey<T> {
        LocalKey { raw, init }
    }

    /// See `std`.
    ///
    /// # Panics
    /// See `std`.
    pub fn with<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        self.try_with(f).expect("cannot access a thread-local during or after destruction")
    }

    /// See `std`.
    ///
    /// # Errors
    /// See `std`.
    pub fn try_with<R>(&'static self, f: impl FnOnce(&T) -> R) -> Result<R, AccessError> {
        let Some(model) = model::current() else { return self.raw.try_with(f).map_err(|_| AccessError(())) };
        let (thread, key) = (model.thread(), (&raw const *self).addr());
        let found = LOCALS.with(|locals| {
            let locals = locals.borrow();
            let local = locals.get(&thread)?.iter().find(|(other, _)| *other == key)?;
            match &local.1 {
                Local::Alive(value) => Some(Ok(value.clone())),
                Local::Dropped => Some(Err(AccessError(()))),
            }
        });
        let value = match found {
            Some(value) => value?,
            None => {
                // It may use others, and let other threads run.
                let value: Rc<dyn Any> = Rc::new((self.init)());
                let local = (key, Local::Alive(value.clone()));
                LOCALS.with(|locals| locals.borrow_mut().entry(thread).or_default().push(local));
                value
            }
        };
        Ok(f(value.downcast_ref().expect("a key has one type")))
    }
}

impl<T: 'static> LocalKey<Cell<T>> {
    /// See `std`.
    pub fn set(&'static self, value: T) {
        self.with(|cell| cell.set(value));
    }

    /// See `std`.
    pub fn get(&'static self) -> T
    where
        T: Copy,
    {
        self.with(Cell::get)
    }

    /// See `std`.
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(Cell::take)
    }

    /// See `std`.
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

impl<T: 'static> LocalKey<RefCell<T>> {
    /// See `std`.
    pub fn with_borrow<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        self.with(|cell| f(&cell.borrow()))
    }

    /// See `std`.
    pub fn with_borrow_mut<R>(&'static self, f: impl FnOnce(&mut T) -> R) -> R {
        self.with(|cell| f(&mut cell.borrow_mut()))
    }

    /// See `std`.
    pub fn set(&'static self, value: T) {
        self.with(|cell| drop(cell.replace(value)));
    }

    /// See `std`.
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(RefCell::take)
    }

    /// See `std`.
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

impl<T: 'static> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").finish_non_exhaustive()
    }
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("already destroyed")
    }
}

impl Error for AccessError {}

/// The macro of `std`.
#[doc(hidden)]
pub use ::std::thread_local as thread_local_of_std;

/// Like `std::thread_local!`.
#[macro_export]
macro_rules! thread_local {
    () => {};
    ($(#[$attribute:meta])* $vis:vis static $name:ident: $t:ty = const $init:block $(; $($rest:tt)*)?) => {
        $crate::thread_local! { $(#[$attribute])* $vis static $name: $t = $init; }
        $($crate::thread_local! { $($rest)* })?
    };
    ($(#[$attribute:meta])* $vis:vis static $name:ident: $t:ty = $init:expr $(; $($rest:tt)*)?) => {
        $(#[$attribute])*
        $vis static $name: $crate::thread::LocalKey<$t> = {
            fn init() -> $t {
                $init
            }
            $crate::thread::thread_local_of_std! { static REAL: $t = init(); }
            $crate::thread::LocalKey::new(&REAL, init)
        };
        $($crate::thread_local! { $($rest)* })?
    };
}
