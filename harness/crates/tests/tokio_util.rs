//! `tokio-util`: framed lines, and a bridge to code that blocks.

use super::{Done, accept, exchange, expect};
use ::tokio_util::{
    codec::{Framed, LinesCodec},
    io::SyncIoBridge,
};
use futures_util::{SinkExt, StreamExt};
use refrain::World;
use std::io::{BufRead, BufReader, Write};
use tokio::net::TcpStream;

async fn answer(stream: TcpStream) -> Done {
    let mut lines = Framed::new(stream, LinesCodec::new());
    while let Some(line) = lines.next().await {
        lines.send(line?).await?;
    }
    Ok(())
}

async fn ask() -> Done {
    let mut lines = Framed::new(TcpStream::connect("server:7").await?, LinesCodec::new());
    lines.send("hello").await?;
    expect(lines.next().await.ok_or("the end")??, "hello")
}

/// The same in code that blocks its thread.
async fn ask_and_block() -> Done {
    let stream = TcpStream::connect("server:7").await?;
    let asked = tokio::task::spawn_blocking(move || -> std::io::Result<String> {
        let mut stream = BufReader::new(SyncIoBridge::new(stream));
        stream.get_mut().write_all(b"hello\n")?;
        let mut line = String::new();
        stream.read_line(&mut line)?;
        Ok(line)
    });
    expect(asked.await??, "hello\n")
}

#[refrain::test(runs = 50)]
async fn tokio_util_answers(world: World) {
    exchange(world, || accept(7, answer), ask).await;
}

#[refrain::test(runs = 50)]
async fn code_that_blocks_is_answered(world: World) {
    exchange(world, || accept(7, answer), ask_and_block).await;
}
