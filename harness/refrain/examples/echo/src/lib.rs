//! An echo service: ordinary tokio, nothing of the harness.
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

/// How long a server waits when it cannot accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Answers every connection with what it sends.
pub async fn serve(at: &str) -> io::Result<()> {
    let listener = TcpListener::bind(at).await?;
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Too many open files, mostly: those who have a connection go on, and give theirs back in time.
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        tokio::spawn(async move {
            // A peer that resets is its own affair.
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

/// How long the answers may take: a server that lost power sends nothing, not even a reset. A slow one is not yet dead.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);

/// Sends every message and gives back the answers.
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
