//! Addresses and ports.

use super::{Side, read};
use crate::{net::Net, seen::settle};
use std::net::{IpAddr, SocketAddr};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
};

/// Returns an address of the server.
fn at(ip: [u8; 4], port: u16) -> SocketAddr {
    (IpAddr::from(ip), port).into()
}

pub async fn a_port_is_taken_once(net: Net) {
    let _listener = net.sees("the first binds", net.listen_at(net.server())).await;
    net.sees("the second binds", net.listen_at(net.server())).await;
}

pub async fn a_wildcard_takes_the_port_of_every_address(net: Net) {
    let _listener = net.listen().await;
    net.sees("the own address", net.listen_at(net.server())).await;
    net.sees("loopback", net.listen_at(at([127, 0, 0, 1], net.port()))).await;
    net.sees("the wildcard", net.listen_at(at([0, 0, 0, 0], net.port()))).await;
    net.sees("another port", net.listen_at(at([0, 0, 0, 0], net.port() + 1))).await;
}

pub async fn an_address_and_the_wildcard_exclude_each_other(net: Net) {
    let _listener = net.listen_at(net.server()).await.unwrap();
    net.sees("the wildcard", net.listen_at(at([0, 0, 0, 0], net.port()))).await;
}

pub async fn two_addresses_may_share_a_port(net: Net) {
    let _own = net.sees("the own address", net.listen_at(net.server())).await;
    net.sees("loopback", net.listen_at(at([127, 0, 0, 1], net.port()))).await;
}

pub async fn a_port_is_free_once_its_listener_is_dropped(net: Net) {
    drop(net.listen().await);
    net.sees("the next binds", net.listen_at(net.server())).await;
}

pub async fn a_port_is_free_while_accepted_connections_live_on(net: Net) {
    let (mut client, mut server) = net.pair().await;
    // The listener has already been dropped.
    let next = net.sees("the next binds", net.listen_at(net.server())).await;
    net.sees("it is connected to", net.connect()).await;
    drop(next);
    client.write_all(b"still here").await.unwrap();
    net.sees("the server reads", read(&mut server)).await;
}

pub async fn a_port_is_free_after_the_server_closed_first(net: Net) {
    let (mut client, server) = net.pair().await;
    drop(server);
    net.sees("the client reads", read(&mut client)).await;
    drop(client);
    settle().await;
    net.sees("the next binds", net.listen_at(net.server())).await;
}

pub async fn an_address_of_another_host_cannot_be_bound(net: Net) {
    net.sees("the server binds", net.listen_at(at([192, 0, 2, 1], net.port()))).await;
}

pub async fn port_0_is_a_free_port(net: Net) {
    let one = net.listen_at(at([0, 0, 0, 0], 0)).await.unwrap().local_addr().unwrap().port();
    let listener = net.listen_at((net.server().ip(), 0).into()).await.unwrap();
    let other = listener.local_addr().unwrap();
    net.note("both are ports", one > 0 && other.port() > 0);
    net.sees("the client connects", net.on(Side::Client, TcpStream::connect(other))).await;
}

pub async fn both_ends_know_each_other(net: Net) {
    let listener = net.listen().await;
    let (client, server) = net.through(&listener).await;
    net.note("the client's peer is the server", client.peer_addr().unwrap() == net.server());
    net.note("the server's own is that", server.local_addr().unwrap() == net.server());
    net.note("the server's peer is the client", server.peer_addr().unwrap() == client.local_addr().unwrap());
    net.note("the listener is the wildcard", listener.local_addr().unwrap() == at([0, 0, 0, 0], net.port()));
}

pub async fn a_loopback_listener_is_not_heard_from_outside(net: Net) {
    let _listener = net.listen_at(at([127, 0, 0, 1], net.port())).await.unwrap();
    net.sees("the client connects", net.connect()).await;
    net.sees("the server itself, by its name", net.on(Side::Server, TcpStream::connect(net.server()))).await;
    let own = TcpStream::connect(at([127, 0, 0, 1], net.port()));
    net.sees("the server itself, by loopback", net.on(Side::Server, own)).await;
}

pub async fn a_wildcard_listener_is_heard_on_every_address(net: Net) {
    let _listener = net.listen().await;
    net.sees("the client connects", net.connect()).await;
    net.sees("the server itself, by its name", net.on(Side::Server, TcpStream::connect(net.server()))).await;
    let own = TcpStream::connect(at([127, 0, 0, 1], net.port()));
    net.sees("the server itself, by loopback", net.on(Side::Server, own)).await;
}

pub async fn a_connect_to_the_wildcard_reaches_the_own_host(net: Net) {
    let listener = net.on(Side::Server, TcpListener::bind(at([0, 0, 0, 0], 0))).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let own = net.on(Side::Server, TcpStream::connect(at([0, 0, 0, 0], port)));
    let stream = net.sees("the server connects to 0.0.0.0", own).await.unwrap().unwrap();
    net.note("its peer is loopback", stream.peer_addr().unwrap() == at([127, 0, 0, 1], port));
}
