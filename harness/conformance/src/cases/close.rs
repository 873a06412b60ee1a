//! Connection teardown.

use super::{read, read_text, text};
use crate::{net::Net, seen::settle};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub async fn a_fin_is_read_as_the_end_again_and_again(net: Net) {
    let (mut client, server) = net.pair().await;
    drop(server);
    net.sees("the client reads", read(&mut client)).await;
    net.sees("the client reads again", read(&mut client)).await;
}

pub async fn what_was_written_before_the_close_is_read_before_the_end(net: Net) {
    let (mut client, mut server) = net.pair().await;
    server.write_all(b"last words").await.unwrap();
    drop(server);
    settle().await;
    net.sees("the client reads", read(&mut client)).await;
    net.sees("the client reads again", read(&mut client)).await;
}

pub async fn a_half_closed_connection_still_answers(net: Net) {
    let (mut client, mut server) = net.pair().await;
    client.write_all(b"all of it").await.unwrap();
    net.sees("the client shuts down", client.shutdown()).await;
    settle().await;
    net.sees("the server reads", read(&mut server)).await;
    net.sees("the server reads", read(&mut server)).await;
    net.sees("the server writes", server.write(b"answer")).await;
    net.sees("the client reads", read(&mut client)).await;
}

pub async fn a_write_after_the_shutdown_breaks_the_pipe(net: Net) {
    let (mut client, _server) = net.pair().await;
    client.shutdown().await.unwrap();
    net.sees("the client writes", client.write(b"?")).await;
    net.sees("the client writes again", client.write(b"?")).await;
    net.note("the client tries to write", client.try_write(b"?"));
}

pub async fn a_second_shutdown_is_as_the_first(net: Net) {
    let (mut client, mut server) = net.pair().await;
    net.sees("the client shuts down", client.shutdown()).await;
    net.sees("the client shuts down again", client.shutdown()).await;
    net.sees("the server reads", read(&mut server)).await;
}

pub async fn a_shutdown_after_both_ends_were_closed(net: Net) {
    let (mut client, server) = net.pair().await;
    drop(server);
    settle().await;
    net.sees("the client shuts down", client.shutdown()).await;
    settle().await;
    net.sees("the client shuts down again", client.shutdown()).await;
    net.sees("the client reads", read(&mut client)).await;
}

pub async fn close_with_unread_data_resets_the_peer(net: Net) {
    let mut client = net.reset_client().await;
    net.sees("the client reads", read(&mut client)).await;
    net.sees("the client reads again", read(&mut client)).await;
    net.sees("the client writes", client.write(b"?")).await;
}

pub async fn a_reset_leaves_what_arrived_before_it(net: Net) {
    let (mut client, mut server) = net.pair().await;
    client.write_all(b"nobody reads this").await.unwrap();
    server.write_all(b"last words").await.unwrap();
    settle().await;
    drop(server);
    settle().await;
    net.sees("the client reads", read(&mut client)).await;
    net.sees("the client reads again", read(&mut client)).await;
    net.sees("and again", read(&mut client)).await;
}

pub async fn a_write_meets_the_reset_once(net: Net) {
    let mut client = net.reset_client().await;
    net.sees("the client writes", client.write(b"?")).await;
    net.sees("the client writes again", client.write(b"?")).await;
    net.sees("the client reads", read(&mut client)).await;
}

pub async fn a_write_to_a_closed_peer_succeeds_once(net: Net) {
    let (mut client, server) = net.pair().await;
    drop(server);
    settle().await;
    net.sees("the client writes", client.write(b"1")).await;
    settle().await;
    net.sees("the client writes again", client.write(b"2")).await;
    net.sees("the client reads", read(&mut client)).await;
}

pub async fn after_the_end_a_reset_is_not_read(net: Net) {
    let (mut client, mut server) = net.pair().await;
    server.write_all(b"last words").await.unwrap();
    drop(server);
    settle().await;
    client.write_all(b"nobody hears this").await.unwrap();
    settle().await;
    net.sees("the client reads", read(&mut client)).await;
    net.sees("the client reads again", read(&mut client)).await;
    net.sees("the client writes", client.write(b"?")).await;
}

pub async fn a_waiting_reader_is_woken_by_the_end(net: Net) {
    let (mut client, server) = net.pair().await;
    let close = async {
        settle().await;
        settle().await;
        drop(server);
    };
    tokio::join!(net.sees("the client reads", read(&mut client)), close);
}

pub async fn a_waiting_reader_is_woken_by_a_reset(net: Net) {
    let (mut client, server) = net.pair().await;
    client.write_all(b"nobody reads this").await.unwrap();
    let close = async {
        settle().await;
        settle().await;
        drop(server);
    };
    tokio::join!(net.sees("the client reads", read(&mut client)), close);
}

pub async fn a_waiting_writer_is_woken_by_a_reset(net: Net) {
    let (mut client, server) = net.pair().await;
    let much = text(Net::MUCH);
    let close = async {
        settle().await;
        settle().await;
        drop(server);
    };
    tokio::join!(net.sees("the client writes much", client.write_all(&much)), close);
    net.sees("the client writes", client.write(b"?")).await;
}

pub async fn a_large_write_arrives_though_it_is_dropped_at_once(net: Net) {
    let (mut client, mut server) = net.pair().await;
    // Less than any kernel's buffers hold.
    server.write_all(&text(50_000)).await.unwrap();
    drop(server);
    net.sees("the client reads", read_text(&mut client, 50_000)).await;
}

pub async fn both_may_close_at_once(net: Net) {
    let (client, server) = net.pair().await;
    let (mut client_reads, client_writes) = client.into_split();
    let (mut server_reads, server_writes) = server.into_split();
    drop((client_writes, server_writes));
    net.sees("the client reads", client_reads.read(&mut [0])).await;
    net.sees("the server reads", server_reads.read(&mut [0])).await;
}

pub async fn after_a_reset_the_peer_is_not_known(net: Net) {
    let mut client = net.reset_client().await;
    net.note("the peer's address", client.peer_addr().map(|_| "known"));
    net.note("the own address", client.local_addr().map(|_| "known"));
    net.sees("the client reads", read(&mut client)).await;
    net.note("the peer's address", client.peer_addr().map(|_| "known"));
}

pub async fn a_shutdown_after_a_reset_fails(net: Net) {
    let mut client = net.reset_client().await;
    net.sees("the client shuts down", client.shutdown()).await;
    net.sees("the client reads", read(&mut client)).await;
}

pub async fn a_killed_process_ends_its_connections(net: Net) {
    let (mut client, server) = net.pair().await;
    net.kill().await;
    drop(server);
    net.sees("the client reads", read(&mut client)).await;
}

pub async fn a_killed_process_with_unread_data_resets_them(net: Net) {
    let (mut client, server) = net.pair().await;
    client.write_all(b"nobody reads this").await.unwrap();
    settle().await;
    net.kill().await;
    drop(server);
    net.sees("the client reads", read(&mut client)).await;
}
