//! Packets that are lost, doubled, late or out of order cost time, not bytes.

use super::{Impaired, read_text, text};
use crate::{net::Net, seen::settle};
use tokio::io::AsyncWriteExt;

const BYTES: usize = 100_000;

/// Sends a long text through a network that is impaired in the middle of it.
async fn send(net: Net, impaired: Impaired) {
    let (mut client, mut server) = net.pair().await;
    net.impair(impaired).await;
    let write = async {
        for part in text(BYTES).chunks(1000) {
            client.write_all(part).await.unwrap();
        }
        client.shutdown().await.unwrap();
    };
    let (read, ()) = tokio::join!(read_text(&mut server, BYTES), write);
    net.note("the server reads", read);
    net.heal().await;
    settle().await;
    let answer = async {
        server.write_all(&text(10)).await.unwrap();
        server.shutdown().await.unwrap();
    };
    let (read, ()) = tokio::join!(read_text(&mut client, 10), answer);
    net.note("the client reads", read);
}

pub async fn bytes_arrive_whole_and_in_order_though_packets_are_lost(net: Net) {
    send(net, Impaired::Lossy).await;
}

pub async fn bytes_arrive_once_though_packets_arrive_twice(net: Net) {
    send(net, Impaired::Doubled).await;
}

pub async fn bytes_arrive_in_order_though_packets_overtake_each_other(net: Net) {
    send(net, Impaired::Shuffled).await;
}

pub async fn bytes_arrive_though_packets_are_late(net: Net) {
    send(net, Impaired::Late).await;
}

pub async fn connects_succeed_though_packets_are_lost(net: Net) {
    let listener = net.listen().await;
    net.impair(Impaired::Lossy).await;
    for _ in 0..5 {
        // Now and then all tries of one are lost.
        while net.connect().await.is_err() {}
    }
    net.heal().await;
    settle().await;
    for _ in 0..5 {
        listener.accept().await.unwrap();
    }
    net.note("connects", "accepted");
}
