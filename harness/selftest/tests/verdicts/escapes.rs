//! What reaches out of the simulation is caught before it does.

use refrain::World;
use std::{
    net::{SocketAddr, TcpStream},
    time::Duration,
};
use tokio::{net::TcpListener, time::sleep};

/// A client that blocks, as many crates have one beside their async client.
#[refrain::test(runs = 1, expect = "escape")]
async fn a_real_connection_is_caught(world: World) {
    world.host("server", || async {
        let listener = TcpListener::bind("0.0.0.0:7").await?;
        let _connection = listener.accept().await?;
        std::future::pending::<std::io::Result<()>>().await
    });
    sleep(Duration::from_secs(1)).await;
    let client = world.client("client");
    client.run(async { TcpStream::connect("server:7").map(drop) }).await.unwrap();
}

/// A datagram of a socket that the simulation does not know.
#[refrain::test(runs = 1, expect = "escape")]
async fn a_real_datagram_is_caught(world: World) {
    world
        .client("client")
        .run(async {
            let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None).unwrap();
            socket.send_to(b"x", &"127.0.0.1:9".parse::<SocketAddr>().unwrap().into()).unwrap();
        })
        .await;
}
