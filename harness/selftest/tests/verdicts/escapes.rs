//! What reaches out of the simulation is caught before it does.

use refrain::World;
use std::{net::TcpStream, time::Duration};
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
