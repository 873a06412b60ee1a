//! Data transfer.

use super::{read, read_text, text};
use crate::{net::Net, seen::settle};
use std::io;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

pub async fn bytes_arrive_whole_and_in_order(net: Net) {
    let (mut client, mut server) = net.pair().await;
    let write = async {
        let all = text(100_000);
        for part in all.chunks(777) {
            client.write_all(part).await.unwrap();
        }
        client.shutdown().await.unwrap();
    };
    let read = net.sees("the server reads", read_text(&mut server, 100_000));
    tokio::join!(write, read);
}

pub async fn a_read_waits_for_bytes(net: Net) {
    let (mut client, mut server) = net.pair().await;
    net.waits("the server reads", read(&mut server)).await;
    client.write_all(b"late").await.unwrap();
    net.sees("the server reads", read(&mut server)).await;
}

pub async fn a_read_takes_what_is_there_over_the_edges_of_writes(net: Net) {
    let (mut client, mut server) = net.pair().await;
    for part in ["a", "bc", "def"] {
        client.write_all(part.as_bytes()).await.unwrap();
    }
    settle().await;
    net.sees("the server reads", read(&mut server)).await;
}

pub async fn a_small_buffer_leaves_the_rest_for_the_next_read(net: Net) {
    let (mut client, mut server) = net.pair().await;
    client.write_all(b"abcdef").await.unwrap();
    settle().await;
    let mut four = [0; 4];
    net.sees("the server reads 4", server.read(&mut four)).await;
    net.sees("the server reads the rest", read(&mut server)).await;
}

pub async fn a_read_into_nothing_reads_nothing(net: Net) {
    let (mut client, mut server) = net.pair().await;
    client.write_all(b"abc").await.unwrap();
    settle().await;
    net.sees("the server reads into nothing", server.read(&mut [])).await;
    net.sees("the server reads", read(&mut server)).await;
}

pub async fn a_write_of_nothing_writes_nothing(net: Net) {
    let (mut client, mut server) = net.pair().await;
    net.sees("the client writes nothing", client.write(b"")).await;
    net.waits("the server reads", read(&mut server)).await;
}

pub async fn a_peek_leaves_what_it_sees(net: Net) {
    let (mut client, mut server) = net.pair().await;
    client.write_all(b"abc").await.unwrap();
    settle().await;
    let mut two = [0; 2];
    net.sees("the server peeks", server.peek(&mut two)).await;
    net.sees("the server peeks again", server.peek(&mut two)).await;
    net.sees("the server reads", read(&mut server)).await;
}

pub async fn a_peek_waits_for_bytes(net: Net) {
    let (mut client, server) = net.pair().await;
    net.waits("the server peeks", server.peek(&mut [0; 9])).await;
    client.shutdown().await.unwrap();
    net.sees("the server peeks at the end", server.peek(&mut [0; 9])).await;
}

pub async fn trying_to_read_nothing_would_block(net: Net) {
    let (mut client, server) = net.pair().await;
    net.note("the server tries", try_read(&server));
    client.write_all(b"abc").await.unwrap();
    settle().await;
    net.note("the server tries again", try_read(&server));
    net.note("and again", try_read(&server));
}

pub async fn trying_to_read_at_the_end_reads_the_end(net: Net) {
    let (client, server) = net.pair().await;
    drop(client);
    settle().await;
    net.note("the server tries", try_read(&server));
    net.note("and again", try_read(&server));
}

pub async fn both_ways_do_not_mix(net: Net) {
    let (mut client, mut server) = net.pair().await;
    client.write_all(b"up").await.unwrap();
    server.write_all(b"down").await.unwrap();
    settle().await;
    net.sees("the server reads", read(&mut server)).await;
    net.sees("the client reads", read(&mut client)).await;
}

pub async fn a_writer_waits_for_a_reader_that_does_not_read(net: Net) {
    let (mut client, _server) = net.pair().await;
    let much = text(Net::MUCH);
    net.waits("the client writes much", client.write_all(&much)).await;
}

pub async fn trying_to_write_into_full_buffers_would_block(net: Net) {
    let (mut client, _server) = net.pair().await;
    let much = text(Net::MUCH);
    net.waits("the client writes much", client.write_all(&much)).await;
    net.note("the client tries to write", client.try_write(b"?"));
}

pub async fn a_writer_goes_on_when_the_reader_reads(net: Net) {
    let (mut client, mut server) = net.pair().await;
    let much = text(Net::MUCH);
    let write = async {
        client.write_all(&much).await.unwrap();
        client.shutdown().await.unwrap();
    };
    let read = async {
        settle().await;
        let all = read_text(&mut server, Net::MUCH).await;
        net.note("the server reads", all);
    };
    tokio::join!(write, read);
}

fn try_read(stream: &TcpStream) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; 100];
    let n = stream.try_read(&mut buffer)?;
    buffer.truncate(n);
    Ok(buffer)
}
