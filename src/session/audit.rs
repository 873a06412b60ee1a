//! The audit log of sessions: a line in a file for each closed session, or nothing.

use super::registry::Cause;
use super::table::Handle;
use chrono::{DateTime, Utc};
use std::fmt;
use std::fs::OpenOptions;
use std::future::Future;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tokio::task::spawn_blocking;

/// A session that is being closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// Its handle.
    pub session: Handle,
    /// Its holder.
    pub holder: String,
    /// When it was opened.
    pub opened: DateTime<Utc>,
    /// How long it was open, in whole seconds.
    pub open_secs: u64,
    /// Number of queries that used it.
    pub uses: u64,
    /// Why it was closed.
    pub cause: Cause,
}

impl fmt::Display for Closed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { session, holder, opened, open_secs, uses, cause } = self;
        let opened = opened.format("%F %TZ");
        write!(
            out,
            "session {session} of {holder}, opened {opened}, closed after {open_secs} s and {uses} uses: {cause}"
        )
    }
}

/// Records sessions when they close.
pub trait Audit: Send + Sync + 'static {
    /// Records a session.
    ///
    /// # Errors
    /// Any error; it is then retried a few times.
    fn record(&self, closed: &Closed) -> impl Future<Output = io::Result<()>> + Send;
}

/// The configured file, if any. A line is appended for each session.
#[derive(Debug)]
pub struct AuditFile(Option<PathBuf>);

impl AuditFile {
    /// Opens or creates the file, to detect errors early.
    ///
    /// # Errors
    /// The system's error.
    pub fn open(path: Option<&Path>) -> io::Result<Self> {
        path.map(append).transpose()?;
        Ok(Self(path.map(Path::to_owned)))
    }
}

impl Audit for AuditFile {
    async fn record(&self, closed: &Closed) -> io::Result<()> {
        let Some(path) = self.0.clone() else { return Ok(()) };
        let line = format!("{closed}\n");
        // Reopened for each line, because an operator may have moved the file away.
        spawn_blocking(move || append(&path)?.write_all(line.as_bytes())).await?
    }
}

fn append(path: &Path) -> io::Result<std::fs::File> {
    OpenOptions::new().create(true).append(true).open(path)
}
