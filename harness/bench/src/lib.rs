//! The programs that `ci/bench` measures: identical on each simulator except for the type of their streams; and models.
#![forbid(unsafe_code)]

mod models;

use std::{env, fmt::Write, fs, io, process, time::Duration};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The size of an ordinary test.
pub const FEW_ROUND_TRIPS: usize = 20;
/// Long enough to measure within a single run.
pub const MANY_ROUND_TRIPS: usize = 100_000;
/// The size of a bulk transfer in bytes.
pub const BULK_BYTES: usize = 256 << 20;

/// Number of measurements within a run.
const TIMES: usize = 3;

/// A stream of any simulator.
pub trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

/// Echoes until the end of the stream.
pub async fn echo(mut stream: impl Stream) -> io::Result<()> {
    let mut buffer = [0; 64];
    while let read @ 1.. = stream.read(&mut buffer).await? {
        stream.write_all(&buffer[..read]).await?;
        // madsim sends nothing before a flush.
        stream.flush().await?;
    }
    Ok(())
}

/// Performs `count` round trips of four bytes.
pub async fn round_trips(mut stream: impl Stream, count: usize) -> io::Result<()> {
    let mut answer = [0; 4];
    for _ in 0..count {
        stream.write_all(b"ping").await?;
        stream.flush().await?;
        stream.read_exact(&mut answer).await?;
    }
    Ok(())
}

/// Writes `bytes` bytes in pieces of 64 KiB, and closes.
pub async fn send(mut stream: impl Stream, bytes: usize) -> io::Result<()> {
    let piece = vec![7; 64 << 10];
    for _ in 0..bytes / piece.len() {
        stream.write_all(&piece).await?;
        stream.flush().await?;
    }
    stream.shutdown().await
}

/// Reads until `bytes` bytes have arrived.
pub async fn receive(mut stream: impl Stream, bytes: usize) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    let mut read = 0;
    while read < bytes {
        read += match stream.read(&mut buffer).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            more => more,
        };
    }
    Ok(())
}

/// A program to run on a simulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// This many round trips.
    RoundTrips(usize),
    /// This many bytes in one direction.
    Bulk(usize),
}

/// Measures all round trips of 5 pairs of hosts alone, of the same among 1,000 hosts, and of 500 pairs at once: prints
/// lines of the number of pairs, the number of active ones, and CPU seconds.
pub async fn hosts<C: Clone, Talk: Future<Output = ()>>(
    all_round_trips: usize,
    mut pair: impl FnMut(usize) -> C,
    mut talk: impl FnMut(Vec<C>, usize) -> Talk,
) -> String {
    let mut measured = String::new();
    let mut clients = vec![];
    for (pairs, talking) in [(5, 5), (500, 5), (500, 500)] {
        while clients.len() < pairs {
            clients.push(pair(clients.len()));
        }
        talk(clients.clone(), 1).await;
        for _ in 0..TIMES {
            let before = on_processor();
            talk(clients[..talking].to_vec(), all_round_trips / talking).await;
            let took = on_processor().saturating_sub(before).as_secs_f64();
            writeln!(measured, "{pairs} {talking} {took}").expect("memory takes it");
        }
    }
    measured
}

/// Returns the CPU time of this thread: a simulated clock does not advance while computing.
fn on_processor() -> Duration {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux provides it");
    let nanos = stat.split_whitespace().next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.expect("as documented in proc(5)"))
}

/// Runs the measurement that the command line selects: a name, and a repeat count.
pub fn run_as_asked(simulate: impl Fn(Program, u64)) {
    let mut arguments = env::args().skip(1);
    let program = match arguments.next().as_deref() {
        Some("isolated") => Program::RoundTrips(FEW_ROUND_TRIPS),
        Some("many_round_trips") => Program::RoundTrips(MANY_ROUND_TRIPS),
        Some("bulk") => Program::Bulk(BULK_BYTES),
        _ => usage(),
    };
    let Some(runs) = arguments.next().and_then(|runs| runs.parse().ok()) else { usage() };
    (0..runs).for_each(|seed| simulate(program, seed));
}

fn usage() -> ! {
    eprintln!("usage: isolated|many_round_trips|bulk RUNS");
    process::exit(2)
}
