//! Datagrams of Unix sockets.

use super::Side;
use crate::{net::Net, seen::settle};
use std::{fs, io, net::Shutdown, path::PathBuf};
use tokio::net::{UnixDatagram, UnixListener, UnixSocket, UnixStream};

/// A socket on the server's machine, with a path.
async fn bound(net: &Net, name: &str) -> UnixDatagram {
    let path = path(net, name);
    net.on(Side::Server, async { UnixDatagram::bind(path) }).await.expect("the path is free")
}

async fn unbound(net: &Net) -> UnixDatagram {
    net.on(Side::Server, async { UnixDatagram::unbound() }).await.expect("there are descriptors")
}

async fn pair(net: &Net) -> (UnixDatagram, UnixDatagram) {
    net.on(Side::Server, async { UnixDatagram::pair() }).await.expect("there are descriptors")
}

fn path(net: &Net, name: &str) -> PathBuf {
    net.folder().join(name)
}

/// Receives one datagram. One may be empty; that is not the end of anything.
async fn receive(socket: &UnixDatagram) -> io::Result<String> {
    let mut buffer = vec![0; 1 << 10];
    let n = socket.recv(&mut buffer).await?;
    Ok(format!("{:?}", String::from_utf8_lossy(&buffer[..n])))
}

/// Sends until a datagram does not fit, and tells how many did.
fn fill(send: impl Fn() -> io::Result<usize>) -> usize {
    std::iter::from_fn(|| send().ok()).count()
}

pub async fn unix_datagrams_keep_their_edges(net: Net) {
    let (client, server) = (unbound(&net).await, bound(&net, "a").await);
    for datagram in ["one", "", "three"] {
        net.sees("the client sends", client.send_to(datagram.as_bytes(), path(&net, "a"))).await;
    }
    for _ in 0..3 {
        net.sees("the server receives", receive(&server)).await;
    }
    net.waits("the server receives", receive(&server)).await;
}

pub async fn a_small_buffer_cuts_a_unix_datagram_off(net: Net) {
    let (one, other) = pair(&net).await;
    one.send(b"abcdef").await.unwrap();
    one.send(b"next").await.unwrap();
    net.sees("the other receives 4", other.recv(&mut [0; 4])).await;
    net.sees("the other receives", receive(&other)).await;
}

pub async fn a_unix_datagram_says_where_it_came_from(net: Net) {
    let server = bound(&net, "a").await;
    let (named, unnamed) = (bound(&net, "b").await, unbound(&net).await);
    for client in [&named, &unnamed] {
        client.send_to(b"question", path(&net, "a")).await.unwrap();
        net.note("it came from", server.recv_from(&mut [0; 9]).await.map(|(_, from)| from));
    }
    net.sees("the server answers", server.send_to(b"answer", path(&net, "b"))).await;
    net.sees("the client receives", receive(&named)).await;
}

pub async fn a_unix_datagram_needs_somebody_to_receive_it(net: Net) {
    let client = unbound(&net).await;
    net.sees("the client sends to a path that nobody bound", client.send_to(b"?", path(&net, "a"))).await;
    net.sees("the client sends to nobody", client.send(b"?")).await;
    drop(bound(&net, "a").await);
    net.sees("the client sends to who is gone", client.send_to(b"?", path(&net, "a"))).await;
    net.note("the client connects to who is gone", client.connect(path(&net, "a")));
    let again = path(&net, "a");
    net.sees("the server binds again", net.on(Side::Server, async { UnixDatagram::bind(again).map(drop) })).await;
    let remove = path(&net, "a");
    net.sees("the path is removed", net.on(Side::Server, async move { fs::remove_file(remove) })).await;
    let _server = bound(&net, "a").await;
    net.sees("the client sends", client.send_to(b"?", path(&net, "a"))).await;
}

pub async fn streams_and_datagrams_of_unix_sockets_do_not_meet(net: Net) {
    let at = path(&net, "stream");
    let _listener = net.on(Side::Server, async { UnixListener::bind(at) }).await.unwrap();
    let client = unbound(&net).await;
    let kind = |done: io::Result<usize>| {
        done.map_err(|error| error.raw_os_error().unwrap_or_default() == 91).is_err_and(|is| is)
    };
    net.note("a datagram to a listener is of the wrong type", kind(client.send_to(b"?", path(&net, "stream")).await));
    let connected = client.connect(path(&net, "stream")).map(|()| 0);
    net.note("so is a connect", kind(connected));
    let _server = bound(&net, "datagrams").await;
    let connected = net.on(Side::Server, UnixStream::connect(path(&net, "datagrams"))).await;
    net.note("so is a stream to a socket for datagrams", kind(connected.map(|_| 0)));
}

pub async fn a_connected_unix_socket_hears_its_peer_only(net: Net) {
    let (server, client, stranger) = (bound(&net, "a").await, bound(&net, "b").await, unbound(&net).await);
    net.note("the server connects", server.connect(path(&net, "b")));
    net.sees("a stranger sends", stranger.send_to(b"?", path(&net, "a"))).await;
    net.note("a stranger connects", stranger.connect(path(&net, "a")));
    net.sees("the peer sends", client.send_to(b"from the peer", path(&net, "a"))).await;
    net.sees("the server receives", receive(&server)).await;
    let third = bound(&net, "c").await;
    net.sees("the server sends to another", server.send_to(b"?", path(&net, "c"))).await;
    net.sees("that one receives", receive(&third)).await;
    net.note("the server's peer", server.peer_addr());
    net.note("the stranger's peer", stranger.peer_addr());
}

pub async fn a_unix_queue_takes_so_many_datagrams(net: Net) {
    let (server, client) = (bound(&net, "a").await, unbound(&net).await);
    client.writable().await.unwrap();
    let to = path(&net, "a");
    net.note("without a connection", fill(|| client.try_send_to(b"x", &to)));
    for _ in 0..11 {
        server.recv(&mut [0]).await.unwrap();
    }
    let connected = unbound(&net).await;
    connected.connect(path(&net, "a")).unwrap();
    connected.writable().await.unwrap();
    net.note("connected", fill(|| connected.try_send(b"x")));
    let other = unbound(&net).await;
    other.connect(path(&net, "a")).unwrap();
    net.waits("another one that is connected may send", other.writable()).await;
    for size in [0, 1, 193, 1_000, 4_096, 20_000, 65_536, 100_000] {
        let (one, _other) = pair(&net).await;
        one.writable().await.unwrap();
        let datagram = vec![0; size];
        net.note(&format!("a pair, {size} bytes each"), fill(|| one.try_send(&datagram)));
    }
}

pub async fn a_unix_datagram_that_is_too_large_is_refused(net: Net) {
    let (one, other) = pair(&net).await;
    net.sees("212,960 bytes", one.send(&[0; 212_960])).await;
    other.recv(&mut [0]).await.unwrap();
    net.note("212,961 bytes are refused", one.send(&[0; 212_961]).await.is_err());
}

pub async fn a_unix_sender_waits_for_room(net: Net) {
    let (server, client) = (bound(&net, "a").await, unbound(&net).await);
    client.connect(path(&net, "a")).unwrap();
    client.writable().await.unwrap();
    fill(|| client.try_send(b"x"));
    net.waits("the client sends", client.send(b"y")).await;
    let (sent, ()) = tokio::join!(client.send(b"y"), async {
        settle().await;
        server.recv(&mut [0]).await.unwrap();
    });
    net.note("the client sends when one was received", sent);
}

pub async fn a_unix_sender_that_is_not_connected_sends_once_there_is_room(net: Net) {
    let (server, one, other) = (bound(&net, "a").await, unbound(&net).await, unbound(&net).await);
    one.writable().await.unwrap();
    other.writable().await.unwrap();
    let to = path(&net, "a");
    fill(|| one.try_send_to(b"x", &to));
    let sends = async {
        net.waits("another one sends, while the first one's are received", other.send_to(b"y", &to)).await;
    };
    tokio::join!(sends, async {
        for _ in 0..5 {
            server.recv(&mut [0]).await.unwrap();
        }
    });
    fill(|| one.try_send_to(b"x", &to));
    let (sent, ()) = tokio::join!(one.send_to(b"y", &to), async {
        settle().await;
        server.recv(&mut [0]).await.unwrap();
    });
    net.note("the first one sends when one of its own was received", sent);
}

pub async fn a_unix_sender_learns_that_its_peer_is_gone(net: Net) {
    let (client, server) = pair(&net).await;
    server.send(b"last words").await.unwrap();
    drop(server);
    net.sees("the client sends", client.send(b"?")).await;
    net.sees("the client sends again", client.send(b"?")).await;
    net.note("the client's peer", client.peer_addr());
    net.waits("the client receives", receive(&client)).await;
}

pub async fn a_unix_receiver_does_not_learn_that_its_peer_is_gone(net: Net) {
    let (client, server) = pair(&net).await;
    client.send(b"unread").await.unwrap();
    server.send(b"last words").await.unwrap();
    drop(server);
    net.sees("the client receives", receive(&client)).await;
    net.waits("the client receives", receive(&client)).await;
}

pub async fn a_unix_sender_that_waits_learns_that_the_receiver_is_gone(net: Net) {
    let (server, client) = (bound(&net, "a").await, unbound(&net).await);
    client.connect(path(&net, "a")).unwrap();
    client.writable().await.unwrap();
    fill(|| client.try_send(b"x"));
    let (sent, ()) = tokio::join!(client.send(b"y"), async {
        settle().await;
        drop(server);
    });
    net.note("the client sends", sent);
}

pub async fn a_unix_socket_for_datagrams_is_shut_down(net: Net) {
    let (client, server) = pair(&net).await;
    server.send(b"news").await.unwrap();
    net.note("the client writes no more", client.shutdown(Shutdown::Write));
    net.sees("the client sends", client.send(b"?")).await;
    net.sees("the client receives", receive(&client)).await;
    net.sees("the server sends", server.send(b"more")).await;
    net.note("the client reads no more", client.shutdown(Shutdown::Read));
    net.sees("the server sends", server.send(b"?")).await;
    net.sees("the client receives what was there", receive(&client)).await;
}

pub async fn a_unix_socket_becomes_one_for_datagrams(net: Net) {
    let server = bound(&net, "a").await;
    let own = path(&net, "b");
    let opened = net.on(Side::Server, async {
        let socket = UnixSocket::new_datagram()?;
        socket.bind(own)?;
        socket.datagram()
    });
    let client = opened.await.unwrap();
    net.note("its own address", client.local_addr());
    net.note("the server's own address", server.local_addr());
    net.sees("the client sends", client.send_to(b"hello", path(&net, "a"))).await;
    net.sees("the server receives", receive(&server)).await;
    let refused = net.on(Side::Server, async { UnixSocket::new_stream()?.datagram().map(drop) });
    net.sees("a socket for streams becomes one", refused).await;
}

/// tokio takes a path here, and nothing else.
pub async fn an_abstract_name_is_for_unix_datagrams_by_way_of_a_socket(net: Net) {
    let name = net.abstract_name();
    net.sees("a socket binds", net.on(Side::Server, async { UnixDatagram::bind(name).map(drop) })).await;
    let client = unbound(&net).await;
    net.sees("the client sends", client.send_to(b"hello", net.abstract_name())).await;
    net.note("the client connects", client.connect(net.abstract_name()));
    let name = net.abstract_name();
    let opened = net.on(Side::Server, async {
        let socket = UnixSocket::new_datagram()?;
        socket.bind(name)?;
        socket.datagram()?.local_addr()
    });
    net.sees("its address", opened).await;
}

pub async fn trying_to_receive_no_unix_datagram_would_block(net: Net) {
    let (one, other) = pair(&net).await;
    net.note("one tries", one.try_recv(&mut [0; 9]));
    other.send(b"abc").await.unwrap();
    one.readable().await.unwrap();
    net.note("one tries again", one.try_recv(&mut [0; 9]));
    net.note("and again", one.try_recv(&mut [0; 9]));
}
