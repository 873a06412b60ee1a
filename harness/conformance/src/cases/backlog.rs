//! The backlog of a listener.

use super::{Impaired, read};
use crate::{net::Net, seen::settle};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

const BACKLOG: u32 = 2;
/// A number of concurrent connects that exceeds the backlog.
const BURST: usize = 8;

/// Returns a listener whose queue is full: it holds one connection more than its backlog.
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

/// Starts so many concurrent connects that their handshakes overlap: the first is not complete when the last starts.
async fn burst(net: &Net) -> (TcpListener, Vec<TcpStream>) {
    let listener = net.listen_with(BACKLOG).await;
    net.impair(Impaired::Late).await;
    let mut connecting = JoinSet::new();
    for _ in 0..BURST {
        let net = net.clone();
        connecting.spawn(async move { net.connect().await });
    }
    let mut clients = vec![];
    while let Some(connected) = connecting.join_next().await {
        clients.extend(connected.expect("it ends"));
    }
    net.heal().await;
    (listener, clients)
}

pub async fn a_burst_believes_that_it_is_connected(net: Net) {
    let (_listener, clients) = burst(&net).await;
    net.note("connected", clients.len());
}

pub async fn whoever_came_too_early_is_heard_once_there_is_room(net: Net) {
    let (listener, mut clients) = burst(&net).await;
    for client in &mut clients {
        client.write_all(b"?").await.unwrap();
    }
    settle().await;
    let mut heard = 0;
    for _ in 0..BURST {
        let (mut server, _) = listener.accept().await.unwrap();
        heard += read(&mut server).await.unwrap().len();
    }
    net.note("heard", heard);
}
