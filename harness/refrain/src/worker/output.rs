//! Catches what runs print: thousands of them would drown a terminal, and a dying one says there why.
//!
//! Runs print into a pipe that the worker drains, and only the end is kept: a service that prints a gigabyte takes no
//! memory for it.

use nix::{
    errno::Errno,
    fcntl::{FcntlArg, OFlag, fcntl},
    unistd::{dup2_stderr, dup2_stdin, dup2_stdout, pipe2, read},
};
use std::{
    fs::File,
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

/// How much of the end of a run's output is kept.
const TAIL_BYTES: usize = 64 << 10;

/// What runs print.
pub struct Output {
    reader: OwnedFd,
    tail: Vec<u8>,
    buffer: Vec<u8>,
}

impl Output {
    /// Takes the standard streams of this process and of all that it forks. They read nothing.
    pub fn catch() -> io::Result<Output> {
        let (reader, writer) = pipe2(OFlag::O_CLOEXEC)?;
        fcntl(&reader, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        dup2_stdin(File::open("/dev/null")?)?;
        dup2_stdout(&writer)?;
        dup2_stderr(&writer)?;
        Ok(Output { reader, tail: vec![], buffer: vec![0; TAIL_BYTES] })
    }

    /// Forgets what earlier runs printed.
    pub fn clear(&mut self) {
        self.tail.clear();
    }

    /// What becomes readable when a run prints.
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }

    /// Takes what has been printed so far, one buffer at most; whether there was anything.
    pub fn take_some(&mut self) -> io::Result<bool> {
        match read(&self.reader, &mut self.buffer) {
            Ok(0) | Err(Errno::EAGAIN) => Ok(false),
            Ok(n) => {
                self.tail.extend_from_slice(&self.buffer[..n]);
                // Twice as much is kept at most, so that each byte is moved once.
                if self.tail.len() > 2 * TAIL_BYTES {
                    self.tail.drain(..self.tail.len() - TAIL_BYTES);
                }
                Ok(true)
            }
            Err(Errno::EINTR) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// The end of what was printed.
    pub fn tail(&self) -> String {
        let surplus = self.tail.len().saturating_sub(TAIL_BYTES);
        String::from_utf8_lossy(&self.tail[surplus..]).into_owned()
    }
}
