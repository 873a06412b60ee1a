//! What an application saw, as a list of short texts: two networks conform if the lists are the same.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream, UdpSocket},
    time::{sleep, timeout},
};

/// How long everything that is under way needs to arrive. An operation that takes longer is one that waits.
const SETTLED: Duration = Duration::from_millis(300);
/// The most bytes that are shown one by one.
const SHOWN_BYTES_MAX: usize = 40;

/// What was seen so far. A handle: clones see the same.
#[derive(Debug, Clone, Default)]
pub struct Seen(Arc<Mutex<Vec<String>>>);

/// What an operation came to, as a case shows it: no number that the next run may change.
pub trait Show {
    /// In a word or two.
    fn show(&self) -> String;
}

impl Seen {
    /// Everything, in one line.
    pub fn outcome(&self) -> String {
        self.0.lock().expect("nobody panics while it is written").join("; ")
    }

    /// Notes what somebody saw.
    pub fn note(&self, who: &str, what: &impl Show) {
        self.0.lock().expect("nobody panics while it is written").push(format!("{who}: {}", what.show()));
    }

    /// Notes what an operation comes to, whether it waits for that, and whether it waits in vain for as long as `patience`.
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

    /// Notes whether an operation has to wait, and gives it up then.
    pub async fn waits<T: Show>(&self, who: &str, operation: impl Future<Output = T>) {
        match timeout(SETTLED, operation).await {
            Ok(done) => self.note(who, &done),
            Err(_) => self.note(who, &"waits"),
        }
    }
}

/// Lets everything that is under way arrive.
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

/// What was read.
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

impl Show for (TcpStream, SocketAddr) {
    fn show(&self) -> String {
        "accepted".into()
    }
}
