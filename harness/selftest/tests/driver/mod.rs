//! Communicates with this test executable, started again: as `cargo refrain` does, and as a test does with its workers.

#![allow(dead_code)]

pub mod failing;
mod refused;

pub use refused::{Which, refuse};

use nix::sys::personality::{self, Persona};
use refrain_core::protocol::{Doing, Message, Outcome, Request};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Write},
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::Path,
    process::{Child, Command, Stdio},
};

/// A worker that a test of this crate has started has this variable.
pub const STARTED: &str = "REFRAIN_SELFTEST_STARTED";

/// A process of this executable that runs one test in a role, with its standard input as the socket.
pub struct Started {
    child: Child,
    socket: BufReader<UnixStream>,
}

impl Started {
    fn new(mut command: Command, test: &str, role: &str) -> Started {
        let (ours, theirs) = UnixStream::pair().unwrap();
        command
            .args(["--exact", test, "--test-threads=1", "--nocapture", "--include-ignored"])
            .env("REFRAIN_ROLE", role);
        command.stdin(OwnedFd::from(theirs)).stdout(Stdio::null()).stderr(Stdio::null());
        Started { child: command.spawn().unwrap(), socket: BufReader::new(ours) }
    }

    /// Starts a worker with address space randomisation: no run may depend on addresses. A dying run prints no
    /// backtrace, as with the workers that a test starts.
    pub fn worker(test: &str) -> Started {
        Started::as_worker(test, "worker")
    }

    /// Starts a worker without address space randomisation, as a test does.
    pub fn worker_as_usual(test: &str) -> Started {
        let before = personality::get().unwrap();
        personality::set(before | Persona::ADDR_NO_RANDOMIZE).unwrap();
        let started = Started::worker(test);
        personality::set(before).unwrap();
        started
    }

    /// Starts a worker with a variable in its environment.
    pub fn worker_with(test: &str, name: &str, value: &str) -> Started {
        let mut command = own();
        command.env(name, value).env("RUST_BACKTRACE", "0").env_remove("RUST_LIB_BACKTRACE");
        Started::new(command, test, "worker")
    }

    /// Starts a worker to which the kernel refuses some calls.
    pub fn worker_refused(test: &str, call: i64, which: Which) -> Started {
        let mut command = own();
        refuse(&mut command, call, which);
        command.env("RUST_BACKTRACE", "0").env_remove("RUST_LIB_BACKTRACE");
        Started::new(command, test, "worker")
    }

    /// The same as it is started where `RUST_BACKTRACE` asks for backtraces.
    pub fn worker_with_backtraces(test: &str) -> Started {
        Started::as_worker(test, "worker with backtraces")
    }

    fn as_worker(test: &str, role: &str) -> Started {
        let mut command = own();
        command.env(STARTED, "1").env("RUST_BACKTRACE", "0").env_remove("RUST_LIB_BACKTRACE");
        Started::new(command, test, role)
    }

    /// Sends a request of `cargo refrain` to a test, without waiting for the result.
    pub fn command(test: &str, request: &Request, environment: &[(&str, &Path)]) -> Started {
        let mut command = own();
        command.envs(environment.iter().copied());
        Started::command_in(command, test, request)
    }

    fn command_in(command: Command, test: &str, request: &Request) -> Started {
        let mut started = Started::new(command, test, "command");
        started.say(&serde_json::to_string(request).unwrap());
        started
    }

    /// Returns the process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the result.
    pub fn outcome(&mut self) -> Outcome {
        loop {
            match serde_json::from_str(&self.hear()).unwrap() {
                Message::Progress(_) | Message::Waits(_) | Message::Printed(_) => {}
                Message::AwaitsDebugger { .. } => panic!("no request asks for a debugger"),
                Message::Done(outcome) => return *outcome,
            }
        }
    }

    fn say(&mut self, line: &str) {
        self.socket.get_mut().write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.socket.read_line(&mut line).unwrap();
        line
    }

    /// Sends a job to the worker and returns its reply.
    pub fn ask(&mut self, job: &Value) -> Value {
        self.say(&job.to_string());
        serde_json::from_str(&self.hear()).unwrap()
    }

    /// Executes a run and returns all that happened.
    pub fn record(&mut self, source: Value) -> Value {
        let answer = self.ask(&serde_json::json!({ "record": { "source": source, "until": null } }));
        assert!(answer["ran"].is_object(), "{answer}");
        answer["ran"].clone()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.socket.get_ref().shutdown(std::net::Shutdown::Both);
        self.child.wait().unwrap();
    }
}

/// Sends a request to a test, and kills its process when it reports this kind of progress.
pub fn ask_and_kill(command: Command, test: &str, request: &Request, is_doing: impl Fn(&Doing) -> bool) {
    let mut started = Started::new(command, test, "command");
    started.say(&serde_json::to_string(request).unwrap());
    loop {
        match serde_json::from_str(&started.hear()).unwrap() {
            Message::Progress(progress) if is_doing(&progress.doing) => return started.child.kill().unwrap(),
            Message::Progress(_) | Message::Waits(_) | Message::Printed(_) => {}
            Message::AwaitsDebugger { .. } => panic!("no request asks for a debugger"),
            Message::Done(outcome) => panic!("it is done before: {outcome:?}"),
        }
    }
}

/// This executable.
fn own() -> Command {
    Command::new(std::env::current_exe().unwrap())
}

/// Sends a request of `cargo refrain` to a test, and returns the result.
pub fn ask(test: &str, request: &Request) -> Outcome {
    Started::command(test, request, &[]).outcome()
}

/// Like [`ask`], for an executable that is started differently.
pub fn ask_in(command: Command, test: &str, request: &Request) -> Outcome {
    Started::command_in(command, test, request).outcome()
}
