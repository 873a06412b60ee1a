//! The production binary, as an operator runs it: built separately, started as real processes, on real sockets.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Time limit of anything real. Generous, because only a failure reaches it.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Returns the root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Builds the production binary and returns the path of a copy of it. cargo puts it in place of the simulated one, which
/// has the same name; the two share all dependencies that are built alike.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let target = temporary.parent().expect("cargo keeps it below the target folder");
        let mut cargo = Command::new(env!("CARGO"));
        // Cargo sets these for a test. Build scripts that depend on them, as ring's does, would be run again by this build and by the next.
        let of_a_test = std::env::vars_os().map(|(name, _)| name).filter(|name| {
            ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix))
        });
        for name in of_a_test {
            cargo.env_remove(name);
        }
        let built = cargo
            .args(["build", "--package", "calcon", "--bin", "calcon", "--target-dir"])
            .arg(target)
            .args(["--message-format", "json-render-diagnostics"])
            .current_dir(root())
            .stderr(Stdio::inherit())
            .output()
            .expect("cargo starts");
        assert!(built.status.success(), "the production binary does not build");
        let messages = String::from_utf8(built.stdout).expect("cargo writes UTF-8");
        let executable = messages.lines().find_map(|line| {
            let message: serde_json::Value = serde_json::from_str(line).ok()?;
            message.get("executable")?.as_str().map(PathBuf::from)
        });
        let executable = executable.expect("cargo names the executable");
        // The next build of the tests puts the simulated one there again. Other tests may copy at the same time.
        let copy = temporary.join("calcon-in-production");
        let partial = copy.with_extension(std::process::id().to_string());
        fs::copy(&executable, &partial).and_then(|_| fs::rename(&partial, &copy)).expect("it is copied");
        copy
    })
}

/// A running daemon, killed when dropped.
pub struct Daemon {
    child: Child,
    lines: Receiver<String>,
    /// The log lines read so far.
    pub log: Vec<String>,
    /// The address on which it listens.
    pub address: String,
    /// The path of its console's socket.
    pub console: String,
}

/// Returns a path of this test alone. A socket's may have 107 bytes, so that it is not in the target directory.
pub fn console() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("calcon-test-{}-{}.sock", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    std::env::temp_dir().join(name).to_str().expect("UTF-8").to_owned()
}

impl Daemon {
    /// Starts `calcon` with these arguments, and a console of its own, and waits until it listens.
    pub fn start(args: &[&str]) -> Self {
        Self::start_with_console(args, &console())
    }

    /// The same, with its console at a path.
    pub fn start_with_console(args: &[&str], console: &str) -> Self {
        let console = console.to_owned();
        let mut command = Command::new(binary());
        command
            .args(args)
            .args(["--console", &console])
            .current_dir(root())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the daemon starts");
        let stderr = child.stderr.take().expect("piped");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut daemon = Self { child, lines, log: Vec::new(), address: String::new(), console };
        let line = daemon.wait_for("listening on ");
        daemon.address = line.rsplit(' ').next().expect("an address").to_owned();
        daemon.wait_for("console at ");
        daemon
    }

    /// Returns the next log line that contains this text, which must be logged within [`LIMIT`].
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) -> String {
        let until = Instant::now() + LIMIT;
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.log.push(line.clone());
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("no {text:?} within {LIMIT:?} after {:#?}", self.log),
                Err(RecvTimeoutError::Disconnected) => panic!("ended without {text:?} after {:#?}", self.log),
            }
        }
    }

    /// Returns the number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(sent.expect("kill starts").success());
    }

    /// Waits until it has ended.
    pub fn wait_until_dead(&mut self) {
        self.child.wait().expect("waited for");
    }

    /// Stops it, returns its exit code, and reads the rest of its log.
    pub fn stop(&mut self) -> Option<i32> {
        self.signal("TERM");
        let code = self.child.wait().expect("waited for").code();
        self.log.extend(self.lines.iter());
        code
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        // A daemon that is killed leaves it.
        let _ = fs::remove_file(&self.console);
    }
}

/// Runs `calcon query` to completion.
pub fn query(at: &str, user: &str, args: &[&str]) -> Output {
    Command::new(binary()).args(["query", "--at", at, user]).args(args).output().expect("calcon starts")
}
