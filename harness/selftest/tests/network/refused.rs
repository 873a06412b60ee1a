//! Errors from the application's own kernel: failed name lookups and failed accepts.

use super::{SECOND, echo, is_about, serve, timed};
use refrain::World;
use std::time::Duration;
use tokio::{
    net::{TcpListener, TcpStream, lookup_host},
    time::{Instant, sleep},
};

const EMFILE: i32 = 24;

#[refrain::test(runs = 20)]
async fn a_failed_lookup_says_so(world: World) {
    serve(&world, echo);
    let (host, other) = (world.client("client"), world.client("other"));
    world.fault("fail lookups on client at 0 s for 60 s");
    sleep(Duration::from_millis(10)).await;
    let ip = other.run(async { lookup_host("server:80").await.unwrap().next().unwrap() }).await;
    let (by_name, by_address) = host
        .run(async move {
            let by_name = TcpStream::connect("server:80").await;
            (by_name.map(drop), TcpStream::connect(ip).await.map(drop))
        })
        .await;
    let error = by_name.unwrap_err().to_string();
    assert_eq!(error, "failed to lookup address information: Temporary failure in name resolution");
    by_address.expect("an address needs no look-up");
    sleep(SECOND * 60).await;
    host.run(TcpStream::connect("server:80")).await.unwrap();
}

#[refrain::test(runs = 20, without_holds)]
async fn a_failed_accept_leaves_the_connection_waiting(world: World) {
    world.host("server", || async {
        let listener = TcpListener::bind("0.0.0.0:80").await?;
        let mut failed = 0;
        let (stream, _) = loop {
            match listener.accept().await {
                Ok(accepted) => break accepted,
                Err(error) => assert_eq!(error.raw_os_error(), Some(EMFILE), "{error}"),
            }
            failed += 1;
            sleep(SECOND).await;
        };
        assert!((2..=4).contains(&failed), "{failed}");
        echo(stream).await;
        std::io::Result::Ok(())
    });
    let host = world.client("client");
    world.fault("fail accepts on server at 0 s for 3 s");
    sleep(Duration::from_millis(10)).await;
    let asked = async {
        let mut stream = TcpStream::connect("server:80").await.unwrap();
        super::ask(&mut stream, b"at last").await
    };
    let (answer, took) = host.run(timed(asked)).await;
    assert_eq!(answer.unwrap(), b"at last");
    assert!(is_about(took, 2), "{took:?}");
}

#[refrain::test(runs = 20, without_holds)]
async fn a_server_that_tries_again_at_once_gets_on(world: World) {
    world.host("server", || async {
        let listener = TcpListener::bind("0.0.0.0:80").await?;
        let began = Instant::now();
        let mut failed = 0;
        while listener.accept().await.is_err() {
            failed += 1;
        }
        let took = began.elapsed();
        assert!(failed > 100 && took >= SECOND / 10, "{failed} in {took:?}");
        std::future::pending::<std::io::Result<()>>().await
    });
    let host = world.client("client");
    world.fault("fail accepts on server at 0 s for 1 s");
    sleep(Duration::from_millis(10)).await;
    let _ = host.run(TcpStream::connect("server:80")).await;
    sleep(SECOND * 100).await;
}
