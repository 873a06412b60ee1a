//! Addresses: ports, wildcards, loopback.

use refrain::World;
use std::io::ErrorKind::{AddrInUse, AddrNotAvailable, ConnectionRefused};
use tokio::net::{TcpListener, TcpStream, lookup_host};

#[refrain::test(runs = 5)]
async fn a_port_is_taken_once_and_free_again_after_it(world: World) {
    let client = world.client("server").run(async {
        let listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
        assert_eq!(TcpListener::bind("0.0.0.0:80").await.unwrap_err().kind(), AddrInUse);
        assert_eq!(TcpListener::bind("127.0.0.1:80").await.unwrap_err().kind(), AddrInUse);
        TcpListener::bind("0.0.0.0:81").await.unwrap();
        drop(listener);
        let _one = TcpListener::bind("127.0.0.1:80").await.unwrap();
        let _other = TcpListener::bind("server:80").await.unwrap();
        assert_eq!(TcpListener::bind("8.8.8.8:80").await.unwrap_err().kind(), AddrNotAvailable);
    });
    client.await;
}

#[refrain::test(runs = 5)]
async fn port_0_is_a_free_port(world: World) {
    let client = world.client("server").run(async {
        let one = TcpListener::bind("0.0.0.0:0").await.unwrap().local_addr().unwrap().port();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        assert!(at.port() >= 49152 && at.port() != one);
        let stream = TcpStream::connect(at).await.unwrap();
        let (accepted, from) = listener.accept().await.unwrap();
        assert_eq!(from, stream.local_addr().unwrap());
        assert_eq!(accepted.local_addr().unwrap(), at);
        assert_eq!(accepted.peer_addr().unwrap(), stream.local_addr().unwrap());
        assert_eq!(stream.peer_addr().unwrap(), at);
    });
    client.await;
}

#[refrain::test(runs = 20)]
async fn a_loopback_listener_is_heard_on_its_own_host_only(world: World) {
    world.host("server", || async {
        let listener = TcpListener::bind("127.0.0.1:80").await.unwrap();
        for at in ["127.0.0.1:80", "localhost:80", "0.0.0.0:80"] {
            TcpStream::connect(at).await.unwrap();
            listener.accept().await.unwrap();
        }
        assert_eq!(TcpStream::connect("server:80").await.unwrap_err().kind(), ConnectionRefused);
        std::future::pending::<()>().await
    });
    tokio::time::sleep(super::SECOND).await;
    let refused = world.client("client").run(TcpStream::connect("server:80")).await;
    assert_eq!(refused.unwrap_err().kind(), ConnectionRefused);
}

#[refrain::test(runs = 5)]
async fn many_hosts_have_addresses_of_their_own(world: World) {
    let addresses = (0..300).map(|n| {
        let name = format!("host-{n}");
        world.client(&name);
        async move { lookup_host((name, 80)).await.unwrap().next().unwrap() }
    });
    let mut known = std::collections::BTreeSet::new();
    for address in addresses {
        assert!(known.insert(address.await));
    }
    // The test itself is a host, too.
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let own = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap().local_addr().unwrap();
    assert!(!known.iter().any(|address| address.ip() == own.ip()));
}
