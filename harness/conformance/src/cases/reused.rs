//! Connects from a port from which the server still has an older connection: that of a client that has lost it, as a reboot
//! does.

use super::{Side, read};
use crate::{net::Net, seen::settle};
use std::time::Duration;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// When a client gives up: before the server sends its SYN-ACK again.
const GIVES_UP: Duration = Duration::from_millis(100);

/// A connection from the port that [`again`] uses, too.
async fn pair(net: &Net, listener: &TcpListener) -> (TcpStream, TcpStream) {
    let (client, accepted) = tokio::join!(net.connect_from(port(net)), listener.accept());
    (client.expect("the server listens"), accepted.expect("somebody connects").0)
}

/// The client's port.
fn port(net: &Net) -> u16 {
    net.port() + 1
}

/// The client's host forgets its end of a connection, and the server does not learn of it.
async fn lose(net: &Net, client: TcpStream) {
    client.set_zero_linger().unwrap();
    net.cut().await;
    drop(client);
    settle().await;
    net.heal().await;
}

/// Connects again from the same port, and exchanges something.
async fn again(net: &Net, listener: &TcpListener) {
    let Some(Ok(mut client)) = net.sees("the client connects again", net.connect_from(port(net))).await else { return };
    let Some(Ok((mut server, _))) = net.sees("the server accepts", listener.accept()).await else { return };
    client.write_all(b"question").await.unwrap();
    net.sees("the server reads", read(&mut server)).await;
    server.write_all(b"answer").await.unwrap();
    net.sees("the client reads", read(&mut client)).await;
}

pub async fn a_connect_from_the_port_of_a_lost_connection_resets_that(net: Net) {
    let listener = net.listen().await;
    let (client, mut old) = pair(&net, &listener).await;
    lose(&net, client).await;
    again(&net, &listener).await;
    net.sees("the server reads the old one", read(&mut old)).await;
    net.sees("the server writes to the old one", old.write(b"?")).await;
}

pub async fn what_arrived_on_a_lost_connection_is_read_before_its_reset(net: Net) {
    let listener = net.listen().await;
    let (mut client, mut old) = pair(&net, &listener).await;
    client.write_all(b"last words").await.unwrap();
    settle().await;
    lose(&net, client).await;
    again(&net, &listener).await;
    net.sees("the server reads the old one", read(&mut old)).await;
    net.sees("the server reads on", read(&mut old)).await;
}

pub async fn a_lost_connection_whose_end_was_read_is_broken_by_the_next(net: Net) {
    let listener = net.listen().await;
    let (mut client, mut old) = pair(&net, &listener).await;
    client.shutdown().await.unwrap();
    net.sees("the server reads", read(&mut old)).await;
    lose(&net, client).await;
    again(&net, &listener).await;
    net.sees("the server reads the old one", read(&mut old)).await;
    net.sees("the server writes to the old one", old.write(b"?")).await;
}

pub async fn a_lost_connection_that_was_shut_down_is_reset_by_the_next(net: Net) {
    let listener = net.listen().await;
    let (mut client, mut old) = pair(&net, &listener).await;
    old.shutdown().await.unwrap();
    net.sees("the client reads", read(&mut client)).await;
    lose(&net, client).await;
    again(&net, &listener).await;
    net.sees("the server reads the old one", read(&mut old)).await;
}

pub async fn a_lost_connection_that_was_closed_gives_way_to_the_next(net: Net) {
    let listener = net.listen().await;
    let (mut client, old) = pair(&net, &listener).await;
    drop(old);
    net.sees("the client reads", read(&mut client)).await;
    lose(&net, client).await;
    again(&net, &listener).await;
}

pub async fn a_lost_connection_is_reset_though_nobody_listens_any_more(net: Net) {
    let listener = net.listen().await;
    let (client, mut old) = pair(&net, &listener).await;
    lose(&net, client).await;
    drop(listener);
    net.sees("the client connects again", net.connect_from(port(&net))).await;
    net.sees("the server reads the old one", read(&mut old)).await;
}

pub async fn a_connection_that_is_over_gives_way_at_once(net: Net) {
    let listener = net.listen().await;
    let (mut client, old) = pair(&net, &listener).await;
    drop(old);
    net.sees("the client reads", read(&mut client)).await;
    drop(client);
    settle().await;
    again(&net, &listener).await;
}

pub async fn a_handshake_that_was_given_up_gives_way_to_the_next(net: Net) {
    let listener = net.listen().await;
    net.cut_from(Side::Server).await;
    // Gives up before the SYN-ACK is sent again, which a reset would answer.
    net.sees("the client gives up", give_up(&net)).await;
    net.heal().await;
    again(&net, &listener).await;
    net.waits("the server accepts another one", listener.accept()).await;
}

/// Connects from the same port, and closes the socket before there is an answer. Returns whether there was none.
async fn give_up(net: &Net) -> bool {
    let connect = net.connecting_from(port(net));
    net.on(Side::Client, async move { timeout(GIVES_UP, connect).await.is_err() }).await
}

pub async fn a_waiting_reader_is_woken_by_the_connect_that_resets_it(net: Net) {
    let listener = net.listen().await;
    let (client, mut old) = pair(&net, &listener).await;
    let lost = async {
        lose(&net, client).await;
        net.connect_from(port(&net)).await
    };
    let (_new, ()) = tokio::join!(lost, async { drop(net.sees("the server reads the old one", read(&mut old)).await) });
}
