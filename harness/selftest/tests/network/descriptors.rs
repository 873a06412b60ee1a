//! Descriptors of simulated sockets, and what std and libc say of them.

use refrain::World;
use std::{
    io::ErrorKind,
    net::{SocketAddr, ToSocketAddrs},
    os::fd::{FromRawFd, IntoRawFd, OwnedFd},
    path::Path,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream},
    time::{Instant, sleep, timeout},
};

const SECOND: Duration = Duration::from_secs(1);

async fn serve_std() -> std::io::Result<()> {
    // As services do that are given a listener of std, or make one to set options.
    let std = std::net::TcpListener::bind("0.0.0.0:7")?;
    std.set_nonblocking(true)?;
    assert_eq!(std.local_addr()?, "0.0.0.0:7".parse::<SocketAddr>().unwrap());
    let listener = TcpListener::from_std(std)?;
    loop {
        let (mut stream, _) = listener.accept().await?;
        stream.write_all(b"hello").await?;
    }
}

async fn read(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[refrain::test(runs = 20)]
async fn a_listener_of_std_listens_in_the_simulation(world: World) {
    world.host("server", serve_std);
    sleep(SECOND).await;
    world
        .client("client")
        .run(async { assert_eq!(read(TcpStream::connect("server:7").await.unwrap()).await, "hello") })
        .await;
}

#[refrain::test(runs = 20)]
async fn a_socket_of_std_that_is_closed_gives_its_port_back(world: World) {
    world
        .client("client")
        .run(async {
            let std = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
            let at = std.local_addr().unwrap();
            assert_ne!(at.port(), 0);
            assert_eq!(TcpListener::bind(at).await.unwrap_err().kind(), ErrorKind::AddrInUse);
            drop(std);
            TcpListener::bind(at).await.unwrap();
            let udp = UdpSocket::from_std(std::net::UdpSocket::bind("0.0.0.0:53").unwrap()).unwrap();
            assert_eq!(udp.local_addr().unwrap().port(), 53);
        })
        .await;
}

#[refrain::test(runs = 20)]
async fn names_are_the_simulated_hosts_for_std_as_well(world: World) {
    world.host("server", serve_std);
    world
        .client("client")
        .run(async {
            let by_tokio: Vec<SocketAddr> = tokio::net::lookup_host("server:7").await.unwrap().collect();
            assert_eq!("server:7".to_socket_addrs().unwrap().collect::<Vec<_>>(), by_tokio);
            assert!("nobody:7".to_socket_addrs().is_err());
        })
        .await;
    world.fault("fail lookups on client at 1 s for 60 s");
    sleep(2 * SECOND).await;
    world
        .client("client")
        .run(async {
            let error = "server:7".to_socket_addrs().unwrap_err().to_string();
            assert_eq!(error, "failed to lookup address information: Temporary failure in name resolution");
        })
        .await;
}

#[refrain::test(runs = 20)]
async fn datagrams_of_a_std_socket_arrive_in_the_simulation(world: World) {
    let server = world.client("server").run(async {
        let socket = UdpSocket::bind("0.0.0.0:53").await.unwrap();
        let mut buffer = [0; 16];
        let mut lengths = vec![];
        for _ in 0..2 {
            let (n, from) = socket.recv_from(&mut buffer).await.unwrap();
            assert_eq!(from.port(), 1053);
            lengths.push(n);
        }
        lengths.sort_unstable();
        assert_eq!(lengths, [0, 5], "an empty datagram is one, too");
    });
    sleep(SECOND).await;
    world
        .client("client")
        .run(async {
            let socket = std::net::UdpSocket::bind("0.0.0.0:1053").unwrap();
            assert_eq!(socket.send_to(b"hello", "server:53").unwrap(), 5);
            assert_eq!(socket.send_to(b"", "server:53").unwrap(), 0);
        })
        .await;
    server.await;
}

#[refrain::test(runs = 20)]
async fn what_is_set_on_a_descriptor_is_set_on_the_socket(world: World) {
    world.host("server", serve_std);
    sleep(SECOND).await;
    world
        .client("client")
        .run(async {
            let raw = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
            raw.set_reuse_address(true).unwrap();
            raw.set_tcp_nodelay(true).unwrap();
            #[allow(unsafe_code)]
            // SAFETY: it is the socket's own, and given away.
            let socket = unsafe { TcpSocket::from_raw_fd(raw.into_raw_fd()) };
            assert!(socket.reuseaddr().unwrap() && socket.nodelay().unwrap() && !socket.keepalive().unwrap());
            let stream =
                socket.connect(tokio::net::lookup_host("server:7").await.unwrap().next().unwrap()).await.unwrap();
            assert!(stream.nodelay().unwrap());
            let descriptor = socket2::SockRef::from(&stream);
            assert!(descriptor.tcp_nodelay().unwrap(), "the descriptor has what the socket has");
            descriptor.set_tcp_nodelay(false).unwrap();
            assert!(!stream.nodelay().unwrap());
            // There and back again.
            let std = stream.into_std().unwrap();
            assert_eq!(read(TcpStream::from_std(std).unwrap()).await, "hello");
        })
        .await;
}

/// How long a silent connection is known after its peer has lost power.
async fn known(world: World, set: fn(&socket2::SockRef<'_>)) -> Duration {
    world.host("server", || async {
        let listener = TcpListener::bind("0.0.0.0:7").await?;
        let (_stream, _) = listener.accept().await?;
        std::future::pending::<std::io::Result<()>>().await
    });
    sleep(SECOND).await;
    let took = world.client("client").run(async move {
        let mut stream = TcpStream::connect("server:7").await.unwrap();
        set(&socket2::SockRef::from(&stream));
        let began = Instant::now();
        assert!(stream.nodelay().is_ok());
        let ended = timeout(Duration::from_secs(600), stream.read(&mut [0])).await.expect("keep-alive ends it");
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::TimedOut);
        began.elapsed()
    });
    sleep(SECOND).await;
    world.fault("cut client <-> server at 3 s");
    took.await
}

#[refrain::test(runs = 5, without_holds)]
async fn keep_alive_has_the_times_of_its_socket(world: World) {
    let took = known(world, |socket| {
        let keepalive = socket2::TcpKeepalive::new()
            .with_time(Duration::from_secs(30))
            .with_interval(Duration::from_secs(5))
            .with_retries(2);
        socket.set_tcp_keepalive(&keepalive).unwrap();
    })
    .await;
    assert!((39..=41).contains(&took.as_secs()), "30 s of silence and two probes of 5 s: {took:?}");
}

#[refrain::test(runs = 5, without_holds)]
async fn a_user_timeout_ends_a_write_that_nobody_acknowledges(world: World) {
    world.host("server", || async {
        let listener = TcpListener::bind("0.0.0.0:7").await?;
        let (_stream, _) = listener.accept().await?;
        std::future::pending::<std::io::Result<()>>().await
    });
    sleep(SECOND).await;
    let took = world.client("client").run(async {
        let mut stream = TcpStream::connect("server:7").await.unwrap();
        socket2::SockRef::from(&stream).set_tcp_user_timeout(Some(Duration::from_secs(7))).unwrap();
        sleep(3 * SECOND).await;
        let began = Instant::now();
        stream.write_all(b"hello").await.unwrap();
        let ended = timeout(Duration::from_secs(600), stream.read(&mut [0])).await.expect("the user timeout ends it");
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::TimedOut);
        began.elapsed()
    });
    sleep(SECOND).await;
    world.fault("cut client <-> server at 3 s");
    let took = took.await;
    assert!((6..=8).contains(&took.as_secs()), "{took:?}");
}

/// As services do that are given a listener of std, or set the permissions of its path before they serve.
async fn serve_std_at(path: &'static str) -> std::io::Result<()> {
    let std = std::os::unix::net::UnixListener::bind(path)?;
    std.set_nonblocking(true)?;
    assert_eq!(std.local_addr()?.as_pathname(), Some(Path::new(path)));
    let listener = UnixListener::from_std(std)?;
    loop {
        let (mut stream, _) = listener.accept().await?;
        stream.write_all(b"hello").await?;
    }
}

#[refrain::test(runs = 20)]
async fn a_unix_listener_of_std_listens_in_the_simulation(world: World) {
    const PATH: &str = "std.sock";
    world.host("server", || serve_std_at(PATH));
    sleep(SECOND).await;
    let ask = async {
        let mut answer = String::new();
        // Another program takes the stream over for a while.
        let std = UnixStream::connect(PATH).await.unwrap().into_std().unwrap();
        assert_eq!(std.peer_addr().unwrap().as_pathname(), Some(Path::new(PATH)));
        UnixStream::from_std(std).unwrap().read_to_string(&mut answer).await.unwrap();
        answer
    };
    // The server ends its side when it drops the stream.
    assert_eq!(world.client("server").run(ask).await, "hello");
    assert_eq!(
        world.client("stranger").run(UnixStream::connect(PATH)).await.unwrap_err().kind(),
        ErrorKind::NotFound,
        "it is on its host"
    );
    assert!(!Path::new(PATH).exists(), "and nowhere on this machine");
}

#[refrain::test(runs = 20)]
async fn unix_sockets_go_to_std_and_come_back(world: World) {
    let client = world.client("client");
    client
        .run(async {
            let listener = UnixListener::bind("a.sock").unwrap().into_std().unwrap();
            let listener = UnixListener::from_std(listener).unwrap();
            let mut one = UnixStream::connect("a.sock").await.unwrap();
            let (mut other, _) = listener.accept().await.unwrap();
            one.write_all(b"x").await.unwrap();
            assert_eq!(other.read_u8().await.unwrap(), b'x');
            // Std closes the simulated socket.
            drop(other.into_std().unwrap());
            assert_eq!(one.read(&mut [0]).await.unwrap(), 0);

            let bound = std::os::unix::net::UnixDatagram::bind("b.sock").unwrap();
            let bound = UnixDatagram::from_std(bound).unwrap();
            let sender = UnixDatagram::unbound().unwrap().into_std().unwrap();
            let sender = UnixDatagram::from_std(sender).unwrap();
            sender.send_to(b"datagram", "b.sock").await.unwrap();
            let mut room = [0; 20];
            let (len, _) = bound.recv_from(&mut room).await.unwrap();
            assert_eq!(&room[..len], b"datagram");

            // What is the machine's, or of another kind, stays out.
            let (real, _other) = std::os::unix::net::UnixStream::pair().unwrap();
            assert_eq!(UnixStream::from_std(real).unwrap_err().kind(), ErrorKind::Unsupported);
            let bound = std::os::unix::net::UnixListener::bind("c.sock").unwrap();
            assert_eq!(std::os::unix::net::UnixListener::bind("c.sock").unwrap_err().kind(), ErrorKind::AddrInUse);
            let stream = std::os::unix::net::UnixStream::from(OwnedFd::from(bound));
            assert_eq!(UnixStream::from_std(stream).unwrap_err().kind(), ErrorKind::Unsupported);
            // It was closed with the socket of std.
            assert_eq!(UnixStream::connect("c.sock").await.unwrap_err().kind(), ErrorKind::ConnectionRefused);

            let bound = std::net::TcpListener::bind("0.0.0.0:9").unwrap();
            let stream = std::net::TcpStream::from(OwnedFd::from(bound));
            assert_eq!(TcpStream::from_std(stream).unwrap_err().kind(), ErrorKind::Unsupported);
            TcpListener::bind("0.0.0.0:9").await.expect("its port is free again");
        })
        .await;
}
