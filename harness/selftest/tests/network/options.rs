//! Socket options: keep-alive, linger, buffers, reuse, bind before connect; and the closed window.

use super::{SECOND, ask, client, echo, hold, is_about, read, serve, timed};
use refrain::{Sysctl, World};
use std::{
    io::ErrorKind::{AddrInUse, AddrNotAvailable, BrokenPipe, ConnectionReset, NotConnected, TimedOut},
    net::SocketAddr,
    time::Duration,
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpSocket, TcpStream},
    time::{sleep, timeout},
};

/// Probes after 20 s, then every 5 s, three of them.
const KEEPALIVE: Sysctl = Sysctl::LINUX
    .tcp_keepalive_time(Duration::from_secs(20))
    .tcp_keepalive_intvl(Duration::from_secs(5))
    .tcp_keepalive_probes(3);

async fn server() -> SocketAddr {
    tokio::net::lookup_host("server:80").await.unwrap().next().unwrap()
}

async fn connect_alive() -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_keepalive(true).unwrap();
    assert!(socket.keepalive().unwrap());
    socket.connect(server().await).await.unwrap()
}

#[refrain::test(runs = 20)]
async fn a_silent_peer_is_probed_and_times_out(world: World) {
    serve(&world, hold);
    let client = world.client("client");
    client.sysctl(KEEPALIVE);
    world.fault("crash server at 90 s");
    sleep(SECOND).await;
    client
        .run(async {
            let mut stream = connect_alive().await;
            // While the peer's kernel answers, nothing happens.
            assert!(timeout(SECOND * 70, read(&mut stream)).await.is_err());
            let (result, took) = timed(read(&mut stream)).await;
            assert_eq!(result.unwrap_err(), TimedOut);
            // From the crash to the timeout: at most 20 s of idle time, and three probes.
            assert!(took < SECOND * 60 + super::HELD, "{took:?}");
        })
        .await;
}

#[refrain::test(runs = 20)]
async fn a_probe_finds_out_that_the_peer_has_rebooted(world: World) {
    serve(&world, hold);
    let client = world.client("client");
    client.sysctl(KEEPALIVE);
    world.fault("crash server at 60 s and reboot it after 1 s");
    sleep(SECOND).await;
    client
        .run(async {
            let mut stream = connect_alive().await;
            assert_eq!(timed(read(&mut stream)).await.0.unwrap_err(), ConnectionReset);
        })
        .await;
}

#[refrain::test(runs = 20)]
async fn an_accepted_connection_has_the_options_of_its_listener(world: World) {
    let host = world.host("server", || async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_keepalive(true).unwrap();
        socket.set_zero_linger().unwrap();
        socket.bind("0.0.0.0:80".parse().unwrap()).unwrap();
        let listener = socket.listen(5).unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        assert_eq!(stream.linger().unwrap(), Some(Duration::ZERO));
        assert_eq!(timed(read(&mut stream)).await.0.unwrap_err(), TimedOut);
        tracing::info!("the silent client is gone");
        std::future::pending::<()>().await
    });
    host.sysctl(KEEPALIVE);
    world.sometimes("the client's silence is noticed", "selftest::network", "the silent client is gone");
    world.client("client");
    world.fault("cut server <-> client at 30 s");
    client(&world, |stream| async move {
        sleep(SECOND * 200).await;
        drop(stream);
    })
    .await;
}

#[refrain::test(runs = 20)]
async fn a_close_with_linger_zero_resets(world: World) {
    serve(&world, |mut stream| async move {
        assert_eq!(timed(read(&mut stream)).await.0.unwrap_err(), ConnectionReset);
        tracing::info!("reset");
    });
    world.sometimes("it is reset", "selftest::network", "reset");
    client(&world, |stream| async move {
        stream.set_zero_linger().unwrap();
        sleep(SECOND).await;
        drop(stream);
        sleep(SECOND).await;
    })
    .await;
}

#[refrain::test(runs = 20)]
async fn small_buffers_let_a_writer_wait_early(world: World) {
    serve(&world, hold);
    sleep(SECOND).await;
    let written = world.client("client").run(async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_send_buffer_size(5000).unwrap();
        socket.set_recv_buffer_size(1).unwrap();
        assert_eq!((socket.send_buffer_size().unwrap(), socket.recv_buffer_size().unwrap()), (10_000, 2304));
        let mut stream = socket.connect(server().await).await.unwrap();
        let mut written = 0;
        while let Ok(n) = timeout(SECOND, stream.write(&[0; 1000])).await {
            written += n.unwrap();
        }
        written
    });
    assert_eq!(written.await, (64 << 10) + 5000, "the server's whole window, and what waits for it");
}

#[refrain::test(runs = 10)]
async fn a_writer_before_a_closed_window_finds_out_that_its_peer_is_gone(world: World) {
    serve(&world, hold);
    world.client("client");
    world.fault("crash server at 100 s");
    client(&world, |mut stream| async move {
        let all = vec![0; 1 << 20];
        let (result, took) = timed(stream.write_all(&all)).await;
        assert_eq!(result.unwrap_err(), TimedOut);
        // Window probes continue with their back-off until the crash; then as for data: 924 s, minus part of one.
        assert!((900..1300).contains(&took.as_secs()), "{took:?}");
    })
    .await;
}

#[refrain::test(runs = 20)]
async fn a_port_in_time_wait_is_free_for_those_who_reuse_it(world: World) {
    serve(&world, echo);
    sleep(SECOND).await;
    let client = world.client("client").run(async {
        let bind = |reuse: bool| {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_reuseaddr(reuse).unwrap();
            socket.bind("0.0.0.0:5000".parse().unwrap()).map(|()| socket)
        };
        let stream = bind(true).unwrap().connect(server().await).await.unwrap();
        assert_eq!(stream.local_addr().unwrap().port(), 5000);
        assert_eq!(bind(false).unwrap_err().kind(), AddrInUse, "it is connected");
        // The end that closes first enters TIME_WAIT.
        drop(stream);
        assert_eq!(bind(false).unwrap_err().kind(), AddrInUse, "it is in TIME_WAIT");
        let again = bind(true).unwrap().connect(server().await).await.expect("a bound socket takes it over");
        let third = bind(true).unwrap().connect(server().await).await;
        assert_eq!(third.unwrap_err().kind(), AddrNotAvailable, "the same pair of addresses");
        drop(again);
        let listener = bind(true).unwrap().listen(5).unwrap();
        assert_eq!(listener.local_addr().unwrap().port(), 5000);
        assert_eq!(bind(true).unwrap_err().kind(), AddrInUse, "somebody listens");
        drop(listener);
        // One minute from the server's FIN, which a held task may send late.
        sleep(SECOND * 60 + super::HELD).await;
        bind(false).unwrap();
    });
    client.await;
}

#[refrain::test(runs = 20)]
async fn a_server_that_closed_first_may_listen_again_at_once(world: World) {
    let host = serve(&world, |stream| async move { drop(stream) });
    client(&world, move |mut stream| async move {
        assert_eq!(read(&mut stream).await.unwrap(), b"");
        drop(stream);
        host.restart();
        sleep(SECOND).await;
        assert!(host.is_running(), "tokio's bind reuses its port");
    })
    .await;
}

#[refrain::test(runs = 20)]
async fn listeners_that_share_a_port_share_its_connections(world: World) {
    world.host("server", || async {
        let listen = || {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_reuseport(true).unwrap();
            socket.bind("0.0.0.0:80".parse().unwrap()).unwrap();
            socket.listen(100).unwrap()
        };
        let mut all = [0, 0];
        let (one, other) = (listen(), listen());
        for _ in 0..64 {
            tokio::select! {
                accepted = one.accept() => { accepted.unwrap(); all[0] += 1; }
                accepted = other.accept() => { accepted.unwrap(); all[1] += 1; }
            }
        }
        assert!(all[0] > 10 && all[1] > 10, "{all:?}");
        assert_eq!(TcpListener::bind("0.0.0.0:80").await.unwrap_err().kind(), AddrInUse);
        tracing::info!("all came");
        std::future::pending::<()>().await
    });
    world.sometimes("all came", "selftest::network", "all came");
    sleep(SECOND).await;
    let client = world.client("client").run(async {
        for _ in 0..64 {
            TcpStream::connect("server:80").await.unwrap();
        }
        sleep(SECOND * 60).await;
    });
    client.await;
}

#[refrain::test(runs = 20, without_holds)]
async fn a_connection_that_is_over_has_no_peer(world: World) {
    serve(&world, hold);
    world.client("client");
    world.fault("reset server <-> client at 5 s");
    client(&world, |mut stream| async move {
        stream.peer_addr().unwrap();
        sleep(SECOND * 10).await;
        assert_eq!(stream.peer_addr().unwrap_err().kind(), NotConnected);
        stream.local_addr().unwrap();
        assert_eq!(stream.take_error().unwrap().unwrap().kind(), ConnectionReset);
        assert!(stream.take_error().unwrap().is_none());
        stream.shutdown().await.expect("it is over, so it is shut down");
        assert_eq!(stream.write(b"?").await.unwrap_err().kind(), BrokenPipe);
    })
    .await;
}

#[refrain::test(runs = 20)]
async fn options_are_what_was_set(world: World) {
    serve(&world, echo);
    client(&world, |mut stream| async move {
        stream.set_nodelay(true).unwrap();
        stream.set_ttl(3).unwrap();
        assert!(stream.nodelay().unwrap() && stream.ttl().unwrap() == 3 && stream.linger().unwrap().is_none());
        assert_eq!(TcpSocket::new_v6().unwrap().local_addr().unwrap(), "[::]:0".parse().unwrap());
        assert_eq!(ask(&mut stream, b"?").await.unwrap(), b"?");
    })
    .await;
}

#[refrain::test(runs = 20, without_holds)]
async fn data_behind_a_cut_times_out_as_soon_as_the_settings_say(world: World) {
    serve(&world, hold);
    world.client("client").sysctl(Sysctl::default().tcp_retries2(3));
    world.fault("cut server <-> client at 1 s");
    client(&world, |mut stream| async move {
        sleep(SECOND * 2).await;
        stream.write_all(b"lost").await.unwrap();
        let (result, took) = timed(read(&mut stream)).await;
        assert_eq!(result.unwrap_err(), TimedOut);
        // After 0.2, 0.4, 0.8 and 1.6 s.
        assert!(is_about(took, 3) || is_about(took, 2), "{took:?}");
    })
    .await;
}
