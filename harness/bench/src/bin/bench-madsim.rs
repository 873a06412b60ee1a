//! The programs on madsim's own network.
#![forbid(unsafe_code)]

use madsim::{
    Config,
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};
use refrain_bench::{Program, echo, receive, round_trips, run_as_asked, send};
use std::{io, thread, time::Duration};

const SERVER: &str = "10.0.0.1:7";

fn main() {
    // Outside a simulation the clock is the real one; each has a thread of its own.
    run_as_asked(|program, seed| thread::spawn(move || simulate(program, seed)).join().expect("the simulation ends"));
}

fn simulate(program: Program, seed: u64) {
    let runtime = Runtime::with_seed_and_config(seed, Config::default());
    let host = |name: &str, ip: &str| runtime.create_node().name(name).ip(ip.parse().expect("an address")).build();
    let (server, client) = (host("server", "10.0.0.1"), host("client", "10.0.0.2"));
    server.spawn(serve(program));
    runtime.block_on(client.spawn(ask(program))).expect("the client ends").expect("and gets its answers");
}

async fn serve(program: Program) -> io::Result<()> {
    let (stream, _) = TcpListener::bind(SERVER).await?.accept().await?;
    match program {
        Program::RoundTrips(_) => echo(stream).await,
        Program::Bulk(bytes) => receive(stream, bytes).await,
    }
}

async fn ask(program: Program) -> io::Result<()> {
    madsim::time::sleep(Duration::from_secs(1)).await;
    let stream = TcpStream::connect(SERVER).await?;
    match program {
        Program::RoundTrips(count) => round_trips(stream, count).await,
        Program::Bulk(bytes) => send(stream, bytes).await,
    }
}
