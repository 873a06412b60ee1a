//! A simulation is what it is without `--models`: its threads belong to no model.

use parking_lot::Mutex;
use refrain::{Faults, World};
use std::{io, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// Echoes one byte on each connection, and counts them.
async fn serve() -> io::Result<()> {
    let listener = TcpListener::bind("0.0.0.0:7").await?;
    let count = Arc::new(Mutex::new(0));
    loop {
        let (mut stream, _) = listener.accept().await?;
        *count.lock() += 1;
        tokio::spawn(async move {
            if let Ok(byte) = stream.read_u8().await {
                let _ = stream.write_u8(byte).await;
            }
        });
    }
}

async fn ask() -> io::Result<u8> {
    let mut stream = TcpStream::connect("server:7").await?;
    stream.write_u8(7).await?;
    stream.read_u8().await
}

#[refrain::test(runs = 20)]
async fn a_service_answers_after_the_network_heals(world: World) {
    world.host("server", serve);
    let client = world.client("client");
    world.faults(Faults::between("server", "client").cuts());
    let _ = client.run(async { timeout(Duration::from_secs(5), ask()).await }).await;
    world.heal().await;
    world.eventually(Duration::from_secs(60), "an answer comes", ask).await;
}
