//! The observations of an application, as a list of short texts: two networks conform if the lists are equal.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream, UdpSocket, UnixListener, UnixSocket, UnixStream, unix},
    time::{sleep, timeout},
};

/// How long to wait for everything in flight. An operation that takes longer counts as waiting.
const SETTLED: Duration = Duration::from_millis(300);
/// Maximum number of bytes shown individually.
const SHOWN_BYTES_MAX: usize = 40;

/// The observations so far. A cloneable handle.
#[derive(Debug, Clone, Default)]
pub struct Seen(Arc<Mutex<Vec<String>>>);

/// Formats the result of an operation without numbers that vary between runs.
pub trait Show {
    /// Returns a word or two.
    fn show(&self) -> String;
}

impl Seen {
    /// Returns all observations on one line.
    pub fn outcome(&self) -> String {
        self.0.lock().expect("no thread panics while holding it").join("; ")
    }

    /// Records an observation.
    pub fn note(&self, who: &str, what: &impl Show) {
        self.0.lock().expect("no thread panics while holding it").push(format!("{who}: {}", what.show()));
    }

    /// Records the result of an operation, whether it has to wait for it, and whether it is still waiting after
    /// `patience`.
    pub async fn sees<T: Show>(&self, who: &str, patience: Duration, operation: impl Future<Output = T>) -> Option<T> {
        let mut operation = std::pin::pin!(operation);
        if let Ok(done) = timeout(SETTLED, &mut operation).await {
            self.note(who, &done);
            return Some(done);
        }
        let done = timeout(patience, operation).await.ok();
        match &done {
            Some(done) => self.note(who, &format!("waits, then {}", done.show())),
            None => self.note(who, &"waits for ever"),
        }
        done
    }

    /// Records whether an operation has to wait, and cancels it if so.
    pub async fn waits<T: Show>(&self, who: &str, operation: impl Future<Output = T>) {
        match timeout(SETTLED, operation).await {
            Ok(done) => self.note(who, &done),
            Err(_) => self.note(who, &"waits"),
        }
    }
}

/// Waits until everything in flight has arrived.
pub async fn settle() {
    sleep(SETTLED).await;
}

impl<T: Show> Show for io::Result<T> {
    fn show(&self) -> String {
        match self {
            Ok(value) => value.show(),
            Err(error) => format!("{:?}", error.kind()),
        }
    }
}

impl Show for () {
    fn show(&self) -> String {
        "done".into()
    }
}

impl Show for bool {
    fn show(&self) -> String {
        self.to_string()
    }
}

impl Show for usize {
    fn show(&self) -> String {
        self.to_string()
    }
}

impl Show for &str {
    fn show(&self) -> String {
        (*self).to_owned()
    }
}

impl Show for String {
    fn show(&self) -> String {
        self.clone()
    }
}

/// The bytes that were read.
impl Show for Vec<u8> {
    fn show(&self) -> String {
        match self.len() {
            0 => "the end".into(),
            1..=SHOWN_BYTES_MAX => format!("{:?}", String::from_utf8_lossy(self)),
            n => format!("{n} bytes"),
        }
    }
}

impl Show for TcpStream {
    fn show(&self) -> String {
        "connected".into()
    }
}

impl Show for TcpListener {
    fn show(&self) -> String {
        "listens".into()
    }
}

impl Show for UdpSocket {
    fn show(&self) -> String {
        "bound".into()
    }
}

impl Show for UnixStream {
    fn show(&self) -> String {
        "connected".into()
    }
}

impl Show for UnixListener {
    fn show(&self) -> String {
        "listens".into()
    }
}

impl Show for UnixSocket {
    fn show(&self) -> String {
        "opened".into()
    }
}

impl Show for (UnixStream, unix::SocketAddr) {
    fn show(&self) -> String {
        "accepted".into()
    }
}

/// What kind of address it is: names differ from run to run.
impl Show for unix::SocketAddr {
    fn show(&self) -> String {
        match (self.as_pathname(), self.as_abstract_name()) {
            (Some(path), _) => format!("path {}", path.file_name().unwrap_or_default().display()),
            (_, Some(_)) => "an abstract name".into(),
            _ => "no name".into(),
        }
    }
}

impl Show for (TcpStream, SocketAddr) {
    fn show(&self) -> String {
        "accepted".into()
    }
}
