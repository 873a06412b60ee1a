//! Exit codes, and the errors that lead to them.

/// How the command ends, in order of severity: of several results, the most severe counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Everything passed. A seeded bug that was caught as expected is a pass.
    Passed,
    /// No test matches.
    NothingToRun,
    /// A replay fails in a different way than the saved run.
    Differs,
    /// A replay passes, but not all of its plan was triggered.
    Stale,
    /// A failure was found or reproduced, or a seeded bug was not caught.
    Failed,
    /// The harness could not run: nothing is known about the service.
    CouldNotRun,
    /// The command line is wrong.
    Usage,
}

impl Exit {
    pub fn code(self) -> u8 {
        match self {
            Exit::Passed => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::CouldNotRun => 3,
            Exit::NothingToRun => 4,
            Exit::Differs => 5,
            Exit::Stale => 6,
        }
    }
}

/// An error of the harness: what was tried, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub exit: Exit,
    pub message: String,
}

impl Problem {
    pub fn could_not_run(message: impl Into<String>) -> Self {
        Problem { exit: Exit::CouldNotRun, message: message.into() }
    }

    pub fn nothing_to_run(message: impl Into<String>) -> Self {
        Problem { exit: Exit::NothingToRun, message: message.into() }
    }
}
