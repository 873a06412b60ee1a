//! Connection establishment.

use super::{Side, read};
use crate::{net::Net, seen::settle};
use std::{collections::BTreeSet, io, net::IpAddr};
use tokio::{io::AsyncWriteExt, net::TcpStream};

pub async fn a_connect_succeeds_before_it_is_accepted(net: Net) {
    let listener = net.listen().await;
    let client = net.sees("the client connects", net.connect()).await;
    net.sees("the server accepts", listener.accept()).await;
    drop(client);
}

pub async fn an_accept_waits_for_a_connect(net: Net) {
    let listener = net.listen().await;
    net.waits("the server accepts", listener.accept()).await;
    let accepted = net.sees("the server accepts", async {
        let connect = async {
            settle().await;
            settle().await;
            net.connect().await
        };
        tokio::join!(listener.accept(), connect).0
    });
    accepted.await;
}

pub async fn without_a_listener_a_connect_is_refused(net: Net) {
    net.sees("the client connects", net.connect()).await;
}

pub async fn a_connect_after_the_listener_was_dropped_is_refused(net: Net) {
    let listener = net.listen().await;
    net.sees("the client connects", net.connect()).await;
    drop(listener);
    net.sees("the client connects again", net.connect()).await;
}

pub async fn accepts_come_in_the_order_of_connects(net: Net) {
    let listener = net.listen().await;
    let mut clients = vec![];
    for _ in 0..5 {
        clients.push(net.connect().await.unwrap());
        settle().await;
    }
    for client in &clients {
        let (_, peer) = listener.accept().await.unwrap();
        net.note("the next is the next", peer == client.local_addr().unwrap());
    }
}

pub async fn every_connect_has_a_port_of_its_own(net: Net) {
    let listener = net.listen().await;
    let mut ports = BTreeSet::new();
    let mut kept = vec![];
    for _ in 0..100 {
        kept.push(net.through(&listener).await);
        ports.insert(kept.last().unwrap().0.local_addr().unwrap().port());
    }
    net.note("ports", ports.len());
}

pub async fn bytes_sent_before_the_accept_are_there_after_it(net: Net) {
    let listener = net.listen().await;
    let mut client = net.connect().await.unwrap();
    net.sees("the client writes", client.write(b"early")).await;
    settle().await;
    let (mut server, _) = listener.accept().await.unwrap();
    net.sees("the server reads", read(&mut server)).await;
}

pub async fn a_client_that_left_the_queue_is_accepted_and_has_ended(net: Net) {
    let listener = net.listen().await;
    drop(net.connect().await.unwrap());
    settle().await;
    let (mut server, _) = net.sees("the server accepts", listener.accept()).await.unwrap().unwrap();
    net.sees("the server reads", read(&mut server)).await;
}

pub async fn a_dropped_listener_resets_whoever_waits_in_its_queue(net: Net) {
    let listener = net.listen().await;
    let mut client = net.connect().await.unwrap();
    settle().await;
    drop(listener);
    settle().await;
    net.sees("the client reads", read(&mut client)).await;
    net.sees("the client writes", client.write(b"?")).await;
}

pub async fn an_accepted_connection_outlives_its_listener(net: Net) {
    let listener = net.listen().await;
    let (mut client, mut server) = net.through(&listener).await;
    drop(listener);
    settle().await;
    client.write_all(b"still here").await.unwrap();
    net.sees("the server reads", read(&mut server)).await;
}

pub async fn a_connect_across_a_cut_times_out(net: Net) {
    let _listener = net.listen().await;
    net.cut().await;
    net.sees("the client connects", net.connect()).await;
}

pub async fn a_connect_during_a_cut_succeeds_after_it(net: Net) {
    let _listener = net.listen().await;
    net.cut().await;
    net.sees("the client connects", connect_and_heal(&net)).await;
}

pub async fn a_lost_answer_to_a_syn_is_sent_again(net: Net) {
    let _listener = net.listen().await;
    net.cut_from(Side::Server).await;
    net.sees("the client connects", connect_and_heal(&net)).await;
}

/// Connects, and heals the network after a while.
async fn connect_and_heal(net: &Net) -> io::Result<TcpStream> {
    let heal = async {
        settle().await;
        settle().await;
        net.heal().await;
    };
    tokio::join!(net.connect(), heal).0
}

pub async fn a_connect_to_a_crashed_host_times_out(net: Net) {
    let _listener = net.listen().await;
    net.crash().await;
    net.sees("the client connects", net.connect()).await;
}

pub async fn an_address_that_nobody_has_is_unreachable(net: Net) {
    let nobody = (IpAddr::from([10, 0, 0, 200]), net.port());
    net.sees("the client connects", net.on(Side::Client, TcpStream::connect(nobody))).await;
}

pub async fn a_refusal_that_is_lost_is_a_time_out(net: Net) {
    net.cut_from(Side::Server).await;
    net.sees("the client connects", net.connect()).await;
}

pub async fn a_killed_process_refuses_connects(net: Net) {
    let listener = net.listen().await;
    net.kill().await;
    drop(listener);
    net.sees("the client connects", net.connect()).await;
}

/// Loses the SYN-ACK of a connect, then drops the listener.
async fn outlives_its_listener(net: &Net) -> impl Future<Output = io::Result<TcpStream>> + use<> {
    let listener = net.listen().await;
    net.cut_from(Side::Server).await;
    let connects = net.clone();
    let connects = tokio::spawn(async move { connects.connect().await });
    settle().await;
    drop(listener);
    net.heal().await;
    async { connects.await.expect("it does not panic") }
}

pub async fn a_handshake_that_outlives_its_listener_is_refused(net: Net) {
    let connects = outlives_its_listener(&net).await;
    net.sees("the client connects", connects).await;
}

pub async fn a_handshake_that_outlives_its_listener_meets_the_next_one(net: Net) {
    let connects = outlives_its_listener(&net).await;
    let listener = net.listen().await;
    let client = net.sees("the client connects", connects).await;
    net.sees("the next listener accepts", listener.accept()).await;
    drop(client);
}
