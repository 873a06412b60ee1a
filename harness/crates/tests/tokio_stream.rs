//! `tokio-stream`: connections and lines as streams.

use super::{ACCEPT_PAUSE, Done, exchange, expect};
use ::tokio_stream::{
    StreamExt,
    wrappers::{LinesStream, TcpListenerStream},
};
use refrain::World;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    time::sleep,
};

async fn answer(stream: TcpStream) -> Done {
    let (read, mut write) = stream.into_split();
    let mut lines = LinesStream::new(BufReader::new(read).lines());
    while let Some(line) = lines.next().await {
        write.write_all(format!("{}\n", line?).as_bytes()).await?;
    }
    Ok(())
}

async fn serve() -> Done {
    let mut connections = TcpListenerStream::new(TcpListener::bind("0.0.0.0:7").await?);
    while let Some(connection) = connections.next().await {
        match connection {
            Ok(stream) => drop(tokio::spawn(async move { answer(stream).await.is_ok() })),
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
    Ok(())
}

async fn ask() -> Done {
    let (read, mut write) = TcpStream::connect("server:7").await?.into_split();
    write.write_all(b"hello\n").await?;
    let mut lines = LinesStream::new(BufReader::new(read).lines());
    expect(lines.next().await.ok_or("the end")??, "hello")
}

#[refrain::test(runs = 50)]
async fn tokio_stream_answers(world: World) {
    exchange(world, serve, ask).await;
}
