//! The test process's side: starts workers and hands out jobs.

use super::{orphans, temporary};
use crate::{
    engine::{self, Ask, Refusal, Slot, Workers, refused},
    job::{Answer, Job},
    protocol::{ENV, Isolation, Machine},
};
use nix::sys::personality::{self, Persona};
use std::{
    env,
    io::{self, BufRead, BufReader, Write},
    net::Shutdown,
    num::NonZeroUsize,
    os::{
        fd::OwnedFd,
        unix::{net::UnixStream, process::CommandExt},
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The role of a worker, in [`ENV`].
pub const WORKER: &str = "worker";
/// The role of a worker whose runs report backtraces.
pub const WORKER_WITH_BACKTRACES: &str = "worker with backtraces";
/// The variable in which a worker is told where source coverage of each kind of fault goes.
pub const COVERAGE: &str = "REFRAIN_COVERAGE";
/// How often a job is given to a new worker after one was killed from outside.
const RESTARTS_MAX: u64 = 3;
/// How long a worker may take to end what it started, and then itself.
const EXIT_MAX: Duration = Duration::from_secs(15);
/// How often it is looked whether it has.
const EXIT_LOOK: Duration = Duration::from_micros(200);

/// Workers of one test. They end when it is dropped.
pub(crate) struct Pool {
    workers: Vec<Worker>,
    isolation: Isolation,
}

/// One worker. Its process is started by its first job.
struct Worker {
    test: &'static str,
    memory_max: u64,
    is_first: bool,
    process: Option<Process>,
    machine: Machine,
    /// Where its counters of source coverage go, apart for each kind of fault.
    coverage: Option<PathBuf>,
}

/// A worker's process, guard included.
struct Process {
    child: Child,
    socket: BufReader<UnixStream>,
}

/// As many workers as there are cores.
pub(crate) fn default_jobs() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

impl Pool {
    /// Of at most `jobs` workers of a test of this executable, whose runs have this memory limit.
    pub fn new(test: &'static str, memory_max: u64, jobs: usize) -> Pool {
        // Not in a worker: what it reads there would be seen in the heap that its runs have a copy of.
        temporary::remove_abandoned();
        let worker = |nth| Worker {
            test,
            memory_max,
            is_first: nth == 0,
            process: None,
            machine: Machine::default(),
            coverage: None,
        };
        Pool { workers: (0..jobs.max(1)).map(worker).collect(), isolation: Isolation::default() }
    }

    /// The same, with the runs of explorations kept apart in this way.
    pub fn isolated(self, isolation: Isolation) -> Pool {
        Pool { isolation, ..self }
    }

    /// The same, with the source coverage of each kind of fault in a folder.
    pub fn counted_apart(mut self, coverage: Option<PathBuf>) -> Pool {
        self.workers.iter_mut().for_each(|worker| worker.coverage.clone_from(&coverage));
        self
    }

    /// What the machine did to the runs of these workers.
    pub fn machine(&self) -> Machine {
        self.workers.iter().fold(Machine::default(), |sum, worker| sum.and(worker.machine))
    }
}

impl Workers for Pool {
    fn isolation(&self) -> Isolation {
        self.isolation
    }

    fn all(&mut self) -> Vec<&mut dyn Ask> {
        self.workers.iter_mut().map(|worker| worker as &mut dyn Ask).collect()
    }
}

impl Ask for Worker {
    fn slot(&mut self) -> Option<Slot> {
        if self.is_first { Some(engine::wait(self.memory_max)) } else { engine::wait_briefly(self.memory_max) }
    }

    fn ask(&mut self, job: &Job, _slot: Slot) -> Result<Answer, Refusal> {
        let answer = self.exchange(job).map_err(refused)?;
        if let Answer::Explored(batch) = &answer {
            self.machine.forks_each |= batch.forks_each;
            self.machine.differ += batch.differ;
        }
        self.machine.made_again += match &answer {
            Answer::Explored(batch) => batch.made_again,
            Answer::Searched(searched) => searched.made_again,
            Answer::Ran(ran) => ran.made_again,
            Answer::Refused(_) | Answer::Stopped(_) => 0,
        };
        Ok(answer)
    }
}

impl Worker {
    /// A job is a function of its arguments: where a worker is killed from outside, another one does it.
    fn exchange(&mut self, job: &Job) -> io::Result<Answer> {
        let mut lost = 0;
        loop {
            let process = match &mut self.process {
                Some(process) => process,
                None => {
                    let (process, randomises_addresses) = Process::start(self.test, self.coverage.as_deref())?;
                    self.machine.randomises_addresses |= randomises_addresses;
                    self.process.insert(process)
                }
            };
            match process.ask(job)? {
                Some(answer) => return Ok(answer),
                None if lost == RESTARTS_MAX => {
                    return Err(io::Error::other(format!(
                        "{} worker processes in a row ended in the middle of one job: did something kill them?",
                        lost + 1
                    )));
                }
                None => {
                    self.process = None;
                    self.machine.made_again += 1;
                    lost += 1;
                }
            }
        }
    }
}

/// OpenSSL, BoringSSL and aws-lc read this when they are loaded: on x86-64 it hides `rdrand` and `rdseed` from them, which no guard can answer. The
/// first number has the bits of CPUID's leaf 1, EDX and ECX, the second those of leaf 7, EBX and ECX; those after `~` are cleared.
const WITHOUT_PROCESSORS_CHANCE: (&str, &str) = ("OPENSSL_ia32cap", "~0x4000000000000000:~0x40000");

impl Process {
    /// Starts a worker, and says whether its addresses are random.
    fn start(test: &str, coverage: Option<&Path>) -> io::Result<(Process, bool)> {
        orphans::adopt()?;
        let (ours, theirs) = UnixStream::pair()?;
        let mut command = Command::new(std::env::current_exe()?);
        // That the test is asked for is known: an ignored one runs, too.
        command.args(["--exact", test, "--include-ignored", "--test-threads=1", "--nocapture"]).env(ENV, role());
        command.stdin(OwnedFd::from(theirs)).stdout(Stdio::null()).stderr(Stdio::null());
        // Ctrl-C at a terminal reaches the test only, and a worker ends what it started once the test is gone.
        command.process_group(0);
        // What a run prints, and what its errors carry, is the same wherever it runs.
        command.env("RUST_BACKTRACE", "0").env_remove("RUST_LIB_BACKTRACE");
        let (variable, value) = WITHOUT_PROCESSORS_CHANCE;
        command.env(variable, std::env::var_os(variable).unwrap_or_else(|| value.into()));
        if let Some(folder) = coverage {
            command.env(COVERAGE, folder);
        }
        let (child, randomises_addresses) = without_randomised_addresses(|| command.spawn());
        Ok((Process { child: child?, socket: BufReader::new(ours) }, randomises_addresses))
    }

    /// Does one job; `None` if the process is gone.
    fn ask(&mut self, job: &Job) -> io::Result<Option<Answer>> {
        let mut line = serde_json::to_string(job)?;
        line.push('\n');
        // One that could not begin has sent the reason before it was asked.
        let asked = self.socket.get_mut().write_all(line.as_bytes());
        loop {
            let mut answer = String::new();
            match self.socket.read_line(&mut answer) {
                Ok(_) if answer.ends_with('\n') => match serde_json::from_str(&answer)? {
                    Answer::Stopped(process) => engine::tell_stopped(process),
                    answer => return Ok(Some(answer)),
                },
                Ok(_) => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
                Err(error) => return Err(asked.err().unwrap_or(error)),
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.socket.get_ref().shutdown(Shutdown::Both);
        let started = Instant::now();
        while started.elapsed() < EXIT_MAX && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(EXIT_LOOK);
        }
        let _ = self.child.kill();
        let ended = self.child.wait();
        // A guard exits once nothing is left. One that was killed may have been killed together with its worker.
        if !ended.is_ok_and(|status| status.success()) {
            orphans::end_all();
            temporary::remove_abandoned();
        }
    }
}

/// Returns the role of a worker: as for any Rust program, `RUST_BACKTRACE` requests backtraces.
fn role() -> &'static str {
    let is_on = |name| env::var_os(name).is_some_and(|value| value != "0");
    if is_on("RUST_BACKTRACE") { WORKER_WITH_BACKTRACES } else { WORKER }
}

/// Starts a process whose addresses are the same each time. Where that is forbidden they are not, which is said, too.
fn without_randomised_addresses<R>(start: impl FnOnce() -> R) -> (R, bool) {
    let before = personality::get().unwrap_or(Persona::empty());
    if before.contains(Persona::ADDR_NO_RANDOMIZE) {
        return (start(), false);
    }
    let refused = personality::set(before | Persona::ADDR_NO_RANDOMIZE).is_err();
    let started = start();
    if !refused {
        let _ = personality::set(before);
    }
    (started, refused)
}
