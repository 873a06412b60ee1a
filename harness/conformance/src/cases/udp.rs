//! UDP.

use super::Side;
use crate::{net::Net, seen::settle};
use std::{
    io,
    net::{IpAddr, SocketAddr},
};
use tokio::net::UdpSocket;

/// More datagrams of 1,000 bytes than any system buffers for a reader that does not read.
const MANY: usize = 1_000;

/// Opens a socket on a host, on every address; port 0 selects a free one.
async fn socket(net: &Net, side: Side, port: u16) -> io::Result<UdpSocket> {
    net.on(side, UdpSocket::bind(SocketAddr::new(IpAddr::from([0, 0, 0, 0]), port))).await
}

/// Returns the client's socket and the server's.
async fn pair(net: &Net) -> (UdpSocket, UdpSocket) {
    let client = socket(net, Side::Client, 0).await.expect("there is a free port");
    let server = net.on(Side::Server, UdpSocket::bind(net.server())).await.expect("the port is free");
    (client, server)
}

/// Receives one datagram.
async fn receive(socket: &UdpSocket) -> io::Result<String> {
    let mut buffer = vec![0; 1 << 16];
    let n = socket.recv(&mut buffer).await?;
    Ok(shown(&buffer[..n]))
}

/// Formats a datagram, which may be empty: that does not mean the end of anything.
fn shown(datagram: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(datagram))
}

pub async fn datagrams_keep_their_edges(net: Net) {
    let (client, server) = pair(&net).await;
    for datagram in ["one", "two"] {
        net.sees("the client sends", client.send_to(datagram.as_bytes(), net.server())).await;
        settle().await;
    }
    net.sees("the server receives", receive(&server)).await;
    net.sees("the server receives", receive(&server)).await;
    net.waits("the server receives", receive(&server)).await;
}

pub async fn an_empty_datagram_arrives(net: Net) {
    let (client, server) = pair(&net).await;
    net.sees("the client sends nothing", client.send_to(b"", net.server())).await;
    net.sees("the server receives", receive(&server)).await;
}

pub async fn a_small_buffer_cuts_a_datagram_off(net: Net) {
    let (client, server) = pair(&net).await;
    client.send_to(b"abcdef", net.server()).await.unwrap();
    settle().await;
    client.send_to(b"next", net.server()).await.unwrap();
    settle().await;
    net.sees("the server receives 4", server.recv(&mut [0; 4])).await;
    net.waits("the server receives", receive(&server)).await;
}

pub async fn a_datagram_that_is_too_large_is_refused(net: Net) {
    let (client, _server) = pair(&net).await;
    net.sees("the client sends 65,507 bytes", client.send_to(&[0; 65_507], net.server())).await;
    net.note("65,508 bytes are refused", client.send_to(&[0; 65_508], net.server()).await.is_err());
}

pub async fn an_answer_goes_to_where_the_question_came_from(net: Net) {
    let (client, server) = pair(&net).await;
    client.send_to(b"question", net.server()).await.unwrap();
    let (_, from) = server.recv_from(&mut [0; 9]).await.unwrap();
    net.note("it came from the client's port", from.port() == client.local_addr().unwrap().port());
    server.send_to(b"answer", from).await.unwrap();
    net.sees("the client receives", receive(&client)).await;
}

pub async fn a_datagram_to_nobody_is_lost(net: Net) {
    let client = socket(&net, Side::Client, 0).await.unwrap();
    net.sees("the client sends", client.send_to(b"?", net.server())).await;
    net.waits("the client receives", receive(&client)).await;
    net.sees("the client sends again", client.send_to(b"?", net.server())).await;
}

pub async fn a_connected_socket_is_told_that_nobody_is_there(net: Net) {
    let client = socket(&net, Side::Client, 0).await.unwrap();
    client.connect(net.server()).await.unwrap();
    net.sees("the client sends", client.send(b"?")).await;
    settle().await;
    net.sees("the client receives", receive(&client)).await;
    net.waits("the client receives again", receive(&client)).await;
}

pub async fn a_connected_socket_hears_its_peer_only(net: Net) {
    let (client, server) = pair(&net).await;
    client.connect(net.server()).await.unwrap();
    let other = socket(&net, Side::Server, 0).await.unwrap();
    let at = client.local_addr().unwrap();
    net.sees("another one sends", other.send_to(b"from another", at)).await;
    settle().await;
    net.sees("the server sends", server.send_to(b"from the peer", at)).await;
    net.sees("the client receives", receive(&client)).await;
}

pub async fn a_socket_without_a_peer_cannot_just_send(net: Net) {
    let client = socket(&net, Side::Client, 0).await.unwrap();
    net.note("it fails", client.send(b"?").await.is_err());
}

pub async fn a_udp_port_is_taken_once(net: Net) {
    let _one = net.sees("the first binds", socket(&net, Side::Server, net.port())).await;
    net.sees("the second binds", socket(&net, Side::Server, net.port())).await;
    net.sees("a listener binds", net.listen_at(net.server())).await;
}

pub async fn trying_to_receive_nothing_would_block(net: Net) {
    let (client, server) = pair(&net).await;
    net.note("the server tries", server.try_recv(&mut [0; 9]));
    client.send_to(b"abc", net.server()).await.unwrap();
    settle().await;
    server.readable().await.unwrap();
    net.note("the server tries again", server.try_recv(&mut [0; 9]));
    net.note("and again", server.try_recv(&mut [0; 9]));
}

pub async fn a_datagram_sent_during_a_cut_is_lost(net: Net) {
    let (client, server) = pair(&net).await;
    net.cut().await;
    net.sees("the client sends", client.send_to(b"lost", net.server())).await;
    settle().await;
    net.heal().await;
    client.send_to(b"arrives", net.server()).await.unwrap();
    net.sees("the server receives", receive(&server)).await;
}

pub async fn datagrams_that_nobody_reads_are_dropped_at_last(net: Net) {
    let (client, server) = pair(&net).await;
    for _ in 0..MANY {
        let _ = client.send_to(&[0; 1_000], net.server()).await;
    }
    settle().await;
    let mut received = 0;
    while server.try_recv(&mut [0; 1_000]).is_ok() {
        received += 1;
    }
    net.note("some arrived", received > 0);
    net.note("all arrived", received == MANY);
}
