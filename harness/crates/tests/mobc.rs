//! `mobc`: a pool of connections.

use super::{Done, accept, deadpool::round_trip, exchange, tokio_itself};
use ::mobc::{Manager, Pool, async_trait};
use refrain::World;
use tokio::net::TcpStream;

struct Connections;

#[async_trait]
impl Manager for Connections {
    type Connection = TcpStream;
    type Error = std::io::Error;

    async fn connect(&self) -> Result<TcpStream, std::io::Error> {
        TcpStream::connect("server:7").await
    }

    async fn check(&self, mut stream: TcpStream) -> Result<TcpStream, std::io::Error> {
        round_trip(&mut stream).await.map_err(std::io::Error::other)?;
        Ok(stream)
    }
}

async fn ask() -> Done {
    let pool = Pool::builder().max_open(2).build(Connections);
    for _ in 0..4 {
        round_trip(&mut *pool.get().await?).await?;
    }
    Ok(())
}

#[refrain::test(runs = 50)]
async fn mobc_answers(world: World) {
    exchange(world, || accept(7, tokio_itself::answer), ask).await;
}
