//! What prevents a daemon from working: its cause, the line to change, what was tried, and the remedy.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;
use std::path::PathBuf;

/// A problem that an operator has to solve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The kind of problem.
    pub cause: Cause,
    /// The file to change.
    pub file: Option<PathBuf>,
    /// The line to change or to add, from 1.
    pub line: Option<usize>,
    /// What was tried.
    pub tried: String,
    /// What happened.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

/// The kinds of problems. The first three are the causes of event 41220 (Q245545).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Notes.ini does not name the ID file.
    KeyFilename,
    /// Nobody listens at the address of the server.
    Unreachable,
    /// The system does not let this user read a file or a directory.
    MissingRight,
    /// What listens there does not accept us, or is not what we look for.
    Refused,
    /// The location document keeps databases closed (Q199817).
    Location,
    /// A file or a directory of the settings cannot be used.
    Settings,
    /// A certificate or a key is missing, or is not accepted.
    Certificate,
}

impl Problem {
    /// Returns the cause of a failure to read a file.
    pub(crate) fn cause_of(error: &io::Error, otherwise: Cause) -> Cause {
        if error.kind() == io::ErrorKind::PermissionDenied { Cause::MissingRight } else { otherwise }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(out, "{}:", file.display())?;
            if let Some(line) = self.line {
                write!(out, "{line}:")?;
            }
            out.write_str(" ")?;
        }
        write!(out, "{}: {}", self.what, self.remedy)
    }
}
