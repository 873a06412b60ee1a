//! UDP: datagrams are delivered whole or not at all, delayed, duplicated or reordered.

use super::SECOND;
use refrain::World;
use std::{io::ErrorKind::ConnectionRefused, time::Duration};
use tokio::{
    net::UdpSocket,
    time::{sleep, timeout},
};

/// Adds a host "server" that echoes every datagram.
fn serve(world: &World) {
    world.host("server", || async {
        let socket = UdpSocket::bind("0.0.0.0:53").await.unwrap();
        let mut buffer = [0; 2000];
        loop {
            let (n, from) = socket.recv_from(&mut buffer).await.unwrap();
            socket.send_to(&buffer[..n], from).await.unwrap();
        }
    });
}

async fn open() -> UdpSocket {
    sleep(SECOND).await;
    let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
    socket.connect("server:53").await.unwrap();
    socket
}

/// Returns the echoes of a hundred numbered datagrams.
async fn hundred() -> Vec<u8> {
    let socket = open().await;
    for n in 0..100 {
        assert_eq!(socket.send(&[n]).await.unwrap(), 1);
        sleep(Duration::from_millis(50)).await;
    }
    let mut all = vec![];
    let mut buffer = [0; 10];
    while let Ok(n) = timeout(SECOND * 100, socket.recv(&mut buffer)).await {
        assert_eq!(n.unwrap(), 1);
        all.push(buffer[0]);
    }
    all
}

#[refrain::test(runs = 20)]
async fn datagrams_come_whole_and_from_somebody(world: World) {
    serve(&world);
    let client = world.client("client").run(async {
        let socket = open().await;
        socket.send(b"one").await.unwrap();
        sleep(SECOND).await;
        socket.send(b"").await.unwrap();
        socket.readable().await.unwrap();
        let mut buffer = [0; 2];
        assert_eq!(socket.peek(&mut buffer).await.unwrap(), 2);
        assert_eq!(socket.peek_sender().await.unwrap(), socket.peer_addr().unwrap());
        // What exceeds the buffer is discarded.
        let (n, from) = socket.recv_from(&mut buffer).await.unwrap();
        assert_eq!((&buffer[..n], from), (&b"on"[..], socket.peer_addr().unwrap()));
        assert_eq!(socket.recv(&mut buffer).await.unwrap(), 0);
        assert_eq!(socket.try_recv(&mut buffer).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
        let mut all = Vec::with_capacity(100);
        socket.send(b"three").await.unwrap();
        assert_eq!(socket.recv_buf(&mut all).await.unwrap(), 5);
        assert_eq!(all, b"three");
        assert_eq!(socket.send(&[0; 65_508]).await.unwrap_err().raw_os_error(), Some(90));
        assert_eq!(
            UdpSocket::bind(socket.local_addr().unwrap()).await.unwrap_err().kind(),
            std::io::ErrorKind::AddrInUse
        );
    });
    client.await;
}

#[refrain::test(runs = 20, without_holds)]
async fn datagrams_are_lost_across_a_cut_and_nobody_is_told(world: World) {
    serve(&world);
    let client = world.client("client");
    world.fault("cut server <-> client at 0 s for 3 s");
    let all = client.run(hundred()).await;
    // The first two seconds are lost, plus the delay of holds.
    assert!(all.len() < 100 && all.last() == Some(&99), "{all:?}");
}

#[refrain::test(runs = 20)]
async fn datagrams_are_lost_doubled_and_overtaken(world: World) {
    serve(&world);
    let client = world.client("client");
    world.fault("lose 20 % of client -> server at 0 s");
    world.fault("duplicate 20 % of client -> server at 0 s");
    let all = client.run(hundred()).await;
    let mut distinct = all.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert!(distinct.len() < 100, "some are lost");
    assert!(all.len() > distinct.len(), "some are doubled");
}

#[refrain::test(runs = 20)]
async fn close_behind_each_other_datagrams_come_in_another_order(world: World) {
    world.host("server", || async {
        let socket = UdpSocket::bind("0.0.0.0:53").await.unwrap();
        let mut all = vec![];
        let mut buffer = [0; 10];
        for _ in 0..50 {
            socket.recv_from(&mut buffer).await.unwrap();
            all.push(buffer[0]);
        }
        assert!(!all.is_sorted(), "packets of a few microseconds' distance overtake each other");
        all.sort_unstable();
        assert!(all.into_iter().eq(0..50));
        tracing::info!("all came");
        std::future::pending::<()>().await
    });
    world.sometimes("all came", "selftest::network", "all came");
    let client = world.client("client").run(async {
        let socket = open().await;
        for n in 0..50 {
            socket.send(&[n]).await.unwrap();
        }
        sleep(SECOND * 60).await;
    });
    client.await;
}

#[refrain::test(runs = 20)]
async fn nobody_listens_is_told_to_connected_sockets_alone(world: World) {
    world.host("server", std::future::pending::<()>);
    let client = world.client("client").run(async {
        let socket = open().await;
        socket.send(b"?").await.unwrap();
        assert_eq!(socket.recv(&mut [0]).await.unwrap_err().kind(), ConnectionRefused);
        let other = UdpSocket::bind("0.0.0.0:0").await.unwrap();
        other.send_to(b"?", "server:53").await.unwrap();
        assert!(timeout(SECOND, other.recv(&mut [0])).await.is_err());
        assert_eq!(other.send(b"?").await.unwrap_err().raw_os_error(), Some(89), "it is not connected");
    });
    client.await;
}

#[refrain::test(runs = 20, without_holds)]
async fn a_reader_that_does_not_read_loses_what_does_not_fit(world: World) {
    let receiver = world.client("server").run(async {
        let socket = UdpSocket::bind("0.0.0.0:53").await.unwrap();
        sleep(SECOND * 200).await;
        let mut count = 0;
        while socket.try_recv(&mut [0]).is_ok() {
            count += 1;
        }
        count
    });
    let sender = world.client("client").run(async {
        let socket = open().await;
        for _ in 0..1000 {
            socket.send(&[0; 1000]).await.unwrap();
        }
    });
    let (count, ()) = tokio::join!(receiver, sender);
    assert_eq!(count, 92, "as on Linux");
}

#[refrain::test(runs = 20)]
async fn a_connected_socket_hears_its_peer_alone(world: World) {
    serve(&world);
    let other = world.client("other");
    let client = world.client("client").run(async {
        let socket = open().await;
        let port = socket.local_addr().unwrap().port();
        assert!(!socket.local_addr().unwrap().ip().is_unspecified());
        (socket, port)
    });
    let (socket, port) = client.await;
    other
        .run(async move {
            let other = UdpSocket::bind("0.0.0.0:0").await.unwrap();
            other.send_to(b"psst", ("client", port)).await.unwrap();
        })
        .await;
    sleep(SECOND).await;
    let heard = world.client("client").run(async move { socket.try_recv(&mut [0]).is_ok() });
    assert!(!heard.await);
}
