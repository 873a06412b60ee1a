//! The halves of a stream.

use super::read;
use crate::{net::Net, seen::settle};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub async fn halves_read_and_write_side_by_side(net: Net) {
    let (mut client, mut server) = net.pair().await;
    let (mut reader, mut writer) = client.split();
    let mut answer = [0; 4];
    let echo = async {
        let asked = read(&mut server).await.unwrap();
        server.write_all(&asked).await.unwrap();
    };
    let (read, _, ()) = tokio::join!(reader.read_exact(&mut answer), writer.write_all(b"ping"), echo);
    net.note("the client reads", read);
    net.note("it is", answer.to_vec());
}

pub async fn a_dropped_writing_half_ends_the_stream(net: Net) {
    let (client, mut server) = net.pair().await;
    let (mut reader, writer) = client.into_split();
    drop(writer);
    net.sees("the server reads", read(&mut server)).await;
    server.write_all(b"still open").await.unwrap();
    let mut answer = [0; 10];
    net.sees("the client reads", reader.read_exact(&mut answer)).await;
}

pub async fn a_dropped_reading_half_ends_nothing(net: Net) {
    let (client, mut server) = net.pair().await;
    let (reader, mut writer) = client.into_split();
    drop(reader);
    writer.write_all(b"still open").await.unwrap();
    net.sees("the server reads", read(&mut server)).await;
    net.sees("the server writes", server.write(b"nobody reads this")).await;
    settle().await;
    drop(writer);
    net.sees("the server reads", read(&mut server)).await;
}

pub async fn reunited_halves_end_nothing(net: Net) {
    let (client, mut server) = net.pair().await;
    let (reader, writer) = client.into_split();
    let mut client = reader.reunite(writer).unwrap();
    net.waits("the server reads", read(&mut server)).await;
    client.write_all(b"whole again").await.unwrap();
    net.sees("the server reads", read(&mut server)).await;
}

pub async fn halves_of_two_streams_do_not_reunite(net: Net) {
    let (client, server) = net.pair().await;
    let (reader, _writer) = client.into_split();
    let (_reader, writer) = server.into_split();
    net.note("they reunite", reader.reunite(writer).is_ok());
}
