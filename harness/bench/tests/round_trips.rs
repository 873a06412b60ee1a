//! The same round trips as a refrain test: `ci/bench` times its runs.

use refrain::World;
use std::io;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Without optimisations it is an ordinary test, which only shows that the benchmark works.
const ROUND_TRIPS: usize = if cfg!(debug_assertions) { 100 } else { 100_000 };

#[refrain::test(runs = 1, time_limit = "10h")]
async fn many_round_trips(world: World) {
    world.host("server", serve);
    world.client("client").run(ask()).await.unwrap();
}

async fn serve() -> io::Result<()> {
    let listener = TcpListener::bind("0.0.0.0:7").await?;
    let (mut stream, _) = listener.accept().await?;
    let mut buffer = [0; 64];
    while let read @ 1.. = stream.read(&mut buffer).await? {
        stream.write_all(&buffer[..read]).await?;
    }
    Ok(())
}

async fn ask() -> io::Result<()> {
    let mut stream = TcpStream::connect("server:7").await?;
    let mut answer = [0; 4];
    for _ in 0..ROUND_TRIPS {
        stream.write_all(b"ping").await?;
        stream.read_exact(&mut answer).await?;
    }
    Ok(())
}
