//! An echo service: ordinary tokio, without the harness.
#![forbid(unsafe_code)]

pub mod session;
mod sync {
    pub use std::sync::*;
}

use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

/// Delay after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Echoes on every connection.
pub async fn serve(at: &str) -> io::Result<()> {
    let listener = TcpListener::bind(at).await?;
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Usually too many open files: existing connections continue, and close in time.
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        tokio::spawn(async move {
            // A reset by the peer is not an error of the server.
            let _ = answer(stream).await;
        });
    }
}

async fn answer(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 1024];
    loop {
        let n = stream.read(&mut buffer).await?;
        if n == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..n]).await?;
    }
}

/// Time limit for all answers. A server that lost power sends nothing, not even a reset; a slow one is not dead yet.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);

/// Sends every message and returns the answers.
pub async fn ask(at: &str, messages: &[Vec<u8>]) -> io::Result<Vec<Vec<u8>>> {
    timeout(ANSWERS_WITHIN, exchange(at, messages)).await?
}

async fn exchange(at: &str, messages: &[Vec<u8>]) -> io::Result<Vec<Vec<u8>>> {
    let mut stream = TcpStream::connect(at).await?;
    let mut answers = vec![];
    for message in messages {
        stream.write_all(message).await?;
        let mut answer = vec![0; message.len()];
        stream.read_exact(&mut answer).await?;
        answers.push(answer);
    }
    Ok(answers)
}
