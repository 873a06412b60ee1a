//! Errors of reading and writing traces: what failed, where, and what to do.

use super::{EVENTS_MAX, FILE_BYTES_MAX, LINE_BYTES_MAX, SOCKETS_MAX, VALUES_MAX, VERSION};
use crate::escape::escaped;
use std::{
    io,
    path::{Path, PathBuf},
};

/// An error of a trace file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// The file system returned an error.
    #[error("{}: cannot {tried}: {source}: check the path and its permissions", shown(path))]
    File {
        /// The file or its directory.
        path: PathBuf,
        /// The operation: `read the trace`.
        tried: &'static str,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The path is not a regular file.
    #[error("{}: is {what}, expected a regular file: name one trace file", shown(path))]
    NoFile {
        /// The path.
        path: PathBuf,
        /// What it is: `a folder`.
        what: &'static str,
    },
    /// Every name that the trace could have is taken.
    #[error(
        "{}: is the trace of another failure, as are {tried} like it: remove those that are not needed",
        shown(path)
    )]
    Taken {
        /// The last name that was tried.
        path: PathBuf,
        /// How many were tried.
        tried: usize,
    },
    /// The file is empty.
    #[error("{}:1: is empty, expected a header: {RESTORE}", shown(path))]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file is not a trace.
    #[error(
        "{}:1: is no trace, expected a line that begins with {{\"refrain-trace\":{VERSION}: name a saved trace",
        shown(path)
    )]
    NoTrace {
        /// The file.
        path: PathBuf,
    },
    /// A newer version of refrain wrote it.
    #[error("{}:1: trace has format {found}, this build reads {VERSION}: update refrain", shown(path))]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
    },
    /// A development version of refrain wrote it, in a format that was never released.
    #[error("{}:1: trace has format {found}, this build reads {VERSION}: delete it and explore again", shown(path))]
    Older {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
    },
    /// The file is truncated within its header.
    #[error("{}:1: is torn: it ends within the header: {RESTORE}", shown(path))]
    TornHeader {
        /// The file.
        path: PathBuf,
    },
    /// The file is truncated.
    #[error("{}:{}: is torn: the header promises {promised} events and sockets, {found} are there: {RESTORE}", shown(path), found + 2)]
    Torn {
        /// The file.
        path: PathBuf,
        /// Number of events and sockets that the header states.
        promised: usize,
        /// Number of complete ones found.
        found: usize,
    },
    /// The file continues after its last event or socket.
    #[error("{}:{}: the header promises {promised} events and sockets, more text follows: {RESTORE}", shown(path), promised + 2)]
    Longer {
        /// The file.
        path: PathBuf,
        /// Number of events and sockets that the header states.
        promised: usize,
    },
    /// A line is invalid.
    #[error("{}:{line}: {what}: correct it, or {RESTORE}", shown(path))]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What was expected and what was found.
        what: String,
    },
    /// A limit was exceeded.
    #[error("{}:{line}: has {what}: shrink the trace, or explore again", shown(path))]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The limit.
        what: Limit,
    },
    /// The file would not be readable after writing.
    #[error("{}: not written, as it could not be read again: {why}", shown(path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reader's error, or that it reads a different trace.
        why: String,
    },
}

/// A limit of trace files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Limit {
    /// On the length of the file.
    #[error("more than {FILE_BYTES_MAX} bytes")]
    File,
    /// On the length of a line.
    #[error("a line of more than {LINE_BYTES_MAX} bytes")]
    Line,
    /// On the number of JSON values.
    #[error("more than {VALUES_MAX} JSON values")]
    Values,
    /// On the number of events.
    #[error("more than {EVENTS_MAX} events")]
    Events,
    /// On the number of sockets.
    #[error("more than {SOCKETS_MAX} sockets")]
    Sockets,
}

/// Escapes a path for the terminal.
fn shown(path: &Path) -> String {
    escaped(&path.to_string_lossy())
}

const RESTORE: &str = "restore it from version control or explore again";
