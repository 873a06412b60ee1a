//! Accepts connections, limits their number, and drains them at shutdown. Accepting never waits for serving.

mod peers;

use crate::access::{Current, Peer};
use crate::answer::{Code, Refusal};
use crate::channel::{Accepted, Channel, Opened, Stream};
use crate::error::{ChannelError, Error};
use crate::shutdown::Shutdown;
use crate::wire::Message;
use peers::{Peers, Place};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};

/// Maximum number of connections. A further one is closed at once, so that its owner backs off instead of waiting.
pub const CONNECTIONS_MAX: usize = 4096;
/// Maximum number of connections of one address, so that one machine cannot take all.
pub const CONNECTIONS_PER_PEER_MAX: usize = 1024;
/// Maximum number of TLS handshakes at once.
pub const HANDSHAKES_MAX: usize = 1024;
/// Maximum number of TLS handshakes of one address. Of those that are held open, each ends at its time limit.
pub const HANDSHAKES_PER_PEER_MAX: usize = 256;
/// How long connections may take to complete their work after shutdown starts. SIGTERM is obeyed within a second.
pub const DRAIN_LIMIT: Duration = Duration::from_millis(500);
/// Delay after a failed accept, for example because the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Listens on an address and reports the actual one: port 0 selects a free port. `backlog` connections may wait to be
/// accepted. Without credentials, only on loopback.
///
/// # Errors
/// [`Error::Listen`] if the address is not available, [`Error::Settings`] if it is open to others without credentials.
pub async fn listen(address: &str, backlog: u32, access: &Current) -> Result<TcpListener, Error> {
    let listener = open("listen", address, backlog, access).await?;
    if !access.get().is_secured() {
        tracing::info!("no credentials: any program of this machine can take the place of the other side");
    }
    let at = listener.local_addr().map_err(|source| Error::Listen { address: address.to_owned(), source })?;
    tracing::info!("listening on {at}");
    Ok(listener)
}

/// Listens on the first available address.
fn bind(addresses: &[SocketAddr], backlog: u32) -> io::Result<TcpListener> {
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for &at in addresses {
        let socket = if at.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // Connections of a previous process may be in TIME_WAIT, which must not block the port.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        match socket.bind(at).and_then(|()| socket.listen(backlog)) {
            Ok(listener) => return Ok(listener),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// Who may enter, and how many at once: shared by the listeners of a daemon, so that a second one does not double what
/// peers can occupy. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Entrance {
    access: Current,
    peers: Peers,
    handshakes: Peers,
}

/// Serves each connection in its own task until shutdown; then waits for them, for a limited time.
pub async fn run<S, F>(listener: TcpListener, entrance: Entrance, mut shutdown: Shutdown, serve: S)
where
    S: Fn(Accepted, Peer) -> F + Clone + Send + 'static,
    F: Future<Output = Result<(), ChannelError>> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    if let Some((opened, place)) = entrance.admit(peer) {
                        let (entrance, serve) = (entrance.clone(), serve.clone());
                        let mut stopping = shutdown.clone();
                        connections.spawn(async move {
                            let _place = place;
                            let id = opened.id();
                            let entered = tokio::select! {
                                entered = entrance.enter(stream, peer, opened) => entered,
                                () = stopping.asked() => return,
                            };
                            let ended = match entered {
                                Ok((accepted, peer)) => serve(accepted, peer).await,
                                Err(error) => Err(error),
                            };
                            report_end(id, ended);
                        });
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept connections");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(ended) = connections.join_next() => report_panic(ended),
            () = shutdown.asked() => break,
        }
    }
    drop(listener);
    drain(connections).await;
}

/// Listens on the address of a setting. Without credentials, only on loopback.
///
/// # Errors
/// As [`listen`].
pub(crate) async fn open(setting: &str, address: &str, backlog: u32, access: &Current) -> Result<TcpListener, Error> {
    let failed = |source| Error::Listen { address: address.to_owned(), source };
    let found: Vec<SocketAddr> = lookup_host(address).await.map_err(failed)?.collect();
    let secured = access.get().is_secured();
    if let Some(open) = found.iter().find(|at| !secured && !at.ip().is_loopback()) {
        return Err(Error::Settings(format!(
            "{setting}: {open} is open to other machines, and there are no credentials, so that anybody could ask and take the \
             add-in's place: make some, `calcon keys DIR`, and set `ca`, `certificate`, `key` and `peer`; or listen on 127.0.0.1"
        )));
    }
    bind(&found, backlog).map_err(failed)
}

/// Reports why a connection ended. Invalid bytes are worth a warning; a peer that just disconnects, as a health check
/// does, is not.
fn report_end(id: u64, ended: Result<(), ChannelError>) {
    match ended {
        Ok(()) => {}
        Err(
            error @ (ChannelError::Wire(_)
            | ChannelError::Http(_)
            | ChannelError::Unexpected { .. }
            | ChannelError::Tls(_)
            | ChannelError::SlowHandshake { .. }
            | ChannelError::Denied(_)),
        ) => tracing::warn!(id, reason = %error, "connection refused"),
        Err(error) => tracing::info!(id, reason = %error, "connection lost"),
    }
}

/// Tells a peer why it is not let in, in place of HELLO.
///
/// # Errors
/// Always: with the reason.
pub async fn turn_away(mut channel: Channel, refusal: Refusal) -> Result<(), ChannelError> {
    // The reason for the log is the refusal, even if the peer does not wait for it.
    let _ = channel.writer.send(&Message::Error { id: 0, epoch: 0, refusal: refusal.clone() }).await;
    Err(ChannelError::Denied(refusal))
}

impl Entrance {
    /// Lets nobody in but those whom `access` accepts.
    pub fn new(access: Current) -> Self {
        Self { access, peers: Peers::default(), handshakes: Peers::default() }
    }

    fn admit(&self, peer: SocketAddr) -> Option<(Opened, Place)> {
        let opened = Opened::report("accepted", &peer.to_string());
        if self.peers.count() >= CONNECTIONS_MAX {
            tracing::warn!(id = opened.id(), limit = CONNECTIONS_MAX, "connection refused: too many");
            return None;
        }
        let Some(place) = self.peers.admit(peer.ip(), CONNECTIONS_PER_PEER_MAX) else {
            let limit = CONNECTIONS_PER_PEER_MAX;
            tracing::warn!(id = opened.id(), limit, "connection refused: too many of this address");
            return None;
        };
        Some((opened, place))
    }

    /// Performs the handshake, if the daemon has credentials. Nobody is served before it is complete.
    async fn enter(
        &self,
        stream: TcpStream,
        address: SocketAddr,
        opened: Opened,
    ) -> Result<(Accepted, Peer), ChannelError> {
        let access = self.access.get();
        let Some(acceptor) = access.acceptor() else {
            // Messages are small and each is awaited: Nagle's algorithm would only delay them.
            stream.set_nodelay(true)?;
            return Ok((Accepted { stream: Stream::Plain(stream), opened }, Peer { address, identity: None }));
        };
        let has_room = self.handshakes.count() < HANDSHAKES_MAX;
        let place = has_room.then(|| self.handshakes.admit(address.ip(), HANDSHAKES_PER_PEER_MAX));
        let Some(_place) = place.flatten() else {
            let why = "too many TLS handshakes of this address at once";
            return Err(ChannelError::Denied(Refusal::new(Code::Busy, why)));
        };
        stream.set_nodelay(true)?;
        let (stream, certificate) = acceptor.accept(stream).await?;
        let identity = access.identify(certificate.as_ref());
        Ok((Accepted { stream: Stream::Secured(Box::new(stream)), opened }, Peer { address, identity }))
    }
}

async fn drain(mut connections: JoinSet<()>) {
    let drained = timeout(DRAIN_LIMIT, async {
        while let Some(ended) = connections.join_next().await {
            report_panic(ended);
        }
    });
    if drained.await.is_err() {
        tracing::warn!(connections = connections.len(), "connections cut off at the end of the drain limit");
        connections.shutdown().await;
    }
}

/// Reports a panic, which is a bug of ours. It affects only the connection in which it happened.
fn report_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a connection's task panicked: please report this");
    }
}
