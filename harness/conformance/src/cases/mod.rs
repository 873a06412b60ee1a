//! The cases: each demonstrates a fact about sockets as an application sees it. A case does not know on which network it
//! runs.
//!
//! A case holds both ends of a connection and uses either: on which host an end lives was decided when it was created.
//! It may impair the network, and records what it observes. Whether an operation waits is measured coarsely: what
//! completes within a moment does not.

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
pub mod reused;
pub mod socket;
pub mod udp;
pub mod unix;
pub mod unix_datagrams;
pub mod unix_names;

pub(crate) use list::each_case;

/// Operations available to every case, on either network.
impl Net {
    /// Returns an address of the server.
    pub fn server(&self) -> SocketAddr {
        (self.address(Side::Server), self.port()).into()
    }

    /// Listens on the server, on every address.
    pub async fn listen(&self) -> TcpListener {
        self.listen_at((IpAddr::from([0, 0, 0, 0]), self.port()).into()).await.expect("the port is free")
    }

    /// Listens on one of the server's addresses.
    pub async fn listen_at(&self, at: SocketAddr) -> io::Result<TcpListener> {
        self.on(Side::Server, TcpListener::bind(at)).await
    }

    /// Like [`Net::listen`], with a backlog.
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

    /// Connects from the client to the server, from a given port.
    pub async fn connect_from(&self, port: u16) -> io::Result<TcpStream> {
        self.on(Side::Client, self.connecting_from(port)).await
    }

    /// Returns what the client is to do for that.
    fn connecting_from(&self, port: u16) -> impl Future<Output = io::Result<TcpStream>> + Send + 'static {
        let (own, server) = (SocketAddr::new(self.address(Side::Client), port), self.server());
        async move {
            let socket = TcpSocket::new_v4()?;
            socket.bind(own)?;
            socket.connect(server).await
        }
    }

    /// Returns a connection through this listener: the client's end and the server's.
    pub async fn through(&self, listener: &TcpListener) -> (TcpStream, TcpStream) {
        let (connected, accepted) = tokio::join!(self.connect(), listener.accept());
        (connected.expect("the server listens"), accepted.expect("somebody connects").0)
    }

    /// Returns a connection: the client's end and the server's.
    pub async fn pair(&self) -> (TcpStream, TcpStream) {
        let listener = self.listen().await;
        self.through(&listener).await
    }

    /// Records the result of an operation, and whether it waits.
    pub async fn sees<T: Show>(&self, who: &str, operation: impl Future<Output = T>) -> Option<T> {
        self.seen().sees(who, Net::PATIENCE, operation).await
    }

    /// Records whether an operation has to wait, and cancels it if so.
    pub async fn waits<T: Show>(&self, who: &str, operation: impl Future<Output = T>) {
        self.seen().waits(who, operation).await;
    }

    /// Records an observation.
    pub fn note(&self, who: &str, what: impl Show) {
        self.seen().note(who, &what);
    }

    /// Returns the client's end of a connection that was reset.
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

/// Reads to the end, and returns whether the long text came before the end or the error.
async fn read_text(stream: &mut TcpStream, bytes: usize) -> String {
    let mut all = vec![];
    let ended = stream.read_to_end(&mut all).await;
    let ended = ended.map_or_else(|error| format!("{:?}", error.kind()), |_| "the end".into());
    match all == text(bytes) {
        true => format!("everything, then {ended}"),
        false => format!("{} other bytes than it should, then {ended}", all.len()),
    }
}

/// Returns a long text.
fn text(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| (at % 251) as u8).collect()
}
