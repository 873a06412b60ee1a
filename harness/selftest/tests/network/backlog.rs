//! The listener's queues: their length, what happens when they are full, and which connections are refused.

use super::{SECOND, hold, is_about, read, timed};
use refrain::{Overflow, Sysctl, World};
use std::{
    io::{
        ErrorKind::{ConnectionRefused, ConnectionReset, TimedOut},
        Result,
    },
    time::Duration,
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpSocket, TcpStream},
    time::{Instant, sleep, timeout},
};

const MS: Duration = Duration::from_millis(1);

fn listen(backlog: u32) -> Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind("0.0.0.0:80".parse().unwrap())?;
    socket.listen(backlog)
}

/// Adds a host "server" that listens with a backlog of 5 and accepts after a while.
fn serve_late(world: &World, overflow: Overflow, after: Duration) -> refrain::Host {
    let host = world.host("server", move || async move {
        let listener = listen(5)?;
        sleep(after).await;
        loop {
            tokio::spawn(hold(listener.accept().await?.0));
        }
        #[allow(unreachable_code)]
        Result::Ok(())
    });
    host.sysctl(Sysctl::default().overflow(overflow));
    host
}

/// Returns the results of consecutive connects, with one second for each.
async fn connects(count: usize) -> Vec<Option<Result<TcpStream>>> {
    let mut all = vec![];
    for _ in 0..count {
        all.push(timeout(SECOND, TcpStream::connect("server:80")).await.ok());
        // The final ACK of the handshake may arrive after the next SYN.
        sleep(MS * 10).await;
    }
    all
}

#[refrain::test(runs = 20)]
async fn a_full_backlog_lets_connects_wait_on_linux(world: World) {
    serve_late(&world, Overflow::DropSyn, Duration::MAX);
    sleep(MS * 10).await;
    let all = world.client("client").run(connects(9)).await;
    let connected = all.iter().take_while(|one| matches!(one, Some(Ok(_)))).count();
    assert_eq!(connected, 6, "one more than the backlog: {all:?}");
    assert!(all[6..].iter().all(Option::is_none), "{all:?}");
}

#[refrain::test(runs = 20)]
async fn a_full_backlog_refuses_on_windows_nt(world: World) {
    serve_late(&world, Overflow::Reset, Duration::MAX);
    sleep(MS * 10).await;
    let all = world.client("client").run(connects(9)).await;
    let connected = all.iter().take_while(|one| matches!(one, Some(Ok(_)))).count();
    // Q113576: the seventh or eighth is refused.
    assert_eq!(connected, 6, "{all:?}");
    let refused =
        |one: &Option<Result<TcpStream>>| matches!(one, Some(Err(error)) if error.kind() == ConnectionRefused);
    assert!(all[6..].iter().all(refused), "{all:?}");
}

#[refrain::test(runs = 20)]
async fn a_dropped_syn_is_sent_again_and_connects_once_there_is_room(world: World) {
    serve_late(&world, Overflow::DropSyn, SECOND * 20);
    sleep(MS * 10).await;
    let connect = world.client("client").run(async {
        let _others = connects(6).await;
        timed(TcpStream::connect("server:80")).await
    });
    let (result, took) = connect.await;
    result.unwrap();
    assert!(took > SECOND, "{took:?}");
}

/// A burst's SYNs find room, its connections do not: SYN cookies are used beyond the half-open connections.
#[refrain::test(runs = 20)]
async fn in_a_burst_clients_may_believe_that_they_are_connected(world: World) {
    serve_late(&world, Overflow::DropSyn, SECOND * 10);
    sleep(MS * 10).await;
    let began = Instant::now();
    let burst = (0..40).map(|n| {
        world.client(&format!("client-{n}")).run(async move {
            let mut stream = timeout(MS * 900, TcpStream::connect("server:80")).await.ok()?.unwrap();
            stream.write_all(b"hello").await.unwrap();
            Some(stream)
        })
    });
    let tasks = burst.map(|connect| tokio::spawn(connect)).collect::<Vec<_>>();
    let mut streams = vec![];
    for task in tasks {
        streams.extend(task.await.unwrap());
    }
    assert!(began.elapsed() < SECOND * 50);
    assert!(streams.len() >= 6, "{}", streams.len());
    sleep(SECOND * 200).await;
    // All established clients were right in the end: their data was retransmitted until there was room.
    for mut stream in streams {
        assert!(timeout(SECOND, read(&mut stream)).await.is_err(), "nobody resets it");
    }
}

#[refrain::test(runs = 20)]
async fn a_handshake_that_the_client_does_not_finish_is_forgotten(world: World) {
    let server = serve_late(&world, Overflow::Reset, Duration::MAX);
    server.sysctl(Sysctl::default().overflow(Overflow::Reset).tcp_synack_retries(2));
    let client = world.client("client");
    world.fault("cut server -> client at 1 s for 20 s");
    sleep(SECOND * 2).await;
    // SYNs arrive but SYN-ACKs do not: half-open connections fill the backlog.
    client.run(connects(8)).await;
    sleep(SECOND * 20).await;
    let refused = client.run(connects(1)).await;
    assert!(matches!(refused[0], Some(Ok(_))), "{refused:?}");
}

#[refrain::test(runs = 20)]
async fn the_times_of_syns_are_settings(world: World) {
    world.host("server", std::future::pending::<()>);
    let client = world.client("client");
    world.fault("cut server <-> client at 0 s");
    for (tcp_syn_retries, tcp_syn_linear_timeouts, seconds) in [(0, 0, 1), (2, 0, 7), (2, 3, 10), (6, 4, 131)] {
        let sysctl = Sysctl::default().tcp_syn_retries(tcp_syn_retries);
        client.sysctl(sysctl.tcp_syn_linear_timeouts(tcp_syn_linear_timeouts));
        let (result, took) = client.run(timed(TcpStream::connect("server:80"))).await;
        assert_eq!(result.unwrap_err(), TimedOut);
        assert!(is_about(took, seconds), "{took:?}");
    }
}

#[refrain::test(runs = 20, without_holds)]
async fn a_dropped_listener_resets_whoever_waits_in_its_queue(world: World) {
    world.host("server", || async {
        let listener = listen(5).unwrap();
        sleep(SECOND * 5).await;
        drop(listener);
        std::future::pending::<()>().await
    });
    super::client(&world, |mut stream| async move {
        assert_eq!(timed(read(&mut stream)).await.0.unwrap_err(), ConnectionReset);
        let error = TcpStream::connect("server:80").await.unwrap_err();
        assert_eq!(error.to_string(), "Connection refused (os error 111)");
    })
    .await;
}

#[refrain::test(runs = 20)]
async fn without_a_file_descriptor_accept_fails_and_the_connection_stays(world: World) {
    let host = world.host("server", || async {
        let listener = listen(100).unwrap();
        let mut streams = vec![];
        loop {
            match listener.accept().await {
                Ok((stream, _)) => streams.push(stream),
                Err(error) => {
                    assert_eq!(error.to_string(), "Too many open files (os error 24)");
                    assert_eq!(streams.len(), 3);
                    assert_eq!(TcpStream::connect("server:80").await.unwrap_err().raw_os_error(), Some(24));
                    assert_eq!(TcpSocket::new_v4().unwrap_err().raw_os_error(), Some(24));
                    streams.remove(0);
                    tracing::info!("one left");
                }
            }
        }
    });
    host.sysctl(Sysctl::default().nofile(4));
    world.sometimes("one left", "selftest::network", "one left");
    sleep(SECOND).await;
    let client = world.client("client");
    let first = client.run(async {
        let mut streams = connects(4).await;
        sleep(SECOND * 100).await;
        let mut first = streams.remove(0).unwrap().unwrap();
        read(&mut first).await.unwrap()
    });
    assert_eq!(first.await, b"");
}
