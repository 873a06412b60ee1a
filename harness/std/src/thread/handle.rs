//! Threads, and handles to them.

use crate::model;
#[cfg(unix)]
use std::os::unix::thread::{JoinHandleExt, RawPthread};
use std::{
    fmt, io,
    panic::Location,
    sync::{Arc, Mutex, PoisonError},
    thread::{Scope, ScopedJoinHandle},
};

/// Like `std::thread::Thread`.
#[derive(Clone)]
pub struct Thread(Of<std::thread::Thread>);

/// Like `std::thread::ThreadId`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ThreadId(Of<std::thread::ThreadId>);

/// Something of `std`, or a thread of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Of<T> {
    Std(T),
    Model(usize),
}

/// Like `std::thread::JoinHandle`.
pub struct JoinHandle<T> {
    raw: Joins<T>,
    thread: Thread,
}

enum Joins<T> {
    Std(std::thread::JoinHandle<T>),
    Model(usize, Arc<Mutex<Option<T>>>),
}

/// Like `std::thread::Builder`. Names and stack sizes have no effect in a model.
#[derive(Debug)]
pub struct Builder(std::thread::Builder);

/// Like `std::thread::current`.
#[must_use]
pub fn current() -> Thread {
    Thread(match model::current() {
        Some(model) => Of::Model(model.thread()),
        None => Of::Std(std::thread::current()),
    })
}

/// Like `std::thread::spawn`.
///
/// # Panics
/// See `std`.
#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Builder::new().spawn(f).expect("failed to spawn thread")
}

impl Builder {
    /// See `std`.
    #[allow(clippy::new_without_default)] // As in `std`.
    #[must_use]
    pub fn new() -> Builder {
        Builder(std::thread::Builder::new())
    }

    /// See `std`.
    #[must_use]
    pub fn name(self, name: String) -> Builder {
        Builder(self.0.name(name))
    }

    /// See `std`.
    #[must_use]
    pub fn stack_size(self, bytes: usize) -> Builder {
        Builder(self.0.stack_size(bytes))
    }

    /// See `std`.
    ///
    /// # Errors
    /// None in a model.
    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let Some(model) = model::current() else {
            let raw = self.0.spawn(f)?;
            let thread = Thread(Of::Std(raw.thread().clone()));
            return Ok(JoinHandle { raw: Joins::Std(raw), thread });
        };
        let result = Arc::new(Mutex::new(None));
        let own = result.clone();
        let run = move || {
            let value = f();
            *own.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
        };
        let thread = model.spawn(Box::new(run), Location::caller());
        Ok(JoinHandle { raw: Joins::Model(thread, result), thread: Thread(Of::Model(thread)) })
    }

    /// See `std`, whose scoped thread it is in a model, too: there it is refused when it uses the model's primitives.
    ///
    /// # Errors
    /// See `std`.
    pub fn spawn_scoped<'scope, F, T>(
        self,
        scope: &'scope Scope<'scope, '_>,
        f: F,
    ) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        self.0.spawn_scoped(scope, f)
    }
}

impl<T> JoinHandle<T> {
    /// See `std`. In a model it never returns a panic, because the execution would have ended.
    ///
    /// # Errors
    /// See `std`.
    #[track_caller]
    pub fn join(self) -> std::thread::Result<T> {
        match self.raw {
            Joins::Std(raw) => raw.join(),
            Joins::Model(thread, result) => {
                if let Some(model) = model::current() {
                    model.join(thread, Location::caller());
                }
                let value = result.lock().unwrap_or_else(PoisonError::into_inner).take();
                value.ok_or_else(|| Box::new("the thread ended without a result") as Box<_>)
            }
        }
    }

    /// See `std`.
    pub fn thread(&self) -> &Thread {
        &self.thread
    }

    /// See `std`.
    pub fn is_finished(&self) -> bool {
        match &self.raw {
            Joins::Std(raw) => raw.is_finished(),
            Joins::Model(_, result) => result.lock().unwrap_or_else(PoisonError::into_inner).is_some(),
        }
    }
}

#[cfg(unix)]
impl<T> JoinHandleExt for JoinHandle<T> {
    /// See `std`.
    ///
    /// # Panics
    /// Panics in a model, whose threads are coroutines.
    fn as_pthread_t(&self) -> RawPthread {
        match &self.raw {
            Joins::Std(raw) => raw.as_pthread_t(),
            Joins::Model(..) => panic!("a thread of a model is no thread of the operating system"),
        }
    }

    /// See `std`.
    ///
    /// # Panics
    /// As [`as_pthread_t`](JoinHandleExt::as_pthread_t).
    fn into_pthread_t(self) -> RawPthread {
        match self.raw {
            Joins::Std(raw) => raw.into_pthread_t(),
            Joins::Model(..) => panic!("a thread of a model is no thread of the operating system"),
        }
    }
}

impl Thread {
    /// See `std`.
    #[must_use]
    pub fn id(&self) -> ThreadId {
        ThreadId(match &self.0 {
            Of::Std(raw) => Of::Std(raw.id()),
            Of::Model(thread) => Of::Model(*thread),
        })
    }

    /// See `std`. A model's threads have no names.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match &self.0 {
            Of::Std(raw) => raw.name(),
            Of::Model(_) => None,
        }
    }

    /// See `std`.
    #[track_caller]
    pub fn unpark(&self) {
        match &self.0 {
            Of::Std(raw) => raw.unpark(),
            Of::Model(thread) => {
                if let Some(model) = model::current() {
                    model.unpark(*thread, Location::caller());
                }
            }
        }
    }
}

impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Thread").field("id", &self.id()).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").finish_non_exhaustive()
    }
}
