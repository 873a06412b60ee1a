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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn closed(holder: &str) -> Closed {
        let opened = DateTime::from_timestamp(1_785_747_600, 0).expect("in range");
        let (session, cause) = (Handle::from_number(0x1_0000_0002), Cause::Dropped);
        Closed { session, holder: holder.into(), opened, open_secs: 75, uses: 3, cause }
    }

    #[tokio::test]
    async fn each_closed_session_is_a_line_of_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sessions.log");
        let audit = AuditFile::open(Some(&path)).expect("it can be created");
        audit.record(&closed("excalcon")).await.expect("written");
        audit.record(&closed("carol@notes.example")).await.expect("written");
        let rest = "opened 2026-08-03 09:00:00Z, closed after 75 s and 3 uses: dropped by an administrator\n";
        let expected = format!(
            "session 100000002 of excalcon, {rest}\
             session 100000002 of carol@notes.example, {rest}"
        );
        assert_eq!(fs::read_to_string(&path).expect("text"), expected);
        // An operator rotates the log.
        fs::rename(&path, folder.path().join("sessions.log.1")).expect("moved");
        audit.record(&closed("excalcon")).await.expect("written");
        assert_eq!(fs::read_to_string(&path).expect("text"), format!("session 100000002 of excalcon, {rest}"));
    }

    #[tokio::test]
    async fn without_a_file_nothing_is_written_and_one_that_cannot_be_written_is_an_error() {
        AuditFile::open(None).expect("nothing to open").record(&closed("excalcon")).await.expect("nothing to do");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("gone/sessions.log");
        assert_eq!(AuditFile::open(Some(&path)).expect_err("no folder").kind(), io::ErrorKind::NotFound);
    }
}
