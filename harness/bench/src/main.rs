//! Round trips on madsim's own network, timed; prints how many a second there are. `ci/bench` runs it.
#![forbid(unsafe_code)]

use madsim::{
    Config,
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};
use std::{
    thread,
    time::{Duration, Instant},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// As many as `tests/round_trips.rs` makes.
const ROUND_TRIPS: usize = 100_000;
const REPEATS: u64 = 10;
const SERVER: &str = "10.0.0.1:7";

fn main() {
    let started = Instant::now();
    for seed in 0..REPEATS {
        // Outside a simulation the clock is the real one; each has a thread of its own.
        thread::spawn(move || simulate(seed)).join().expect("the simulation ends");
    }
    println!("{:.0}", (ROUND_TRIPS as u64 * REPEATS) as f64 / started.elapsed().as_secs_f64());
}

fn simulate(seed: u64) {
    let runtime = Runtime::with_seed_and_config(seed, Config::default());
    let host = |name: &str, ip: &str| runtime.create_node().name(name).ip(ip.parse().expect("an address")).build();
    let (server, client) = (host("server", "10.0.0.1"), host("client", "10.0.0.2"));
    server.spawn(serve());
    runtime.block_on(client.spawn(ask())).expect("the client ends");
}

async fn serve() {
    let listener = TcpListener::bind(SERVER).await.expect("listens");
    let (mut stream, _) = listener.accept().await.expect("accepts");
    let mut buffer = [0; 64];
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        stream.write_all(&buffer[..read]).await.expect("writes");
        stream.flush().await.expect("flushes");
    }
}

async fn ask() {
    madsim::time::sleep(Duration::from_secs(1)).await;
    let mut stream = TcpStream::connect(SERVER).await.expect("connects");
    let mut answer = [0; 4];
    for _ in 0..ROUND_TRIPS {
        stream.write_all(b"ping").await.expect("writes");
        stream.flush().await.expect("flushes");
        stream.read_exact(&mut answer).await.expect("reads");
    }
}
