//! The simulated network as an application sees it, one fact per test.

mod address;
mod backlog;
mod bytes;
mod close;
mod connect;
mod descriptors;
mod fault;
mod halves;
mod hostile;
mod impaired;
mod names;
mod options;
mod ready;
mod refused;
mod rules;
mod udp;
mod unix;

use refrain::World;
use std::{
    future::Future,
    io::{ErrorKind, Result},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::Instant,
};

const SECOND: Duration = Duration::from_secs(1);

/// Adds a host "server" that accepts on port 80 and runs `then` for each connection.
fn serve<F, Fut>(world: &World, then: F) -> refrain::Host
where
    F: Fn(TcpStream) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    world.host("server", move || async move {
        let listener = TcpListener::bind("0.0.0.0:80").await?;
        loop {
            tokio::spawn(then(listener.accept().await?.0));
        }
        #[allow(unreachable_code)]
        Result::Ok(())
    })
}

/// Echoes until the end of the stream.
async fn echo(mut stream: TcpStream) {
    let (mut reader, mut writer) = stream.split();
    let _ = tokio::io::copy(&mut reader, &mut writer).await;
}

/// Keeps the connection open and idle.
async fn hold(stream: TcpStream) {
    let _stream = stream;
    std::future::pending().await
}

/// Connects to the server from a host "client", and passes the connection to `then` there.
async fn client<F, Fut>(world: &World, then: F) -> Fut::Output
where
    F: FnOnce(TcpStream) -> Fut + Send + 'static,
    Fut: Future<Output: Send + 'static> + Send + 'static,
{
    // The server's process needs a moment until it listens.
    tokio::time::sleep(Duration::from_millis(10)).await;
    let connected = async { then(TcpStream::connect("server:80").await.expect("the server listens")).await };
    world.client("client").run(connected).await
}

/// Returns the result of an operation, and how long it took.
async fn timed<T>(operation: impl Future<Output = Result<T>>) -> (std::result::Result<T, ErrorKind>, Duration) {
    let began = Instant::now();
    let result = operation.await.map_err(|error| error.kind());
    (result, began.elapsed())
}

/// Maximum delay caused by a run's holds: at most two affect any operation here.
const HELD: Duration = Duration::from_secs(40);

/// Returns whether something took this many seconds, apart from the delay of holds.
fn is_about(took: Duration, seconds: u64) -> bool {
    (Duration::from_secs(seconds)..Duration::from_secs(seconds) + HELD).contains(&took)
}

/// Reads once, at most 64 KiB.
async fn read(stream: &mut TcpStream) -> Result<Vec<u8>> {
    let mut buffer = vec![0; 64 << 10];
    let n = stream.read(&mut buffer).await?;
    buffer.truncate(n);
    Ok(buffer)
}

/// Sends a request and returns the response.
async fn ask(stream: &mut TcpStream, question: &[u8]) -> Result<Vec<u8>> {
    stream.write_all(question).await?;
    let mut answer = vec![0; question.len()];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}
