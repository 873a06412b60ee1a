//! What `ci/bench` times: programs, the same on each simulator, only where their streams come from differs; and models.
#![forbid(unsafe_code)]

mod models;

use std::{env, fmt::Write, fs, io, process, time::Duration};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// What an ordinary test does.
pub const FEW_ROUND_TRIPS: usize = 20;
/// What takes long enough to be measured in one run.
pub const MANY_ROUND_TRIPS: usize = 100_000;
/// How much a bulk transfer moves, in bytes.
pub const BULK_BYTES: usize = 256 << 20;

/// How often a measurement within a run is made.
const TIMES: usize = 3;

/// What a stream of any simulator can do.
pub trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

/// Sends back what comes, until nothing does.
pub async fn echo(mut stream: impl Stream) -> io::Result<()> {
    let mut buffer = [0; 64];
    while let read @ 1.. = stream.read(&mut buffer).await? {
        stream.write_all(&buffer[..read]).await?;
        // madsim sends nothing before it.
        stream.flush().await?;
    }
    Ok(())
}

/// So many round trips of four bytes.
pub async fn round_trips(mut stream: impl Stream, count: usize) -> io::Result<()> {
    let mut answer = [0; 4];
    for _ in 0..count {
        stream.write_all(b"ping").await?;
        stream.flush().await?;
        stream.read_exact(&mut answer).await?;
    }
    Ok(())
}

/// Writes so many bytes, in pieces of 64 KiB, and closes.
pub async fn send(mut stream: impl Stream, bytes: usize) -> io::Result<()> {
    let piece = vec![7; 64 << 10];
    for _ in 0..bytes / piece.len() {
        stream.write_all(&piece).await?;
        stream.flush().await?;
    }
    stream.shutdown().await
}

/// Reads until so many bytes have come.
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

/// One program, as a simulator is asked to run it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// Echo, so many times.
    RoundTrips(usize),
    /// So many bytes one way.
    Bulk(usize),
}

/// What all round trips cost that 5 pairs of hosts make when these are all, again among 1,000 hosts, and 500 pairs at once:
/// lines of pairs, of those that talk, and of seconds on the processor.
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

/// The time for which this thread was on a processor: a simulated clock stands still meanwhile.
fn on_processor() -> Duration {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells");
    let nanos = stat.split_whitespace().next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.expect("as proc(5) says"))
}

/// Runs what the command line asks for: a figure's name, and how often.
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
