//! Readiness of a stream.

use super::{read, text};
use crate::{net::Net, seen::settle};
use std::io;
use tokio::{
    io::{AsyncWriteExt, Interest},
    net::TcpStream,
};

pub async fn a_stream_is_readable_once_bytes_are_there(net: Net) {
    let (mut client, server) = net.pair().await;
    net.waits("the server waits for bytes", server.readable()).await;
    client.write_all(b"abc").await.unwrap();
    net.sees("the server waits for bytes", server.readable()).await;
}

pub async fn a_new_stream_is_writable(net: Net) {
    let (client, server) = net.pair().await;
    net.sees("the client waits for room", client.writable()).await;
    net.sees("the server waits for room", server.writable()).await;
    net.note("the client tries to write", client.try_write(b"abc"));
}

pub async fn a_stream_with_full_buffers_is_not_writable(net: Net) {
    let (mut client, mut server) = net.pair().await;
    let much = text(Net::MUCH);
    net.waits("the client writes much", client.write_all(&much)).await;
    net.waits("the client waits for room", client.writable()).await;
    let drain = async {
        settle().await;
        settle().await;
        while read(&mut server).await.is_ok_and(|bytes| !bytes.is_empty()) {}
    };
    tokio::select! {
        _ = net.sees("while it is read, the client waits for room", client.writable()) => {}
        () = drain => {}
    }
}

pub async fn readiness_is_taken_back_by_what_would_block(net: Net) {
    let (mut client, server) = net.pair().await;
    client.write_all(b"abc").await.unwrap();
    net.sees("the server waits for bytes", server.readable()).await;
    net.note("the server tries", server.try_read(&mut [0; 9]));
    net.note("the server tries again", server.try_read(&mut [0; 9]));
    net.waits("the server waits for bytes", server.readable()).await;
}

pub async fn the_end_makes_a_stream_readable(net: Net) {
    let (client, server) = net.pair().await;
    drop(client);
    settle().await;
    net.sees("the server waits for bytes", server.readable()).await;
    net.note("it is", ready(&server).await);
}

pub async fn a_reset_makes_a_stream_ready_for_both(net: Net) {
    let client = net.reset_client().await;
    net.sees("the client waits for bytes", client.readable()).await;
    net.sees("the client waits for room", client.writable()).await;
    net.note("its error", client.take_error().map(|error| error.map_or("none".into(), |e| format!("{:?}", e.kind()))));
    net.note("and again", client.take_error().map(|error| error.map_or("none".into(), |e| format!("{:?}", e.kind()))));
}

/// Returns what a stream is ready for.
async fn ready(stream: &TcpStream) -> io::Result<String> {
    let ready = stream.ready(Interest::READABLE | Interest::WRITABLE).await?;
    let known = [
        (ready.is_readable(), "readable"),
        (ready.is_writable(), "writable"),
        (ready.is_read_closed(), "read closed"),
        (ready.is_write_closed(), "write closed"),
    ];
    Ok(known.iter().filter(|(is, _)| *is).map(|(_, name)| *name).collect::<Vec<_>>().join(", "))
}
