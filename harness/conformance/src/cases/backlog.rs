//! What a listener's backlog admits.

use super::read;
use crate::{net::Net, seen::settle};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
};

const BACKLOG: u32 = 2;

/// A listener whose queue is full: it holds one connection more than its backlog.
async fn full(net: &Net) -> (TcpListener, Vec<TcpStream>) {
    let listener = net.listen_with(BACKLOG).await;
    let mut clients = vec![];
    for _ in 0..=BACKLOG {
        clients.push(net.connect().await.expect("there is room"));
        settle().await;
    }
    (listener, clients)
}

pub async fn a_backlog_admits_one_more_than_it_says(net: Net) {
    let _listener = net.listen_with(BACKLOG).await;
    let mut clients = vec![];
    for _ in 0..=BACKLOG {
        clients.push(net.sees("the client connects", net.connect()).await);
        settle().await;
    }
    net.waits("the client connects", net.connect()).await;
}

pub async fn an_accept_lets_in_who_waits(net: Net) {
    let (listener, _clients) = full(&net).await;
    let accept = async {
        settle().await;
        settle().await;
        listener.accept().await
    };
    let (_, accepted) = tokio::join!(net.sees("the client connects", net.connect()), accept);
    net.note("the server accepts", accepted);
}

pub async fn a_full_backlog_times_a_connect_out(net: Net) {
    let (_listener, _clients) = full(&net).await;
    net.sees("the client connects", net.connect()).await;
}

pub async fn who_left_the_queue_still_takes_its_place(net: Net) {
    let (_listener, mut clients) = full(&net).await;
    clients.pop();
    settle().await;
    net.waits("the client connects", net.connect()).await;
}

pub async fn what_is_in_the_queue_may_talk(net: Net) {
    let (listener, mut clients) = full(&net).await;
    for (n, client) in clients.iter_mut().enumerate() {
        client.write_all(format!("client {n}").as_bytes()).await.unwrap();
    }
    settle().await;
    for _ in 0..=BACKLOG {
        let (mut server, _) = listener.accept().await.unwrap();
        net.sees("the server reads", read(&mut server)).await;
    }
}
