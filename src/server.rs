//! Accepts connections, limits their number, and drains them at shutdown. Accepting never waits for serving.

mod peers;

use crate::channel::{Channel, Opened};
use crate::error::{ChannelError, Error};
use crate::shutdown::Shutdown;
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
/// How long connections may take to complete their work after shutdown starts. SIGTERM is obeyed within a second.
pub const DRAIN_LIMIT: Duration = Duration::from_millis(500);
/// Delay after a failed accept, for example because the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Listens on an address and reports the actual one: port 0 selects a free port. `backlog` connections may wait to be
/// accepted.
///
/// # Errors
/// [`Error::Listen`] if the address is not available.
pub async fn listen(address: &str, backlog: u32) -> Result<TcpListener, Error> {
    let failed = |source| Error::Listen { address: address.to_owned(), source };
    let listener = bind(address, backlog).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    tracing::info!("listening on {bound}");
    if !bound.ip().is_loopback() {
        tracing::warn!(
            "whoever reaches {bound} can ask about every user and can take the add-in's place: peers are not authenticated"
        );
    }
    Ok(listener)
}

/// Listens on the first available address of that name.
async fn bind(address: &str, backlog: u32) -> io::Result<TcpListener> {
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for at in lookup_host(address).await? {
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

/// Serves each connection in its own task until shutdown; then waits for them, for a limited time.
pub async fn run<S, F>(listener: TcpListener, mut shutdown: Shutdown, serve: S)
where
    S: Fn(Channel, SocketAddr) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    let peers = Peers::default();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    if let Some((channel, place)) = admit(stream, peer, connections.len(), &peers) {
                        let served = serve(channel, peer);
                        connections.spawn(async move {
                            let _place = place;
                            served.await;
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

/// Reports why a connection ended. Invalid bytes are worth a warning; a peer that just disconnects, as a health check
/// does, is not.
pub fn report_end(id: u64, ended: Result<(), ChannelError>) {
    match ended {
        Ok(()) => {}
        Err(error @ (ChannelError::Wire(_) | ChannelError::Unexpected { .. })) => {
            tracing::warn!(id, reason = %error, "connection refused");
        }
        Err(error) => tracing::info!(id, reason = %error, "connection lost"),
    }
}

fn admit(stream: TcpStream, peer: SocketAddr, others: usize, peers: &Peers) -> Option<(Channel, Place)> {
    let opened = Opened::report("accepted", &peer.to_string());
    if others >= CONNECTIONS_MAX {
        tracing::warn!(id = opened.id(), limit = CONNECTIONS_MAX, "connection refused: too many");
        return None;
    }
    let Some(place) = peers.admit(peer.ip(), CONNECTIONS_PER_PEER_MAX) else {
        let limit = CONNECTIONS_PER_PEER_MAX;
        tracing::warn!(id = opened.id(), limit, "connection refused: too many of this address");
        return None;
    };
    match Channel::new(stream, opened) {
        Ok(channel) => Some((channel, place)),
        Err(error) => {
            tracing::info!(%peer, %error, "connection lost before it was served");
            None
        }
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
