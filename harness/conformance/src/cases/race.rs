//! Races: the outcome depends on timing.

use super::read;
use crate::{net::Net, seen::settle};
use std::{io, time::Duration};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{Instant, sleep_until},
};

/// Maximum delay of one side after the other. The kernel's timers have a granularity of milliseconds.
const BEHIND_MS_MAX: u64 = 4;

/// Performs two operations at about the same time.
async fn race<A, B>(one: impl Future<Output = A>, other: impl Future<Output = B>) -> (A, B) {
    let began = Instant::now();
    let [first, second] = [0, 1].map(|_| Duration::from_millis(fastrand::u64(0..=BEHIND_MS_MAX)));
    let one = async {
        sleep_until(began + first).await;
        one.await
    };
    let other = async {
        sleep_until(began + second).await;
        other.await
    };
    tokio::join!(one, other)
}

pub async fn a_close_races_with_the_peers_bytes(net: Net) {
    let (mut client, server) = net.pair().await;
    let (written, ()) = race(client.write(b"up"), async { drop(server) }).await;
    net.note("the client writes", written);
    settle().await;
    net.note("the client reads", read(&mut client).await);
}

pub async fn a_write_races_with_the_peers_reset(net: Net) {
    let (mut client, server) = net.pair().await;
    client.write_all(b"nobody reads this").await.unwrap();
    settle().await;
    let (written, ()) = race(client.write(b"nor this"), async { drop(server) }).await;
    net.note("the client writes", written);
    settle().await;
    net.note("the client reads", read(&mut client).await);
}

pub async fn a_write_races_with_the_peers_close(net: Net) {
    let (client, mut server) = net.pair().await;
    let (written, ()) = race(server.write(b"down"), async { drop(client) }).await;
    net.note("the server writes", written);
    settle().await;
    net.note("the server writes again", server.write(b"?").await);
}

pub async fn a_connect_races_with_the_listeners_end(net: Net) {
    let listener = net.listen().await;
    let (connected, ()) = race(net.connect(), async { drop(listener) }).await;
    net.note("the client connects", connected.as_ref().map(|_| "connected").map_err(|error| error.kind().into()));
    settle().await;
    if let Ok(mut client) = connected {
        net.note("the client reads", read(&mut client).await);
    }
}

pub async fn two_connects_race_for_the_first_accept(net: Net) {
    let listener = net.listen().await;
    let (one, other) = race(net.connect(), net.connect()).await;
    let (one, other) = (one.unwrap(), other.unwrap());
    settle().await;
    let (first, _) = listener.accept().await.unwrap();
    net.note("the first accepted is the first connected", is_peer(&first, &one).unwrap());
    net.note("it is the second", is_peer(&first, &other).unwrap());
}

fn is_peer(accepted: &TcpStream, connected: &TcpStream) -> io::Result<bool> {
    Ok(accepted.peer_addr()? == connected.local_addr()?)
}
