//! Sends one request to a test executable, and reads its progress and its result.

use crate::{cargo::Executable, exit::Problem, interrupt, tail::Tail};
use refrain_core::{
    escape::escaped,
    lines::{LineError, Lines},
    protocol::{self, Message, Outcome, Progress, Request},
};
use std::{
    io::{self, BufReader, Write},
    net::Shutdown,
    os::{
        fd::OwnedFd,
        unix::{net::UnixStream, process::CommandExt},
    },
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

/// How often the process and ctrl-c are checked.
const POLL: Duration = Duration::from_millis(50);
/// How long to wait for messages after the executable has exited.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How long an executable may take to exit after its result.
const EXIT_MAX: Duration = Duration::from_secs(5);
/// The longest message that is read.
const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// How many messages are queued. When the queue is full, the executable blocks.
const MESSAGES_MAX: usize = 16;

/// Sends a request to one test of an executable, and waits for its result.
pub fn ask(
    executable: &Executable,
    test: &str,
    request: &Request,
    mut on_progress: impl FnMut(&Progress),
) -> Result<Outcome, Problem> {
    let _answers_interrupts = interrupt::session();
    let mut session = Session::start(executable, test)?;
    session.send(request)?;
    let lines = session.lines()?;
    let outcome = session.listen(&lines, &mut on_progress);
    session.end();
    match outcome? {
        Outcome::Refused(why) => Err(Problem::could_not_run(format!("{test}: {why}"))),
        outcome => Ok(outcome),
    }
}

/// The error for a result that does not belong to the request.
pub fn unexpected(test: &str, wanted: &str, outcome: &Outcome) -> Problem {
    let result = match outcome {
        Outcome::Explored(_) => "an exploration",
        Outcome::Replayed(_) => "a replay",
        Outcome::Ran(_) => "a run",
        Outcome::Caused(_) => "a cause",
        Outcome::Shrunk(_) => "a smaller plan",
        Outcome::Refused(_) => "a refusal",
    };
    Problem::could_not_run(format!("protocol error: {test} replied with {result} instead of {wanted}: {SAME_VERSION}"))
}

const SAME_VERSION: &str = "use the same version of `refrain` and `cargo-refrain`";

struct Session {
    test: String,
    executable: PathBuf,
    child: Child,
    socket: UnixStream,
    output: Tail,
}

impl Session {
    fn start(executable: &Executable, test: &str) -> Result<Session, Problem> {
        let failed = |error| could_not(test, &format!("start {}", crate::output::shown(&executable.path)), error);
        let (socket, theirs) = UnixStream::pair().map_err(failed)?;
        let package = &executable.package;
        let mut child = Command::new(&executable.path)
            .args(["--exact", test, "--include-ignored", "--test-threads=1", "--nocapture"])
            .current_dir(&package.dir)
            // A process group of its own: ctrl-c reaches only us, and we ask the executable to stop.
            .process_group(0)
            .env(protocol::ENV, "command")
            // As `cargo test` sets them. Under an alias, ours are those of cargo-refrain.
            .env("CARGO_MANIFEST_DIR", &package.dir)
            .env("CARGO_MANIFEST_PATH", package.dir.join("Cargo.toml"))
            .env("CARGO_PKG_NAME", &package.name)
            .env("CARGO_PKG_VERSION", &package.version)
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let output = Tail::default();
        output.follow(child.stdout.take().expect("it is piped"));
        output.follow(child.stderr.take().expect("it is piped"));
        Ok(Session { test: test.into(), executable: executable.path.clone(), child, socket, output })
    }

    fn send(&mut self, request: &Request) -> Result<(), Problem> {
        let mut line = serde_json::to_string(request).expect("a request is plain data");
        line.push('\n');
        match (&self.socket).write_all(line.as_bytes()) {
            // It has died: its output says why.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(could_not(&self.test, "send the request", error))
            }
            _ => Ok(()),
        }
    }

    /// The lines that the executable sends, until it closes the socket.
    fn lines(&self) -> Result<Receiver<Vec<u8>>, Problem> {
        let socket = self.socket.try_clone().map_err(|error| could_not(&self.test, "read its messages", error))?;
        let (sender, receiver) = mpsc::sync_channel(MESSAGES_MAX);
        thread::spawn(move || {
            let mut lines = Lines::new(BufReader::new(socket), MESSAGE_BYTES_MAX);
            loop {
                let (line, is_last) = match lines.next_line() {
                    Ok(Some(line)) => (line.to_vec(), false),
                    // The beginning of the line is no message either, and goes into the error.
                    Err(LineError::TooLong) => (lines.last().to_vec(), true),
                    // It died, perhaps in the middle of a line: the exit status says more.
                    Ok(None) | Err(LineError::Read(_)) => return,
                };
                if sender.send(line).is_err() || is_last {
                    return;
                }
            }
        });
        Ok(receiver)
    }

    fn listen(
        &mut self,
        lines: &Receiver<Vec<u8>>,
        on_progress: &mut dyn FnMut(&Progress),
    ) -> Result<Outcome, Problem> {
        let (mut asked_to_stop, mut has_exited) = (false, false);
        loop {
            match lines.recv_timeout(if has_exited { LAST_WORDS } else { POLL }) {
                Ok(line) => match protocol::read_message(&line) {
                    Ok(Message::Progress(progress)) => on_progress(&progress),
                    Ok(Message::Waits(wait)) => crate::output::print_note(&refrain_report::slot_wait(&wait)),
                    Ok(Message::AwaitsDebugger { process, event }) => self.awaits_debugger(process, event),
                    Ok(Message::Printed(text)) => crate::output::print(&printed(&text)),
                    Ok(Message::Done(outcome)) => return Ok(*outcome),
                    Err(_) => return Err(self.garbage(&line)),
                },
                Err(RecvTimeoutError::Disconnected) => return Err(self.died()),
                // A child process that outlived it may keep the socket open.
                Err(RecvTimeoutError::Timeout) if has_exited => return Err(self.died()),
                Err(RecvTimeoutError::Timeout) => has_exited = self.has_exited(),
            }
            match interrupt::count() {
                0 => {}
                1 if asked_to_stop => {}
                1 => {
                    // The end of its input asks it to stop.
                    let _ = self.socket.shutdown(Shutdown::Write);
                    asked_to_stop = true;
                }
                _ => {
                    return Err(Problem::could_not_run(format!("interrupted before {} had a result", self.test)));
                }
            }
        }
    }

    fn awaits_debugger(&self, process: u32, event: usize) {
        let executable = crate::output::shown(&self.executable);
        let message = refrain_report::Message::AwaitsDebugger { process, event, executable };
        crate::output::tell(&message, || refrain_report::awaits_debugger(process, event, &self.executable));
    }

    fn has_exited(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)) | Err(_))
    }

    /// Waits for the executable to exit, and kills it if it does not.
    fn end(&mut self) {
        let _ = self.socket.shutdown(Shutdown::Both);
        let until = Instant::now() + EXIT_MAX;
        while interrupt::count() < 2 && Instant::now() < until && !self.has_exited() {
            thread::sleep(Duration::from_millis(1));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn garbage(&mut self, line: &[u8]) -> Problem {
        let _ = self.child.kill();
        let start: String = String::from_utf8_lossy(line).trim_end().chars().take(100).collect();
        Problem::could_not_run(format!(
            "protocol error: {} sent a message that cargo-refrain {} cannot read: {start:?}: {SAME_VERSION}",
            self.test,
            env!("CARGO_PKG_VERSION"),
        ))
    }

    fn died(&mut self) -> Problem {
        self.end();
        let how = match self.child.wait() {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        let said = match self.output.last_lines() {
            lines if lines.is_empty() => "it printed nothing".into(),
            lines => format!("the end of its output:\n{lines}"),
        };
        Problem::could_not_run(format!("{} exited without a result ({how}); {said}", self.test))
    }
}

/// A session that ends early leaves no process behind.
impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The output of a run, indented so that it cannot be taken for a report.
fn printed(text: &str) -> String {
    let lines = text.trim_matches('\n').lines().map(|line| format!("  {}\n", escaped(line)));
    format!("output of the run:\n{}\n", lines.collect::<String>())
}

fn could_not(test: &str, what: &str, error: io::Error) -> Problem {
    Problem::could_not_run(format!("{test}: could not {what}: {error}"))
}
