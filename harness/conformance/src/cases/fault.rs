//! Failures of the network or the other host, as an application sees them.

use super::{Side, read, read_text, text};
use crate::{net::Net, seen::settle};
use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};

/// Heals the network after a while.
async fn heal_later(net: &Net) {
    settle().await;
    settle().await;
    net.heal().await;
}

/// Waits long enough for lost packets to be retransmitted, too.
async fn settle_after_a_retransmission() {
    sleep(Duration::from_secs(2)).await;
}

pub async fn what_is_written_during_a_cut_arrives_after_it(net: Net) {
    let (mut client, mut server) = net.pair().await;
    net.cut().await;
    net.sees("the client writes", client.write_all(b"one ")).await;
    net.sees("the client writes", client.write_all(b"two")).await;
    tokio::join!(net.sees("the server reads", read(&mut server)), heal_later(&net));
}

pub async fn a_cut_without_traffic_is_not_noticed(net: Net) {
    let (mut client, mut server) = net.pair().await;
    net.cut().await;
    net.waits("the client reads", read(&mut client)).await;
    net.heal().await;
    server.write_all(b"still here").await.unwrap();
    net.sees("the client reads", read(&mut client)).await;
}

pub async fn a_cut_longer_than_all_retransmissions_times_out(net: Net) {
    let (mut client, mut server) = net.pair().await;
    net.cut().await;
    net.sees("the client writes", client.write(b"lost")).await;
    net.sees("the client reads", read(&mut client)).await;
    net.sees("the client writes", client.write(b"?")).await;
    net.sees("the client reads", read(&mut client)).await;
    net.waits("the server reads", read(&mut server)).await;
}

pub async fn a_close_during_a_cut_is_read_after_it(net: Net) {
    let (mut client, mut server) = net.pair().await;
    net.cut().await;
    server.write_all(b"last words").await.unwrap();
    drop(server);
    tokio::join!(net.sees("the client reads", read_all_of(&mut client)), heal_later(&net));
}

/// Reads to the end of the stream, as text.
async fn read_all_of(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut all = vec![];
    stream.read_to_end(&mut all).await?;
    Ok(all)
}

pub async fn a_reset_that_is_lost_is_not_repeated_until_somebody_asks(net: Net) {
    let (mut client, server) = net.pair().await;
    client.write_all(b"nobody reads this").await.unwrap();
    settle().await;
    net.cut().await;
    drop(server);
    settle().await;
    net.heal().await;
    net.waits("the client reads", read(&mut client)).await;
    net.sees("the client writes", client.write(b"?")).await;
    net.sees("the client reads", read(&mut client)).await;
}

pub async fn a_one_way_cut_lets_the_other_way_pass(net: Net) {
    let (mut client, mut server) = net.pair().await;
    net.cut_from(Side::Client).await;
    server.write_all(b"down").await.unwrap();
    net.sees("the client reads", read(&mut client)).await;
    client.write_all(b"up").await.unwrap();
    net.waits("the server reads", read(&mut server)).await;
    net.heal().await;
    settle_after_a_retransmission().await;
    net.sees("the server reads", read(&mut server)).await;
}

pub async fn a_lost_acknowledgement_times_the_writer_out(net: Net) {
    let (mut client, mut server) = net.pair().await;
    net.cut_from(Side::Server).await;
    client.write_all(b"up").await.unwrap();
    net.sees("the server reads", read(&mut server)).await;
    net.sees("the client reads", read(&mut client)).await;
}

pub async fn a_reader_does_not_notice_that_acknowledgements_are_lost(net: Net) {
    let (mut client, mut server) = net.pair().await;
    net.cut_from(Side::Server).await;
    client.write_all(b"up").await.unwrap();
    net.sees("the server reads", read(&mut server)).await;
    net.sees("the server writes", server.write(b"down")).await;
    net.heal().await;
    settle_after_a_retransmission().await;
    net.sees("the client reads", read(&mut client)).await;
    net.waits("the server reads", read(&mut server)).await;
}

pub async fn a_writer_of_which_every_acknowledgement_is_lost_times_out(net: Net) {
    let (mut client, mut server) = net.pair().await;
    net.lose_acknowledgements(Side::Server).await;
    client.write_all(b"up").await.unwrap();
    net.sees("the server reads", read(&mut server)).await;
    net.sees("the client reads", read(&mut client)).await;
}

pub async fn an_answer_brings_the_acknowledgement_that_was_lost(net: Net) {
    let (mut client, mut server) = net.pair().await;
    net.lose_acknowledgements(Side::Server).await;
    client.write_all(b"up").await.unwrap();
    net.sees("the server reads", read(&mut server)).await;
    server.write_all(b"down").await.unwrap();
    net.sees("the client reads", read(&mut client)).await;
    net.sees("the client reads on", read(&mut client)).await;
}

pub async fn a_crashed_host_is_silent(net: Net) {
    let (mut client, server) = net.pair().await;
    net.crash().await;
    drop(server);
    net.waits("the client reads", read(&mut client)).await;
}

pub async fn a_write_to_a_crashed_host_times_out(net: Net) {
    let (mut client, server) = net.pair().await;
    net.crash().await;
    drop(server);
    net.sees("the client writes", client.write(b"are you there")).await;
    net.sees("the client reads", read(&mut client)).await;
}

pub async fn a_rebooted_host_resets_what_it_does_not_know(net: Net) {
    let (mut client, server) = net.pair().await;
    net.crash().await;
    drop(server);
    net.reboot().await;
    net.sees("the client writes", client.write(b"are you there")).await;
    settle().await;
    net.sees("the client reads", read(&mut client)).await;
}

pub async fn a_rebooted_host_that_nobody_asks_says_nothing(net: Net) {
    let (mut client, server) = net.pair().await;
    net.crash().await;
    drop(server);
    net.reboot().await;
    net.waits("the client reads", read(&mut client)).await;
    net.sees("a new client connects", net.connect()).await;
}

pub async fn a_closed_window_opens_after_a_cut(net: Net) {
    let (mut client, mut server) = net.pair().await;
    let much = text(Net::MUCH);
    let write = async {
        client.write_all(&much).await.unwrap();
        client.shutdown().await.unwrap();
    };
    let read = async {
        // By now the window is closed.
        settle().await;
        net.cut().await;
        settle().await;
        net.heal().await;
        let all = read_text(&mut server, Net::MUCH).await;
        net.note("the server reads", all);
    };
    tokio::join!(write, read);
}
