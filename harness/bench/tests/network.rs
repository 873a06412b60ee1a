//! The same programs as refrain tests, and two that measure how cost grows: `ci/bench` times their runs.

use refrain::{Client, World};
use refrain_bench::{BULK_BYTES, FEW_ROUND_TRIPS, MANY_ROUND_TRIPS, Program, echo, receive, round_trips, send};
use std::{fs, io};
use tokio::net::{TcpListener, TcpStream};

/// Without optimisations these are ordinary tests, which only show that the benchmark works.
const SHARE: usize = if cfg!(debug_assertions) { 1000 } else { 1 };
/// Number of concurrent connections, and the memory limit of the process.
const CONNECTIONS: usize = 1_000;
const MEMORY_MAX_KIB: usize = 64 << 10;

#[refrain::test(runs = 1)]
async fn isolated(world: World) {
    run(&world, Program::RoundTrips(FEW_ROUND_TRIPS)).await;
}

#[refrain::test(runs = 1, time_limit = "10h")]
async fn many_round_trips(world: World) {
    run(&world, Program::RoundTrips(MANY_ROUND_TRIPS / SHARE)).await;
}

/// Both without a seccomp filter, which a test that allows processes does not have: what the guard costs.
#[refrain::test(runs = 1, allow = ["processes"])]
async fn unguarded_runs(world: World) {
    run(&world, Program::RoundTrips(FEW_ROUND_TRIPS)).await;
}

#[refrain::test(runs = 1, time_limit = "10h", allow = ["processes"])]
async fn unguarded_round_trips(world: World) {
    run(&world, Program::RoundTrips(MANY_ROUND_TRIPS / SHARE)).await;
}

#[refrain::test(runs = 1, time_limit = "10h")]
async fn bulk(world: World) {
    run(&world, Program::Bulk(BULK_BYTES / SHARE)).await;
}

/// Measures itself.
#[refrain::test(runs = 1, time_limit = "10h", allow = ["files"])]
async fn hosts(world: World) {
    let measured = refrain_bench::hosts(MANY_ROUND_TRIPS / SHARE, |number| pair(&world, number), talk).await;
    fs::write(concat!(env!("CARGO_TARGET_TMPDIR"), "/hosts"), measured).unwrap();
}

#[refrain::test(runs = 1, allow = ["files"])]
async fn a_thousand_open_connections_need_little_memory(world: World) {
    serve(&world, "server", Program::RoundTrips(0));
    let streams = world.client("client").run(async {
        let mut streams = vec![];
        for _ in 0..CONNECTIONS {
            streams.push(TcpStream::connect("server:7").await?);
        }
        io::Result::Ok(streams)
    });
    let streams = streams.await.unwrap();
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: usize = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(peak < MEMORY_MAX_KIB, "{} connections: {peak} KiB", streams.len());
}

async fn run(world: &World, program: Program) {
    serve(world, "server", program);
    world.client("client").run(ask("server:7".into(), program)).await.unwrap();
}

/// Creates a server and a client; returns the server's name and the client.
fn pair(world: &World, number: usize) -> (String, Client) {
    let server = format!("server-{number}");
    serve(world, &server, Program::RoundTrips(0));
    (server, world.client(&format!("client-{number}")))
}

/// Performs round trips on every client concurrently.
async fn talk(clients: Vec<(String, Client)>, round_trips: usize) {
    let tasks: Vec<_> = clients
        .into_iter()
        .map(|(server, client)| {
            let program = Program::RoundTrips(round_trips);
            tokio::spawn(async move { client.run(ask(format!("{server}:7"), program)).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
}

fn serve(world: &World, name: &str, program: Program) {
    world.host(name, move || async move {
        let listener = TcpListener::bind("0.0.0.0:7").await?;
        loop {
            let (stream, _) = listener.accept().await?;
            tokio::spawn(async move {
                match program {
                    Program::RoundTrips(_) => echo(stream).await,
                    Program::Bulk(bytes) => receive(stream, bytes).await,
                }
            });
        }
        #[allow(unreachable_code)]
        io::Result::Ok(())
    });
}

async fn ask(server: String, program: Program) -> io::Result<()> {
    let stream = TcpStream::connect(server).await?;
    match program {
        Program::RoundTrips(count) => round_trips(stream, count).await,
        Program::Bulk(bytes) => send(stream, bytes).await,
    }
}
