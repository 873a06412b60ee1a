//! The programs on turmoil.
#![forbid(unsafe_code)]

use refrain_bench::{Program, echo, receive, round_trips, run_as_asked, send};
use std::{env, time::Duration};
use turmoil::{
    Builder,
    net::{TcpListener, TcpStream},
};

/// The latencies of Refrain's network, used if the last argument is `near`; turmoil's default is 0 to 100 ms.
const NEAR: [Duration; 2] = [Duration::from_micros(200), Duration::from_millis(5)];
/// One day: longer than any of the programs takes.
const LIMIT: Duration = Duration::from_secs(86_400);
/// The buffer of a socket in segments; turmoil has no back-pressure.
const SEGMENTS: usize = 1 << 20;

fn main() {
    let near = env::args().nth(3).is_some_and(|last| last == "near");
    run_as_asked(|program, seed| simulate(program, seed, near));
}

fn simulate(program: Program, seed: u64, near: bool) {
    let mut builder = Builder::new();
    builder.rng_seed(seed).simulation_duration(LIMIT).tcp_capacity(SEGMENTS);
    if near {
        builder.min_message_latency(NEAR[0]).max_message_latency(NEAR[1]);
    }
    let mut sim = builder.build();
    sim.host("server", move || async move {
        let (stream, _) = TcpListener::bind("0.0.0.0:7").await?.accept().await?;
        match program {
            Program::RoundTrips(_) => echo(stream).await?,
            Program::Bulk(bytes) => receive(stream, bytes).await?,
        }
        Ok(())
    });
    sim.client("client", async move {
        let stream = TcpStream::connect("server:7").await?;
        match program {
            Program::RoundTrips(count) => round_trips(stream, count).await?,
            Program::Bulk(bytes) => send(stream, bytes).await?,
        }
        Ok(())
    });
    sim.run().expect("the client ends");
}
