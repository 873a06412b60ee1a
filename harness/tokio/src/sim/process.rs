//! Other programs are outside of the simulation: to start one is refused.

use std::{
    ffi::OsStr,
    io,
    path::Path,
    process::{ExitStatus, Output, Stdio},
};

/// A program that is not started. As tokio's.
#[derive(Debug)]
pub struct Command(std::process::Command);

impl From<std::process::Command> for Command {
    fn from(command: std::process::Command) -> Command {
        Command(command)
    }
}

impl Command {
    /// A program.
    pub fn new(program: impl AsRef<OsStr>) -> Command {
        Command(std::process::Command::new(program))
    }

    /// The same as std's.
    pub fn as_std(&self) -> &std::process::Command {
        &self.0
    }

    /// The same as std's.
    pub fn as_std_mut(&mut self) -> &mut std::process::Command {
        &mut self.0
    }

    /// An argument.
    pub fn arg(&mut self, arg: impl AsRef<OsStr>) -> &mut Command {
        self.0.arg(arg);
        self
    }

    /// Arguments.
    pub fn args(&mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> &mut Command {
        self.0.args(args);
        self
    }

    /// A variable of its environment.
    pub fn env(&mut self, key: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Command {
        self.0.env(key, value);
        self
    }

    /// Variables of its environment.
    pub fn envs(&mut self, vars: impl IntoIterator<Item = (impl AsRef<OsStr>, impl AsRef<OsStr>)>) -> &mut Command {
        self.0.envs(vars);
        self
    }

    /// No variable of this name.
    pub fn env_remove(&mut self, key: impl AsRef<OsStr>) -> &mut Command {
        self.0.env_remove(key);
        self
    }

    /// No variables.
    pub fn env_clear(&mut self) -> &mut Command {
        self.0.env_clear();
        self
    }

    /// Its folder.
    pub fn current_dir(&mut self, dir: impl AsRef<Path>) -> &mut Command {
        self.0.current_dir(dir);
        self
    }

    /// Its input.
    pub fn stdin(&mut self, stdin: impl Into<Stdio>) -> &mut Command {
        self.0.stdin(stdin);
        self
    }

    /// Its output.
    pub fn stdout(&mut self, stdout: impl Into<Stdio>) -> &mut Command {
        self.0.stdout(stdout);
        self
    }

    /// Its errors.
    pub fn stderr(&mut self, stderr: impl Into<Stdio>) -> &mut Command {
        self.0.stderr(stderr);
        self
    }

    /// Whether it ends with its handle.
    pub fn kill_on_drop(&mut self, _: bool) -> &mut Command {
        self
    }

    /// Refuses, and says why.
    pub fn spawn(&mut self) -> io::Result<Child> {
        self.refuse()
    }

    /// Refuses, and says why.
    pub async fn status(&mut self) -> io::Result<ExitStatus> {
        self.refuse()
    }

    /// Refuses, and says why.
    pub async fn output(&mut self) -> io::Result<Output> {
        self.refuse()
    }

    fn refuse<T>(&self) -> io::Result<T> {
        let program = self.0.get_program().to_string_lossy();
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            format!("cannot start {program}: refrain simulates no other programs; let a host of the test stand for it"),
        ))
    }
}

/// Stands where tokio's stands; none can be had.
#[derive(Debug)]
pub struct Child {
    /// As tokio's.
    pub stdin: Option<ChildStdin>,
    /// As tokio's.
    pub stdout: Option<ChildStdout>,
    /// As tokio's.
    pub stderr: Option<ChildStderr>,
    never: std::convert::Infallible,
}

impl Child {
    /// As tokio's; never reached.
    pub fn id(&self) -> Option<u32> {
        match self.never {}
    }

    /// As tokio's; never reached.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        match self.never {}
    }

    /// As tokio's; never reached.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        match self.never {}
    }

    /// As tokio's; never reached.
    pub fn start_kill(&mut self) -> io::Result<()> {
        match self.never {}
    }

    /// As tokio's; never reached.
    pub async fn kill(&mut self) -> io::Result<()> {
        match self.never {}
    }

    /// As tokio's; never reached.
    pub async fn wait_with_output(self) -> io::Result<Output> {
        match self.never {}
    }
}

mod pipes {
    use real::io::{AsyncRead, AsyncWrite, ReadBuf};
    use std::{
        convert::Infallible,
        io,
        pin::Pin,
        task::{Context, Poll},
    };

    /// As tokio's; none can be had.
    #[derive(Debug)]
    pub struct ChildStdin(Infallible);

    impl AsyncWrite for ChildStdin {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
            match self.0 {}
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            match self.0 {}
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            match self.0 {}
        }
    }

    macro_rules! outputs {
        ($($name:ident)*) => {$(
            /// As tokio's; none can be had.
            #[derive(Debug)]
            pub struct $name(Infallible);

            impl AsyncRead for $name {
                fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
                    match self.0 {}
                }
            }
        )*};
    }

    outputs!(ChildStdout ChildStderr);
}

pub use pipes::{ChildStderr, ChildStdin, ChildStdout};
