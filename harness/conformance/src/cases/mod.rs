//! The cases: each states a fact about what an application sees of TCP, by doing it. None of them knows on which network.
//!
//! A case holds both ends of a connection and works on either: where an end lives was decided when it was made. It may
//! ask for what the network does, and notes what it sees. What waits and what does not is told apart coarsely: what has
//! settled after a moment did not wait.

pub use crate::network::{Impaired, Side};
use crate::{
    net::Net,
    seen::{Show, settle},
};
use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
};

pub mod address;
pub mod backlog;
pub mod bytes;
pub mod close;
pub mod connect;
pub mod family;
pub mod fault;
pub mod halves;
pub mod impaired;
mod list;
pub mod race;
pub mod ready;
pub mod socket;
pub mod udp;

pub(crate) use list::each_case;

/// What every case may ask for, on either network.
impl Net {
    /// An address of the server's.
    pub fn server(&self) -> SocketAddr {
        (self.address(Side::Server), self.port()).into()
    }

    /// Listens on the server, on every address.
    pub async fn listen(&self) -> TcpListener {
        self.listen_at((IpAddr::from([0, 0, 0, 0]), self.port()).into()).await.expect("the port is free")
    }

    /// Listens on an address of the server's.
    pub async fn listen_at(&self, at: SocketAddr) -> io::Result<TcpListener> {
        self.on(Side::Server, TcpListener::bind(at)).await
    }

    /// The same with a backlog.
    pub async fn listen_with(&self, backlog: u32) -> TcpListener {
        let at = SocketAddr::from(([0, 0, 0, 0], self.port()));
        let listen = async move {
            let socket = TcpSocket::new_v4()?;
            socket.set_reuseaddr(true)?;
            socket.bind(at)?;
            socket.listen(backlog)
        };
        self.on(Side::Server, listen).await.expect("the port is free")
    }

    /// Connects from the client to the server.
    pub async fn connect(&self) -> io::Result<TcpStream> {
        self.on(Side::Client, TcpStream::connect(self.server())).await
    }

    /// A connection: the client's end, the server's, and the listener that it went through.
    pub async fn through(&self, listener: &TcpListener) -> (TcpStream, TcpStream) {
        let (connected, accepted) = tokio::join!(self.connect(), listener.accept());
        (connected.expect("the server listens"), accepted.expect("somebody connects").0)
    }

    /// A connection: the client's end and the server's.
    pub async fn pair(&self) -> (TcpStream, TcpStream) {
        let listener = self.listen().await;
        self.through(&listener).await
    }

    /// Notes what an operation comes to, and whether it waits.
    pub async fn sees<T: Show>(&self, who: &str, operation: impl Future<Output = T>) -> Option<T> {
        self.seen().sees(who, Net::PATIENCE, operation).await
    }

    /// Notes whether an operation has to wait, and gives it up then.
    pub async fn waits<T: Show>(&self, who: &str, operation: impl Future<Output = T>) {
        self.seen().waits(who, operation).await;
    }

    /// Notes something.
    pub fn note(&self, who: &str, what: impl Show) {
        self.seen().note(who, &what);
    }

    /// A connection with an end that was reset: the client's.
    async fn reset_client(&self) -> TcpStream {
        let (mut client, server) = self.pair().await;
        client.write_all(b"nobody reads this").await.expect("it is open");
        settle().await;
        drop(server);
        settle().await;
        client
    }
}

/// Reads once.
async fn read(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; 1 << 16];
    let n = stream.read(&mut buffer).await?;
    buffer.truncate(n);
    Ok(buffer)
}

/// Reads to the end, and tells whether the long text came before it, or before the error.
async fn read_text(stream: &mut TcpStream, bytes: usize) -> String {
    let mut all = vec![];
    let ended = stream.read_to_end(&mut all).await;
    let ended = ended.map_or_else(|error| format!("{:?}", error.kind()), |_| "the end".into());
    match all == text(bytes) {
        true => format!("everything, then {ended}"),
        false => format!("{} other bytes than it should, then {ended}", all.len()),
    }
}

/// A long text.
fn text(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| (at % 251) as u8).collect()
}
