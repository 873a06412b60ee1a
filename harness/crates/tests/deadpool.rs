//! `deadpool`: a pool of connections, each of which is looked at before it is used again.

use super::{Done, accept, exchange, expect, tokio_itself};
use ::deadpool::managed::{Manager, Metrics, Pool, RecycleError, RecycleResult};
use refrain::World;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

struct Connections;

impl Manager for Connections {
    type Type = TcpStream;
    type Error = std::io::Error;

    async fn create(&self) -> std::io::Result<TcpStream> {
        TcpStream::connect("server:7").await
    }

    async fn recycle(&self, stream: &mut TcpStream, _: &Metrics) -> RecycleResult<std::io::Error> {
        round_trip(stream).await.map_err(|error| RecycleError::message(error.to_string()))
    }
}

pub async fn round_trip(stream: &mut TcpStream) -> Done {
    stream.write_all(b"hello").await?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await?;
    expect(answer, *b"hello")
}

async fn ask() -> Done {
    let pool: Pool<Connections> = Pool::builder(Connections).max_size(2).build()?;
    for _ in 0..4 {
        round_trip(&mut *pool.get().await?).await?;
    }
    Ok(())
}

#[refrain::test(runs = 50)]
async fn deadpool_answers(world: World) {
    exchange(world, || accept(7, tokio_itself::answer), ask).await;
}
