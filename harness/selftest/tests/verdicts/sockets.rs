//! A run that fails with a socket in each state: its trace contains all of them, as `netstat` would show them.

use refrain::World;
use std::time::Duration;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream, UdpSocket},
    time::{sleep, timeout},
};

#[refrain::test(runs = 1, expect = "panic")]
async fn a_verdict_has_every_socket(world: World) {
    world.host("server", || async {
        let listener = TcpListener::bind("0.0.0.0:80").await?;
        let _datagrams = UdpSocket::bind("0.0.0.0:53").await?;
        let mut kept = vec![];
        for nth in 0..3 {
            let mut stream = listener.accept().await?.0;
            match nth {
                0 => stream.write_all(b"never read").await?,
                1 => stream.shutdown().await?,
                _ => {}
            }
            kept.push(stream);
        }
        // Further connections wait to be accepted.
        std::future::pending::<std::io::Result<()>>().await
    });
    let client = world.client("client");
    world.fault("cut client -> server at 10 s");
    let asked = client.run(async {
        sleep(Duration::from_secs(1)).await;
        let mut streams = vec![];
        for _ in 0..4 {
            streams.push(TcpStream::connect("server:80").await.unwrap());
            sleep(Duration::from_secs(1)).await;
        }
        sleep(Duration::from_secs(10)).await;
        streams[2].write_all(b"lost").await.unwrap();
        streams.truncate(3);
        let _ = TcpStream::connect("server:80").await;
    });
    let _ = timeout(Duration::from_secs(25), asked).await;
    panic!("these are enough");
}
