//! Where a task was spawned: the line that called `spawn`, or the one that started a thread.

use refrain_core::{place::Place, sources};
use std::panic::Location;

/// Where a task was spawned.
#[derive(Debug, Clone, Copy)]
pub enum Spawned {
    /// By a function that knows its caller.
    At(&'static Location<'static>),
    /// As a thread: std does not say from where, so the line was found by a backtrace.
    Thread(&'static CallPlace),
}

/// A line of the service that is not told to the function that it calls.
#[derive(Debug, PartialEq, Eq)]
pub struct CallPlace {
    /// The number of the calls that lead there, the same in every run of a worker.
    pub path: u64,
    /// The line.
    pub place: Place,
}

impl Spawned {
    /// The file as its source has it, and the line.
    pub(super) fn raw(self) -> (&'static str, u32) {
        match self {
            Spawned::At(location) => (location.file(), location.line()),
            Spawned::Thread(CallPlace { place, .. }) => (&place.file, place.line),
        }
    }

    /// The place, under its name.
    pub(super) fn place(self) -> Place {
        match self {
            Spawned::At(location) => location.into(),
            Spawned::Thread(CallPlace { place, .. }) => place.clone(),
        }
    }

    /// Passes the file's name on.
    pub(super) fn with_file<R>(self, f: impl FnOnce(&str) -> R) -> R {
        match self {
            Spawned::At(location) => f(&sources::name(location.file())),
            Spawned::Thread(CallPlace { place, .. }) => f(&place.file),
        }
    }
}

impl From<&'static Location<'static>> for Spawned {
    fn from(location: &'static Location<'static>) -> Spawned {
        Spawned::At(location)
    }
}
