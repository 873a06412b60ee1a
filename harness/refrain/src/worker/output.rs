//! Catches what runs print: thousands of them would drown a terminal, and a dying one says there why.

use nix::{
    sys::memfd::{MFdFlags, memfd_create},
    unistd::{dup2_stderr, dup2_stdout},
};
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

/// How much of the end of a run's output is looked at.
const TAIL_BYTES: i64 = 64 << 10;

/// Where the output of runs goes.
pub struct Output(File);

impl Output {
    /// Takes the standard output and error of this process and of all that it forks.
    pub fn catch() -> io::Result<Output> {
        let memory = memfd_create("refrain-output", MFdFlags::MFD_CLOEXEC)?;
        dup2_stdout(&memory)?;
        dup2_stderr(&memory)?;
        Ok(Output(memory.into()))
    }

    /// Forgets what earlier runs printed.
    pub fn clear(&mut self) -> io::Result<()> {
        if self.0.metadata()?.len() > 0 {
            self.0.set_len(0)?;
            self.0.seek(SeekFrom::Start(0))?;
        }
        Ok(())
    }

    /// The end of what was printed.
    pub fn tail(&mut self) -> io::Result<String> {
        let len = self.0.metadata()?.len() as i64;
        let mut bytes = vec![];
        self.0.seek(SeekFrom::Start((len - TAIL_BYTES).max(0) as u64))?;
        self.0.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}
