//! `tokio`: an echo, by the name under which every crate depends on it.

use super::{Done, accept, exchange, expect};
use refrain::World;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

pub async fn answer(mut stream: TcpStream) -> Done {
    let (mut read, mut write) = stream.split();
    tokio::io::copy(&mut read, &mut write).await?;
    Ok(())
}

async fn ask() -> Done {
    let mut stream = TcpStream::connect("server:7").await?;
    stream.write_all(b"hello").await?;
    stream.shutdown().await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    expect(answer, "hello")
}

#[refrain::test(runs = 50)]
async fn tokio_answers(world: World) {
    exchange(world, || accept(7, answer), ask).await;
}
