//! How the command ends: its exit codes, and why it could not do what it was asked.

/// How the command ends, from the least serious to the most serious: of several, the last in this order counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Everything passed; a seeded bug that was caught as expected passed.
    Passed,
    /// No test matches.
    NothingToRun,
    /// A replay is not the saved run.
    Differs,
    /// A failure was found or reproduced, or a seeded bug was not caught.
    Failed,
    /// The harness could not do its work, so that nothing is known about the service.
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
        }
    }
}

/// Why the harness could not do what it was asked: what was tried, and what to do.
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
