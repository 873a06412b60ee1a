//! IPv6, and dual-stack sockets.

use super::{Side, read};
use crate::net::Net;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpSocket, TcpStream, UdpSocket},
};

const ANY_V6: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
const LOOPBACK_V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
const ANY_V4: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
const LOOPBACK_V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Connects from the server to one of its own addresses.
async fn connect_within(net: &Net, ip: IpAddr) -> io::Result<TcpStream> {
    net.on(Side::Server, TcpStream::connect((ip, net.port()))).await
}

/// Returns the kind of an address.
fn family(addr: SocketAddr) -> String {
    let ip = match addr.ip() {
        IpAddr::V4(_) => "IPv4",
        IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some() => "IPv4 in IPv6",
        IpAddr::V6(_) => "IPv6",
    };
    if addr.ip().to_canonical().is_loopback() { format!("{ip}, loopback") } else { ip.to_owned() }
}

/// Records the addresses that both ends of a connection within the server see.
async fn ends(net: &Net, listen: IpAddr, connect: IpAddr) {
    let listener = net.listen_at((listen, net.port()).into()).await.unwrap();
    let Some(Ok(client)) = net.sees("the client connects", connect_within(net, connect)).await else { return };
    let (server, from) = listener.accept().await.unwrap();
    net.note("the client's own address", family(client.local_addr().unwrap()));
    net.note("the client's peer", family(client.peer_addr().unwrap()));
    net.note("the server's own address", family(server.local_addr().unwrap()));
    net.note("the server's peer", family(server.peer_addr().unwrap()));
    net.note("the accepted address is the peer's", from == server.peer_addr().unwrap());
    net.note("and that is the client's", from.port() == client.local_addr().unwrap().port());
}

pub async fn a_loopback_connection_of_v6(net: Net) {
    ends(&net, LOOPBACK_V6, LOOPBACK_V6).await;
}

pub async fn a_wildcard_of_v6_hears_v6(net: Net) {
    ends(&net, ANY_V6, LOOPBACK_V6).await;
}

pub async fn a_wildcard_of_v6_hears_v4_and_shows_it_mapped(net: Net) {
    ends(&net, ANY_V6, LOOPBACK_V4).await;
}

pub async fn a_wildcard_of_v4_does_not_hear_v6(net: Net) {
    ends(&net, ANY_V4, LOOPBACK_V6).await;
}

pub async fn a_mapped_address_reaches_a_listener_of_v4(net: Net) {
    ends(&net, LOOPBACK_V4, Ipv4Addr::LOCALHOST.to_ipv6_mapped().into()).await;
}

pub async fn a_connect_to_the_wildcard_of_v6_reaches_the_own_host(net: Net) {
    ends(&net, LOOPBACK_V6, ANY_V6).await;
}

pub async fn a_wildcard_of_v6_takes_the_port_of_both_families(net: Net) {
    let at = |ip| net.listen_at((ip, net.port()).into());
    let _listener = at(ANY_V6).await.unwrap();
    net.sees("the wildcard of IPv4", at(ANY_V4)).await;
    net.sees("loopback of IPv4", at(LOOPBACK_V4)).await;
    net.sees("loopback of IPv6", at(LOOPBACK_V6)).await;
}

pub async fn a_wildcard_of_v4_leaves_addresses_of_v6(net: Net) {
    let at = |ip| net.listen_at((ip, net.port()).into());
    let _listener = at(ANY_V4).await.unwrap();
    let _loopback = net.sees("loopback of IPv6", at(LOOPBACK_V6)).await;
    net.sees("the wildcard of IPv6", at(ANY_V6)).await;
}

pub async fn loopback_of_v4_and_of_v6_share_a_port(net: Net) {
    let at = |ip| net.listen_at((ip, net.port()).into());
    let _listener = at(LOOPBACK_V4).await.unwrap();
    net.sees("loopback of IPv6", at(LOOPBACK_V6)).await;
}

pub async fn a_socket_of_one_family_takes_no_address_of_the_other(net: Net) {
    let port = net.port();
    let bind = |v6: bool, ip: IpAddr| async move {
        let socket = if v6 { TcpSocket::new_v6()? } else { TcpSocket::new_v4()? };
        socket.bind((ip, port).into()).map(|()| "bound")
    };
    net.sees("IPv4 binds IPv6", net.on(Side::Server, bind(false, LOOPBACK_V6))).await;
    net.sees("IPv6 binds IPv4", net.on(Side::Server, bind(true, LOOPBACK_V4))).await;
    let _listener = net.listen_at((ANY_V6, port).into()).await.unwrap();
    let connect = |v6: bool, ip: IpAddr| async move {
        let socket = if v6 { TcpSocket::new_v6()? } else { TcpSocket::new_v4()? };
        socket.connect((ip, port).into()).await
    };
    net.sees("IPv4 connects to IPv6", net.on(Side::Server, connect(false, LOOPBACK_V6))).await;
    net.sees("IPv6 connects to IPv4", net.on(Side::Server, connect(true, LOOPBACK_V4))).await;
}

pub async fn two_hosts_talk_by_v6(net: Net) {
    let at = SocketAddr::new(net.address_v6(Side::Server), net.port());
    let listener = net.sees("the server listens", net.listen_at(at)).await.unwrap().unwrap();
    let connects = net.on(Side::Client, TcpStream::connect(at));
    let (client, accepted) = tokio::join!(net.sees("the client connects", connects), listener.accept());
    let (mut client, (mut server, from)) = (client.unwrap().unwrap(), accepted.unwrap());
    net.note("the server's peer is the client", from.ip() == net.address_v6(Side::Client));
    client.write_all(b"up").await.unwrap();
    net.sees("the server reads", read(&mut server)).await;
    drop(server);
    net.sees("the client reads", read(&mut client)).await;
}

pub async fn a_connect_by_v6_is_refused_where_only_v4_listens(net: Net) {
    let _listener = net.listen().await;
    let connects = TcpStream::connect((net.address_v6(Side::Server), net.port()));
    net.sees("the client connects", net.on(Side::Client, connects)).await;
}

/// A network without a route.
const ELSEWHERE: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));

pub async fn a_network_of_v6_without_a_route_is_unreachable_at_once(net: Net) {
    let connects = TcpStream::connect((ELSEWHERE, net.port()));
    net.sees("the client connects", net.on(Side::Client, connects)).await;
}

pub async fn a_connect_goes_on_to_the_next_address_after_an_error_at_once(net: Net) {
    let listener = net.listen().await;
    let addresses = [SocketAddr::new(ELSEWHERE, net.port()), net.server()];
    let connects = async move { TcpStream::connect(&addresses[..]).await };
    let client = net.sees("the client connects", net.on(Side::Client, connects)).await;
    net.sees("the server accepts", listener.accept()).await;
    drop(client);
}

pub async fn a_connect_goes_on_to_the_next_address_after_a_refusal(net: Net) {
    let listener = net.listen().await;
    let addresses = [SocketAddr::new(net.server().ip(), net.port() + 1), net.server()];
    let connects = async move { TcpStream::connect(&addresses[..]).await };
    let client = net.sees("the client connects", net.on(Side::Client, connects)).await;
    net.sees("the server accepts", listener.accept()).await;
    drop(client);
}

pub async fn of_several_addresses_the_last_error_is_told(net: Net) {
    let server = net.server();
    let connects = async move {
        let unreachable_last = [server, SocketAddr::new(ELSEWHERE, server.port())];
        TcpStream::connect(&unreachable_last[..]).await
    };
    net.sees("the client connects", net.on(Side::Client, connects)).await;
}

pub async fn a_udp_socket_of_v6_speaks_to_both_families(net: Net) {
    let (port, here) = (net.port(), Side::Server);
    let open = |ip: IpAddr, port| net.on(here, UdpSocket::bind((ip, port)));
    let both = open(ANY_V6, port).await.unwrap();
    let (v4, v6) = (open(LOOPBACK_V4, 0).await.unwrap(), open(LOOPBACK_V6, 0).await.unwrap());
    let mut buffer = [0; 9];
    v4.send_to(b"v4", (LOOPBACK_V4, port)).await.unwrap();
    let (_, from) = both.recv_from(&mut buffer).await.unwrap();
    net.note("of IPv4 it sees", family(from));
    net.sees("it answers", both.send_to(b"answer", from)).await;
    net.note("which comes from", family(v4.recv_from(&mut buffer).await.unwrap().1));
    v6.send_to(b"v6", (LOOPBACK_V6, port)).await.unwrap();
    let (_, from) = both.recv_from(&mut buffer).await.unwrap();
    net.note("of IPv6 it sees", family(from));
    net.sees("it answers", both.send_to(b"answer", from)).await;
    net.note("which comes from", family(v6.recv_from(&mut buffer).await.unwrap().1));
    net.sees("IPv6 sends to IPv4", both.send_to(b"plain", v4.local_addr().unwrap())).await;
    net.sees("IPv4 sends to IPv6", v4.send_to(b"plain", v6.local_addr().unwrap())).await;
}

/// The address that the listener reports.
pub async fn a_listener_of_v6_tells_its_address(net: Net) {
    let listen = |ip| net.on(Side::Server, TcpListener::bind((ip, 0)));
    for ip in [ANY_V6, LOOPBACK_V6, Ipv4Addr::LOCALHOST.to_ipv6_mapped().into()] {
        net.note("it listens on", listen(ip).await.unwrap().local_addr().unwrap().ip().to_string());
    }
}
