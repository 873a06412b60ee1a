//! Streams of Unix sockets.

use super::{Side, text};
use crate::{net::Net, seen::settle};
use std::{io, path::PathBuf};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, Interest},
    net::{UnixListener, UnixSocket, UnixStream},
};

/// More than any buffer takes.
const MUCH: usize = 1 << 20;

fn path(net: &Net) -> PathBuf {
    net.folder().join("a")
}

async fn listen(net: &Net) -> UnixListener {
    let path = path(net);
    net.on(Side::Server, async { UnixListener::bind(path) }).await.expect("the path is free")
}

async fn listen_with(net: &Net, backlog: u32) -> UnixListener {
    let path = path(net);
    let listens = async move {
        let socket = UnixSocket::new_stream()?;
        socket.bind(path)?;
        socket.listen(backlog)
    };
    net.on(Side::Server, listens).await.expect("the path is free")
}

async fn connect(net: &Net) -> io::Result<UnixStream> {
    net.on(Side::Server, UnixStream::connect(path(net))).await
}

/// A connection: the client's end and the server's.
async fn through(net: &Net, listener: &UnixListener) -> (UnixStream, UnixStream) {
    let client = connect(net).await.expect("the server listens");
    (client, listener.accept().await.expect("somebody connects").0)
}

async fn pair(net: &Net) -> (UnixStream, UnixStream) {
    net.on(Side::Server, async { UnixStream::pair() }).await.expect("there are descriptors")
}

async fn read(stream: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; 1 << 20];
    let n = stream.read(&mut buffer).await?;
    buffer.truncate(n);
    Ok(buffer)
}

/// Writes pieces of a size until one does not fit, and tells how many bytes were taken.
fn fill(stream: &UnixStream, piece: usize) -> usize {
    let piece = vec![7; piece];
    std::iter::from_fn(|| stream.try_write(&piece).ok()).sum()
}

pub async fn a_unix_connect_succeeds_before_it_is_accepted(net: Net) {
    let listener = listen(&net).await;
    let client = net.sees("the client connects", connect(&net)).await;
    net.sees("the server accepts", listener.accept()).await;
    drop(client);
}

pub async fn a_unix_accept_waits_for_a_connect(net: Net) {
    let listener = listen(&net).await;
    net.waits("the server accepts", listener.accept()).await;
    let (accepted, _client) = tokio::join!(listener.accept(), async {
        settle().await;
        connect(&net).await
    });
    net.note("the server accepts", accepted);
}

pub async fn unix_streams_carry_bytes_both_ways(net: Net) {
    let listener = listen(&net).await;
    let (mut client, mut server) = through(&net, &listener).await;
    net.waits("the server reads", read(&mut server)).await;
    net.sees("the client writes", client.write(b"question")).await;
    net.sees("the server reads", read(&mut server)).await;
    net.sees("the server writes", server.write(b"one")).await;
    net.sees("the server writes", server.write(b"two")).await;
    net.sees("the client reads", read(&mut client)).await;
    net.sees("the client writes nothing", client.write(b"")).await;
    net.waits("the server reads", read(&mut server)).await;
}

pub async fn bytes_sent_before_the_unix_accept_are_there_after_it(net: Net) {
    let listener = listen(&net).await;
    let mut client = connect(&net).await.unwrap();
    net.sees("the client writes", client.write(b"early")).await;
    let (mut server, _) = listener.accept().await.unwrap();
    net.sees("the server reads", read(&mut server)).await;
}

pub async fn unix_accepts_come_in_the_order_of_connects(net: Net) {
    let listener = listen(&net).await;
    let mut clients = vec![];
    for name in ["first", "second"] {
        let mut client = connect(&net).await.unwrap();
        client.write_all(name.as_bytes()).await.unwrap();
        clients.push(client);
    }
    for _ in 0..2 {
        net.sees("the server reads", read(&mut listener.accept().await.unwrap().0)).await;
    }
}

pub async fn a_full_unix_backlog_fails_a_connect_at_once(net: Net) {
    let listener = listen_with(&net, 1).await;
    let mut clients = vec![];
    for _ in 0..3 {
        clients.push(net.sees("a client connects", connect(&net)).await);
    }
    let _accepted = net.sees("the server accepts", listener.accept()).await;
    clients.push(net.sees("a client connects", connect(&net)).await);
    clients.push(net.sees("a client connects", connect(&net)).await);
}

pub async fn who_left_a_unix_queue_still_takes_its_place(net: Net) {
    let listener = listen_with(&net, 0).await;
    let client = connect(&net).await.unwrap();
    net.sees("a client connects", connect(&net)).await;
    drop(client);
    net.sees("a client connects", connect(&net)).await;
    let (mut server, _) = listener.accept().await.unwrap();
    net.sees("the server reads", read(&mut server)).await;
    net.sees("the server writes", server.write(b"?")).await;
    net.sees("a client connects", connect(&net)).await;
}

pub async fn a_dropped_unix_listener_resets_whoever_waits_in_its_queue(net: Net) {
    let listener = listen(&net).await;
    let mut one = connect(&net).await.unwrap();
    let mut other = connect(&net).await.unwrap();
    one.write_all(b"nobody reads this").await.unwrap();
    drop(listener);
    net.sees("one reads", read(&mut one)).await;
    net.sees("one reads", read(&mut one)).await;
    net.sees("one writes", one.write(b"?")).await;
    net.sees("the other writes", other.write(b"?")).await;
    net.sees("the other reads", read(&mut other)).await;
}

pub async fn an_accepted_unix_stream_outlives_its_listener(net: Net) {
    let listener = listen(&net).await;
    let (mut client, mut server) = through(&net, &listener).await;
    drop(listener);
    net.sees("the client writes", client.write(b"still here")).await;
    net.sees("the server reads", read(&mut server)).await;
}

pub async fn a_dropped_unix_stream_is_the_end(net: Net) {
    let (mut client, mut server) = pair(&net).await;
    server.write_all(b"last words").await.unwrap();
    drop(server);
    net.sees("the client reads", read(&mut client)).await;
    net.sees("the client reads", read(&mut client)).await;
    net.sees("the client writes", client.write(b"?")).await;
    net.sees("the client writes", client.write(b"?")).await;
    net.sees("the client shuts down", client.shutdown()).await;
    net.note("the client's error", client.take_error().map(|error| error.is_some()));
}

pub async fn bytes_that_nobody_read_reset_a_unix_stream(net: Net) {
    let (mut client, mut server) = pair(&net).await;
    client.write_all(b"nobody reads this").await.unwrap();
    server.write_all(b"last words").await.unwrap();
    drop(server);
    net.sees("the client reads", read(&mut client)).await;
    net.sees("the client reads", read(&mut client)).await;
    net.sees("the client reads", read(&mut client)).await;
}

pub async fn a_write_to_a_reset_unix_stream_is_a_broken_pipe(net: Net) {
    let (mut client, server) = pair(&net).await;
    client.write_all(b"nobody reads this").await.unwrap();
    drop(server);
    net.sees("the client writes", client.write(b"?")).await;
    let error = client.take_error().map(|error| error.map_or("none".into(), |error| format!("{:?}", error.kind())));
    net.note("the client's error", error);
    net.sees("the client reads", read(&mut client)).await;
}

pub async fn a_unix_stream_that_is_shut_down_still_reads(net: Net) {
    let (mut client, mut server) = pair(&net).await;
    client.write_all(b"question").await.unwrap();
    net.sees("the client shuts down", client.shutdown()).await;
    net.sees("the client shuts down", client.shutdown()).await;
    net.sees("the client writes", client.write(b"?")).await;
    net.sees("the server reads", read(&mut server)).await;
    net.sees("the server reads", read(&mut server)).await;
    net.sees("the server writes", server.write(b"answer")).await;
    net.sees("the client reads", read(&mut client)).await;
    net.waits("the client reads", read(&mut client)).await;
}

pub async fn a_waiting_unix_reader_sees_the_end(net: Net) {
    let (mut client, server) = pair(&net).await;
    let (read, ()) = tokio::join!(read(&mut client), async {
        settle().await;
        drop(server);
    });
    net.note("the client reads", read);
}

pub async fn a_waiting_unix_writer_sees_the_end(net: Net) {
    let (mut client, server) = pair(&net).await;
    let much = text(MUCH);
    let (written, ()) = tokio::join!(client.write_all(&much), async {
        settle().await;
        drop(server);
    });
    net.note("the client writes", written);
    net.sees("the client reads", read(&mut client)).await;
}

pub async fn a_dropped_unix_write_half_shuts_down(net: Net) {
    let (client, mut server) = pair(&net).await;
    let (mut reader, writer) = client.into_split();
    drop(writer);
    net.sees("the server reads", read(&mut server)).await;
    server.write_all(b"answer").await.unwrap();
    let mut answer = [0; 6];
    net.sees("the client reads", reader.read(&mut answer)).await;
}

pub async fn a_forgotten_unix_write_half_stays_open(net: Net) {
    let (client, mut server) = pair(&net).await;
    let (reader, writer) = client.into_split();
    writer.forget();
    net.waits("the server reads", read(&mut server)).await;
    drop(reader);
    net.sees("the server reads", read(&mut server)).await;
}

pub async fn unix_halves_come_together_again(net: Net) {
    let (client, mut server) = pair(&net).await;
    let (other, _other_server) = pair(&net).await;
    let (reader, writer) = client.into_split();
    let (other_reader, other_writer) = other.into_split();
    net.note("halves of two streams", reader.reunite(other_writer).is_ok());
    net.note("and the other ones", writer.reunite(other_reader).is_ok());
    net.sees("the server reads", read(&mut server)).await;
}

pub async fn a_large_unix_write_arrives_whole(net: Net) {
    let (mut client, mut server) = pair(&net).await;
    let sending = async move {
        client.write_all(&text(MUCH)).await?;
        client.shutdown().await?;
        io::Result::Ok(client)
    };
    let mut all = vec![];
    let (sent, _) = tokio::join!(sending, server.read_to_end(&mut all));
    net.note("the client writes", sent.map(drop));
    net.note("the server reads all of it", all == text(MUCH));
}

pub async fn a_unix_buffer_takes_so_many_bytes(net: Net) {
    for piece in [1, 192, 193, 1_000, 2_000, 4_000, 10_000, 40_000, 100_000, MUCH] {
        let (client, _server) = pair(&net).await;
        client.writable().await.unwrap();
        net.note(&format!("in pieces of {piece}"), fill(&client, piece));
    }
}

pub async fn a_full_unix_buffer_makes_a_writer_wait(net: Net) {
    let (mut client, mut server) = pair(&net).await;
    client.writable().await.unwrap();
    let filled = fill(&client, 1_000);
    net.waits("the client writes", client.write(b"?")).await;
    net.sees("the server reads", read(&mut server)).await.unwrap().unwrap();
    net.sees("the client writes", client.write(b"?")).await;
    net.note("it was full after", filled);
}

pub async fn a_unix_writer_goes_on_once_three_quarters_are_free(net: Net) {
    let (client, server) = pair(&net).await;
    client.writable().await.unwrap();
    let pieces = fill(&client, 1_000) / 1_000;
    let mut read = 0;
    for _ in 0..pieces {
        server.readable().await.unwrap();
        server.try_read(&mut [0; 1_000]).unwrap();
        read += 1;
        settle_soon().await;
        if client.try_write(b"x").is_ok() {
            break;
        }
    }
    net.note("pieces", pieces);
    net.note("read until a write is taken", read);
}

/// Lets what epoll has to say be heard.
async fn settle_soon() {
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
}

pub async fn a_unix_pair_has_no_names(net: Net) {
    let (one, other) = net.on(Side::Server, async { UnixStream::pair() }).await.unwrap();
    net.note("its own address", one.local_addr());
    net.note("its peer", one.peer_addr());
    drop(other);
    net.note("its peer", one.peer_addr());
}

pub async fn unix_peers_know_who_the_other_is(net: Net) {
    let listener = listen(&net).await;
    let (client, server) = through(&net, &listener).await;
    let (of_client, of_server) = (server.peer_cred().unwrap(), client.peer_cred().unwrap());
    net.note("they are one process", of_client.pid() == of_server.pid());
    net.note("it has a number", of_client.pid().is_some_and(|pid| pid > 0));
    let own = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap());
    net.note("it runs as this user", of_client.uid() == own);
    let (one, _other) = pair(&net).await;
    net.note("a pair is of one process", one.peer_cred().unwrap().pid() == of_client.pid());
}

pub async fn unix_streams_say_what_they_are_ready_for(net: Net) {
    let both = Interest::READABLE | Interest::WRITABLE;
    let states = |stream: UnixStream| async move {
        settle().await;
        let ready = stream.ready(both).await.unwrap();
        let said = [
            (ready.is_readable(), "readable"),
            (ready.is_writable(), "writable"),
            (ready.is_read_closed(), "read closed"),
            (ready.is_write_closed(), "write closed"),
        ];
        let said = said.iter().filter(|(is, _)| *is).map(|(_, said)| *said).collect::<Vec<_>>().join(", ");
        (stream, said)
    };
    let (client, mut server) = pair(&net).await;
    let (client, said) = states(client).await;
    net.note("at first", said);
    server.write_all(b"abc").await.unwrap();
    let (mut client, said) = states(client).await;
    net.note("after the peer wrote", said);
    client.read_exact(&mut [0; 3]).await.unwrap();
    server.shutdown().await.unwrap();
    let (client, said) = states(client).await;
    net.note("after the peer shut down", said);
    drop(server);
    let (_client, said) = states(client).await;
    net.note("after the peer left", said);
}

pub async fn trying_to_read_nothing_from_a_unix_stream_would_block(net: Net) {
    let (client, mut server) = pair(&net).await;
    net.note("the client tries", client.try_read(&mut [0; 9]));
    server.write_all(b"abc").await.unwrap();
    client.readable().await.unwrap();
    net.note("the client tries again", client.try_read(&mut [0; 9]));
    net.note("and again", client.try_read(&mut [0; 9]));
}
