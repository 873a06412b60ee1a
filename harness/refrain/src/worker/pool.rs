//! The test process's side: starts workers and hands out jobs.

use crate::{
    engine::{Ask, Refusal, Workers, refused},
    job::{Answer, Job},
    protocol::ENV,
};
use nix::sys::personality::{self, Persona};
use std::{
    io::{self, BufRead, BufReader, Write},
    num::NonZeroUsize,
    os::unix::net::UnixStream,
    process::{Child, Command, Stdio},
};

/// The role of a worker, in [`ENV`].
pub const WORKER: &str = "worker";

/// Workers of one test. They end when it is dropped.
pub(crate) struct Pool {
    workers: Vec<Worker>,
}

/// One worker process.
struct Worker {
    child: Child,
    socket: BufReader<UnixStream>,
}

/// As many workers as there are cores.
pub(crate) fn default_jobs() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

impl Pool {
    /// Starts `jobs` workers of a test of this executable.
    pub fn start(test: &str, jobs: usize) -> io::Result<Pool> {
        let workers = (0..jobs.max(1)).map(|_| Worker::start(test)).collect::<io::Result<_>>()?;
        Ok(Pool { workers })
    }
}

impl Workers for Pool {
    fn all(&mut self) -> Vec<&mut dyn Ask> {
        self.workers.iter_mut().map(|worker| worker as &mut dyn Ask).collect()
    }
}

impl Ask for Worker {
    fn ask(&mut self, job: &Job) -> Result<Answer, Refusal> {
        self.exchange(job).map_err(refused)
    }
}

impl Worker {
    fn start(test: &str) -> io::Result<Worker> {
        let (ours, theirs) = UnixStream::pair()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--exact", test, "--test-threads=1", "--nocapture"]).env(ENV, WORKER);
        command.stdin(Stdio::from(std::os::fd::OwnedFd::from(theirs))).stdout(Stdio::null()).stderr(Stdio::null());
        // What a run prints, and what its errors carry, is the same wherever it runs.
        command.env("RUST_BACKTRACE", "0").env_remove("RUST_LIB_BACKTRACE");
        let child = without_randomised_addresses(|| command.spawn())?;
        Ok(Worker { child, socket: BufReader::new(ours) })
    }

    fn exchange(&mut self, job: &Job) -> io::Result<Answer> {
        let mut line = serde_json::to_string(job)?;
        line.push('\n');
        self.socket.get_mut().write_all(line.as_bytes())?;
        let mut answer = String::new();
        if self.socket.read_line(&mut answer)? == 0 {
            let status = self.child.wait()?;
            return Err(io::Error::other(format!("a worker process ended in the middle of its work: {status}")));
        }
        Ok(serde_json::from_str(&answer)?)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.socket.get_ref().shutdown(std::net::Shutdown::Both);
        let _ = self.child.wait();
    }
}

/// Starts a process whose addresses are the same each time. Where that is forbidden they are not, and a service whose
/// behaviour depends on addresses is then found to be nondeterministic.
fn without_randomised_addresses<R>(start: impl FnOnce() -> R) -> R {
    let before = personality::get();
    if let Ok(before) = before {
        let _ = personality::set(before | Persona::ADDR_NO_RANDOMIZE);
    }
    let started = start();
    if let Ok(before) = before {
        let _ = personality::set(before);
    }
    started
}
