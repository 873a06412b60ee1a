//! Lost, duplicated, delayed or reordered packets cost time, not data.

use super::{Impaired, Side, read_text, text};
use crate::{net::Net, seen::settle};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::Instant,
};

const BYTES: usize = 100_000;

/// Sends a long text through a network that becomes impaired in the middle of it.
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

/// Writes packets of which the first is lost, and returns how long it took until all had arrived.
async fn sent_after_a_loss(net: &Net, packets: usize) -> Duration {
    let (mut client, mut server) = net.pair().await;
    client.set_nodelay(true).unwrap();
    net.lose_next(Side::Client).await;
    let began = Instant::now();
    for packet in text(packets * 1000).chunks(1000) {
        client.write_all(packet).await.unwrap();
    }
    server.read_exact(&mut vec![0; packets * 1000]).await.unwrap();
    began.elapsed()
}

/// The minimum retransmission timeout.
const TIMER: Duration = Duration::from_millis(200);

pub async fn a_lost_packet_is_sent_again_when_those_behind_it_arrive(net: Net) {
    net.note("before the timer is over", sent_after_a_loss(&net, 8).await < TIMER);
}

pub async fn a_lost_packet_with_none_behind_it_is_sent_again_by_the_timer(net: Net) {
    net.note("before the timer is over", sent_after_a_loss(&net, 1).await < TIMER);
}

pub async fn connects_succeed_though_packets_are_lost(net: Net) {
    let listener = net.listen().await;
    net.impair(Impaired::Lossy).await;
    // Occasionally all tries of a connect are lost, or its final ACK and everything after it.
    let connects = async {
        loop {
            drop(net.connect().await);
        }
    };
    let accepts = async {
        for _ in 0..5 {
            listener.accept().await.unwrap();
        }
    };
    tokio::select! {
        () = accepts => {}
        () = connects => {}
    }
    net.note("connects", "accepted");
}
