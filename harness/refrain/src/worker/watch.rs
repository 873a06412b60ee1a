//! Watches a run: hears what it tells and what it prints, ends it if it hangs, and ends whatever it leaves behind.

use super::{
    descendants,
    guard::Lifeline,
    lines::Lines,
    output::Output,
    poll_timer::{LOOK_EVERY, Look, PollTimer},
    process,
    temporary::Temporary,
};
use crate::engine::{Heartbeat, exit};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        signal::{Signal, kill, killpg},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    time::{clock_getcpuclockid, clock_gettime},
    unistd::{Pid, read},
};
use rustix::process::{PidfdFlags, pidfd_open};
use std::{
    fs, io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    thread,
    time::{Duration, Instant},
};

/// How much is read from a run's pipe at a time.
const PIECE_BYTES: usize = 64 << 10;

/// How much longer a run may take once all its code has ended. The engine needs milliseconds.
const OVER_MAX: Duration = Duration::from_secs(1);

/// How a run's process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It called exit with this code.
    Exited(i32),
    /// A signal killed it.
    Signalled(Signal),
    /// It was killed because one poll took longer than this; whether it computed rather than slept.
    Hung(Duration, bool),
}

impl End {
    /// Whether someone else may have ended it: a person, or the kernel when memory runs out.
    pub fn may_come_from_outside(self) -> bool {
        use Signal::{SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM};
        matches!(self, End::Signalled(SIGHUP | SIGINT | SIGKILL | SIGQUIT | SIGTERM))
    }
}

/// What a worker makes runs with.
pub struct Runner {
    heartbeat: &'static Heartbeat,
    lifeline: Lifeline,
    temporary: Option<Temporary>,
    output: Output,
    piece: Vec<u8>,
    memory_max: u64,
}

impl Runner {
    /// For a worker that has just begun, whose runs have this temporary folder and this memory limit. From here on what it prints is taken for what a run prints.
    pub fn new(lifeline: Lifeline, temporary: Option<Temporary>, memory_max: u64) -> io::Result<Runner> {
        let heartbeat = process::shared_heartbeat()?;
        let output = Output::catch()?;
        Ok(Runner { heartbeat, lifeline, temporary, output, piece: vec![0; PIECE_BYTES], memory_max })
    }

    /// What runs show while they go on.
    pub fn heartbeat(&self) -> &'static Heartbeat {
        self.heartbeat
    }

    /// The end of what the last run printed.
    pub fn printed(&self) -> String {
        self.output.tail()
    }

    /// Waits until the test has something to say, the end included. `false`: the guard is gone, and so must this process be.
    pub fn wait_for(&self, test: &UnixStream) -> io::Result<bool> {
        loop {
            let mut fds = [self.lifeline.as_fd(), test.as_fd()].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
            match poll(&mut fds, PollTimeout::NONE) {
                Ok(_) if fds[0].any() == Some(false) => return Ok(true),
                Ok(_) => {
                    self.remove_temporary();
                    return Ok(false);
                }
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Does what the guard would do if it lived.
    fn remove_temporary(&self) {
        if let Some(temporary) = &self.temporary {
            temporary.remove();
        }
    }

    /// Lets `run` go in a process of its own, hands on every message that it sends, and returns how it ended. One poll may
    /// take `poll_max`. Nothing that it started is left then.
    pub fn make(
        &mut self,
        poll_max: Duration,
        line: &mut dyn FnMut(&[u8]),
        run: impl FnOnce(OwnedFd),
    ) -> io::Result<End> {
        self.output.clear();
        self.heartbeat.clear();
        if let Some(temporary) = &self.temporary {
            temporary.empty()?;
        }
        let (pid, pipe) = process::fork_run(self.memory_max, run)?;
        let mut messages = Messages { pipe: Some(pipe), lines: Lines::default() };
        let hung = self.until_it_ends(pid, poll_max, &mut messages, line);
        if !matches!(hung, Ok(None)) {
            // Its process group at once; whoever left the group comes after.
            let _ = (kill(pid, Signal::SIGKILL), killpg(pid, Signal::SIGKILL));
        }
        let end = reap(pid)?;
        descendants::end_all()?;
        while messages.has_more()? {
            messages.take_some(&mut self.piece, line)?;
        }
        while self.output.take_some()? {}
        messages.lines.finish(line);
        Ok(hung?.unwrap_or(end))
    }

    /// Watches a run until it has ended, or has hung and is to be ended.
    fn until_it_ends(
        &mut self,
        pid: Pid,
        poll_max: Duration,
        messages: &mut Messages,
        line: &mut dyn FnMut(&[u8]),
    ) -> io::Result<Option<End>> {
        let process = rustix::process::Pid::from_raw(pid.as_raw()).expect("a process has a number above 0");
        let process = pidfd_open(process, PidfdFlags::empty())?;
        let (mut timer, mut looked) = (PollTimer::default(), Instant::now());
        loop {
            // Once the pipe is closed there is nothing to read, and the process is looked at in its place.
            let pipe = messages.pipe.as_ref().map_or(process.as_fd(), OwnedFd::as_fd);
            let mut fds = [process.as_fd(), self.output.as_fd(), self.lifeline.as_fd(), pipe]
                .map(|fd| PollFd::new(fd, PollFlags::POLLIN));
            match poll(&mut fds, PollTimeout::try_from(LOOK_EVERY).expect("it is not too long")) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
            let [has_ended, has_printed, is_alone, has_messages] = fds.map(|fd| fd.any() == Some(true));
            if is_alone {
                let _ = kill(pid, Signal::SIGKILL);
                let _ = descendants::end_all();
                self.remove_temporary();
                exit(1)
            }
            if has_messages {
                messages.take_some(&mut self.piece, line)?;
            }
            if has_printed {
                self.output.take_some()?;
            }
            if has_ended {
                return Ok(None);
            }
            if looked.elapsed() >= LOOK_EVERY {
                timer.look(look(pid, self.heartbeat.count(), looked.elapsed()));
                looked = Instant::now();
                let max = if self.heartbeat.is_over() { poll_max.min(OVER_MAX) } else { poll_max };
                if timer.taken() >= max {
                    return Ok(Some(End::Hung(poll_max, timer.computes())));
                }
            }
        }
    }
}

/// The messages of a run, read from its pipe.
struct Messages {
    /// Until it is closed, which a run may do before it ends.
    pipe: Option<OwnedFd>,
    lines: Lines,
}

impl Messages {
    fn take_some(&mut self, piece: &mut [u8], line: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        let Some(pipe) = &self.pipe else { return Ok(()) };
        match read(pipe, piece) {
            Ok(0) => self.pipe = None,
            Ok(n) => self.lines.push(&piece[..n], line),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Whether something can be read without waiting, the end included.
    fn has_more(&self) -> io::Result<bool> {
        let Some(pipe) = &self.pipe else { return Ok(false) };
        let mut fds = [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)];
        Ok(poll(&mut fds, PollTimeout::ZERO)? > 0)
    }
}

/// Waits for a process that has ended or was killed.
fn reap(pid: Pid) -> io::Result<End> {
    let started = Instant::now();
    loop {
        match waitpid(pid, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(_, code)) => return Ok(End::Exited(code)),
            Ok(WaitStatus::Signaled(_, signal, _)) => return Ok(End::Signalled(signal)),
            Ok(_) if started.elapsed() > descendants::GONE_MAX => {
                let seconds = descendants::GONE_MAX.as_secs();
                return Err(io::Error::other(format!(
                    "a run is not gone {seconds} s after it was killed: process {pid}"
                )));
            }
            Ok(_) => thread::sleep(descendants::LOOK_EVERY),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn look(pid: Pid, polls: u64, elapsed: Duration) -> Look {
    Look { polls, cpu_time: cpu_time(pid), is_runnable: is_runnable(pid), elapsed }
}

/// Whether a thread of a process runs, waits for a processor, or is stopped by a debugger.
fn is_runnable(pid: Pid) -> bool {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let mut stats = threads.filter_map(|thread| fs::read_to_string(thread.path().join("stat")).ok());
    stats.any(|stat| stat.rsplit_once(')').is_some_and(|(_, fields)| fields.trim_start().starts_with(['R', 't'])))
}

/// How much processor time a process has used; zero if that cannot be read.
fn cpu_time(pid: Pid) -> Duration {
    clock_getcpuclockid(pid).and_then(clock_gettime).map_or(Duration::ZERO, Duration::from)
}
