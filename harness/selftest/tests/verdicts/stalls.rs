//! Services that make no progress, and services that are not a function of the plan.

use refrain::World;
use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Mutex,
};

async fn answers() -> io::Result<()> {
    let listener = TcpListener::bind("0.0.0.0:80").await?;
    loop {
        let (mut stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            let mut byte = [0];
            while stream.read_exact(&mut byte).await.is_ok() && stream.write_all(&byte).await.is_ok() {}
        });
    }
}

/// Sends a request every second, without a deadline for the response.
async fn asks() -> io::Result<()> {
    let mut stream = TcpStream::connect("server:80").await?;
    loop {
        stream.write_all(b"?").await?;
        stream.read_exact(&mut [0]).await?;
        tracing::info!("answered");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[refrain::test(runs = 1, expect = "stall")]
async fn an_answer_that_never_comes_is_a_stall(world: World) {
    world.host("server", answers);
    world.host("asker", asks);
    // The request arrives and the response is lost with the host: the client is never notified.
    world.fault("crash server when server reads from asker the 3rd time and reboot it after 1 s");
    tokio::time::sleep(Duration::from_secs(10)).await;
    world.heal().await;
    world.eventually(Duration::from_secs(60), "the asker asks again", std::future::pending::<bool>).await;
}

#[refrain::test(runs = 1, time_limit = "60s", expect = "stall")]
async fn a_test_without_end_is_a_stall(world: World) {
    world.host("server", answers);
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[refrain::test(runs = 1, expect = "deadlock")]
async fn a_lock_taken_twice_is_a_deadlock(world: World) {
    let done = world.client("client").run(async {
        let lock = Mutex::new(());
        let _one = lock.lock().await;
        let _other = lock.lock().await;
    });
    done.await;
}

#[refrain::test(runs = 1, expect = "nondeterminism", allow = ["processes"])]
async fn a_process_number_is_nondeterminism(world: World) {
    world.host("server", || async {
        tokio::time::sleep(Duration::from_millis((std::process::id() % 100_000).into())).await;
        tokio::spawn(async {});
        std::future::pending::<()>().await
    });
    tokio::time::sleep(Duration::from_secs(3_000)).await;
}

#[refrain::test(runs = 1, expect = "nondeterminism", allow = ["processes"])]
async fn the_systems_own_chance_is_nondeterminism(world: World) {
    world.host("server", || async {
        use std::io::Read;
        let mut bytes = [0; 2];
        std::fs::File::open("/dev/urandom").and_then(|mut chance| chance.read_exact(&mut bytes)).unwrap();
        tokio::time::sleep(Duration::from_millis(u16::from_le_bytes(bytes).into())).await;
        tokio::spawn(async {});
        std::future::pending::<()>().await
    });
    tokio::time::sleep(Duration::from_secs(3_000)).await;
}
