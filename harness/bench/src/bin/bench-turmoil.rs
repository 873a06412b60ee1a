//! The programs on turmoil, with the latencies of Refrain's network.
#![forbid(unsafe_code)]

use refrain_bench::{Program, echo, receive, round_trips, run_as_asked, send};
use std::time::Duration;
use turmoil::{
    Builder,
    net::{TcpListener, TcpStream},
};

const LATENCY_MIN: Duration = Duration::from_micros(200);
const LATENCY_MAX: Duration = Duration::from_millis(5);
/// A day: longer than any of the programs takes.
const LIMIT: Duration = Duration::from_secs(86_400);
/// Segments that a socket takes; it has no back-pressure.
const SEGMENTS: usize = 1 << 20;

fn main() {
    run_as_asked(simulate);
}

fn simulate(program: Program, seed: u64) {
    let mut sim = Builder::new()
        .rng_seed(seed)
        .simulation_duration(LIMIT)
        .min_message_latency(LATENCY_MIN)
        .max_message_latency(LATENCY_MAX)
        .tcp_capacity(SEGMENTS)
        .build();
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
