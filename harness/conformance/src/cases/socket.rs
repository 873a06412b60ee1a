//! Socket options.

use super::{Side, read};
use crate::{net::Net, seen::settle};
use std::{io, net::SocketAddr};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpSocket, TcpStream},
};

/// Listens on the server, with or without `SO_REUSEADDR`.
async fn listen(net: &Net, reuse: bool) -> io::Result<TcpListener> {
    let at = net.server();
    let listen = async move {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(reuse)?;
        socket.bind(at)?;
        socket.listen(9)
    };
    net.on(Side::Server, listen).await
}

pub async fn a_bound_socket_connects_from_its_port(net: Net) {
    let listener = net.listen().await;
    let _client = net.sees("the client connects", net.connect_from(net.port() + 1)).await;
    let (_, peer) = listener.accept().await.unwrap();
    net.note("the server's peer has that port", peer.port() == net.port() + 1);
}

pub async fn a_bound_port_connects_once_at_a_time(net: Net) {
    let _listener = net.listen().await;
    let _client = net.sees("the client connects", net.connect_from(net.port() + 1)).await;
    net.sees("the client connects again", net.connect_from(net.port() + 1)).await;
}

pub async fn a_port_that_waits_for_stray_segments_is_taken(net: Net) {
    let listener = listen(&net, true).await.unwrap();
    let (mut client, server) = net.through(&listener).await;
    drop((server, listener));
    net.sees("the client reads", read(&mut client)).await;
    drop(client);
    settle().await;
    net.sees("without SO_REUSEADDR", listen(&net, false)).await;
    net.sees("with SO_REUSEADDR", listen(&net, true)).await;
}

pub async fn who_closes_last_leaves_no_port_behind(net: Net) {
    let listener = listen(&net, true).await.unwrap();
    let (client, mut server) = net.through(&listener).await;
    drop((client, listener));
    net.sees("the server reads", read(&mut server)).await;
    drop(server);
    settle().await;
    net.sees("without SO_REUSEADDR", listen(&net, false)).await;
}

/// The server shuts down first; then both ends are closed, in either order.
async fn shut_down_first(net: &Net, client_first: bool) {
    let listener = listen(net, true).await.unwrap();
    let (mut client, mut server) = net.through(&listener).await;
    drop(listener);
    server.shutdown().await.unwrap();
    net.sees("the client reads", read(&mut client)).await;
    if client_first {
        drop(client);
        net.sees("the server reads", read(&mut server)).await;
        drop(server);
    } else {
        drop(server);
        settle().await;
        drop(client);
    }
    settle().await;
    net.sees("without SO_REUSEADDR", listen(net, false)).await;
    net.sees("with SO_REUSEADDR", listen(net, true)).await;
}

pub async fn who_shuts_down_first_waits_though_the_other_closes_first(net: Net) {
    shut_down_first(&net, true).await;
}

pub async fn who_shuts_down_and_closes_first_waits(net: Net) {
    shut_down_first(&net, false).await;
}

pub async fn who_answers_a_shutdown_leaves_no_port_behind(net: Net) {
    let listener = listen(&net, true).await.unwrap();
    let (mut client, mut server) = net.through(&listener).await;
    drop(listener);
    client.shutdown().await.unwrap();
    net.sees("the server reads", read(&mut server)).await;
    server.shutdown().await.unwrap();
    net.sees("the client reads", read(&mut client)).await;
    drop((server, client));
    settle().await;
    net.sees("without SO_REUSEADDR", listen(&net, false)).await;
}

pub async fn a_connection_that_is_over_waits_while_its_socket_is_open(net: Net) {
    let listener = listen(&net, true).await.unwrap();
    let (mut client, mut server) = net.through(&listener).await;
    drop(listener);
    server.shutdown().await.unwrap();
    net.sees("the client reads", read(&mut client)).await;
    drop(client);
    net.sees("the server reads", read(&mut server)).await;
    net.sees("without SO_REUSEADDR", listen(&net, false)).await;
    drop(server);
    net.sees("with SO_REUSEADDR", listen(&net, true)).await;
}

pub async fn an_unbound_socket_listens_on_a_free_port(net: Net) {
    let listen = async { TcpSocket::new_v4().and_then(|socket| socket.listen(9)) };
    let listener = net.sees("the server listens", net.on(Side::Server, listen)).await.unwrap().unwrap();
    let at = SocketAddr::new(net.address(Side::Server), listener.local_addr().unwrap().port());
    net.sees("the client connects", net.on(Side::Client, TcpStream::connect(at))).await;
}

pub async fn linger_0_resets_the_peer(net: Net) {
    let (client, mut server) = net.pair().await;
    client.set_zero_linger().unwrap();
    drop(client);
    net.sees("the server reads", read(&mut server)).await;
}

pub async fn linger_0_throws_away_what_was_not_sent(net: Net) {
    let (mut client, mut server) = net.pair().await;
    client.set_zero_linger().unwrap();
    client.write_all(b"sent").await.unwrap();
    settle().await;
    drop(client);
    settle().await;
    net.sees("the server reads", read(&mut server)).await;
    net.sees("the server reads again", read(&mut server)).await;
}

pub async fn a_reset_in_the_queue_is_met_after_the_accept(net: Net) {
    let listener = net.listen().await;
    let client = net.connect().await.unwrap();
    client.set_zero_linger().unwrap();
    drop(client);
    settle().await;
    let (mut server, _) = net.sees("the server accepts", listener.accept()).await.unwrap().unwrap();
    net.sees("the server reads", read(&mut server)).await;
}

pub async fn options_are_as_they_were_set(net: Net) {
    let (client, _server) = net.pair().await;
    net.note("nodelay", client.nodelay());
    client.set_nodelay(true).unwrap();
    net.note("nodelay once set", client.nodelay());
    net.note("linger", client.linger().map(|linger| linger.is_some()));
    client.set_zero_linger().unwrap();
    net.note("linger once set", client.linger().map(|linger| linger.is_some_and(|linger| linger.is_zero())));
    let socket = TcpSocket::new_v4().unwrap();
    net.note("keep-alive", socket.keepalive());
    socket.set_keepalive(true).unwrap();
    net.note("keep-alive once set", socket.keepalive());
}

/// Returns a connection whose client sends keep-alive probes.
async fn kept_alive(net: &Net) -> (TcpStream, TcpStream) {
    let listener = net.listen().await;
    let server = net.server();
    let connect = async move {
        let socket = TcpSocket::new_v4()?;
        socket.set_keepalive(true)?;
        socket.connect(server).await
    };
    let client = net.on(Side::Client, connect).await.expect("the server listens");
    (client, listener.accept().await.expect("somebody connects").0)
}

pub async fn keep_alive_finds_a_crashed_host(net: Net) {
    let (mut client, server) = kept_alive(&net).await;
    net.crash().await;
    drop(server);
    net.sees("the client reads", read(&mut client)).await;
}

pub async fn keep_alive_finds_a_rebooted_host(net: Net) {
    let (mut client, server) = kept_alive(&net).await;
    net.crash().await;
    drop(server);
    net.reboot().await;
    net.sees("the client reads", read(&mut client)).await;
}
