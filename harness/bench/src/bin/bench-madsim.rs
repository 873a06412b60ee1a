//! The programs on madsim's own network.
#![forbid(unsafe_code)]

use madsim::{
    Config,
    net::{TcpListener, TcpStream},
    runtime::{NodeHandle, Runtime},
    task,
};
use refrain_bench::{MANY_ROUND_TRIPS, Program, echo, receive, round_trips, run_as_asked, send};
use std::{
    env, io,
    net::{IpAddr, SocketAddr},
    thread,
    time::Duration,
};

const SERVER: &str = "10.0.0.1:7";

fn main() {
    if env::args().nth(1).is_some_and(|program| program == "hosts") {
        return print!("{}", thread::spawn(hosts).join().expect("the simulation ends"));
    }
    // Outside a simulation the clock is real. Each simulation runs on its own thread.
    run_as_asked(|program, seed| thread::spawn(move || simulate(program, seed)).join().expect("the simulation ends"));
}

fn hosts() -> String {
    let runtime = Runtime::with_seed_and_config(1, Config::default());
    let handle = runtime.handle().clone();
    let host = |ip: IpAddr| handle.create_node().ip(ip).build();
    let pair = |number: usize| {
        let [high, low] = (number as u16).to_be_bytes();
        let server = SocketAddr::from(([10, 0, high, low], 7));
        host(server.ip()).spawn(async move {
            let listener = TcpListener::bind(server).await?;
            loop {
                let (stream, _) = listener.accept().await?;
                task::spawn(echo(stream));
            }
            #[allow(unreachable_code)]
            io::Result::Ok(())
        });
        (server, host([10, 1, high, low].into()))
    };
    let talk = |clients: Vec<(SocketAddr, NodeHandle)>, count| async move {
        // By now the servers are listening.
        madsim::time::sleep(Duration::from_secs(1)).await;
        let tasks: Vec<_> = clients
            .iter()
            .map(|(server, client)| {
                let server = *server;
                client.spawn(async move { round_trips(TcpStream::connect(server).await?, count).await })
            })
            .collect();
        for task in tasks {
            task.await.expect("the client ends").expect("and gets its answers");
        }
    };
    runtime.block_on(refrain_bench::hosts(MANY_ROUND_TRIPS, pair, talk))
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
