//! `bb8`: a pool of connections.

use super::{Done, accept, deadpool::round_trip, exchange, tokio_itself};
use ::bb8::{ManageConnection, Pool};
use refrain::World;
use tokio::net::TcpStream;

struct Connections;

impl ManageConnection for Connections {
    type Connection = TcpStream;
    type Error = std::io::Error;

    async fn connect(&self) -> Result<TcpStream, Self::Error> {
        TcpStream::connect("server:7").await
    }

    async fn is_valid(&self, stream: &mut TcpStream) -> Result<(), Self::Error> {
        round_trip(stream).await.map_err(std::io::Error::other)
    }

    fn has_broken(&self, _: &mut TcpStream) -> bool {
        false
    }
}

async fn ask() -> Done {
    let pool = Pool::builder().max_size(2).build(Connections).await?;
    for _ in 0..4 {
        let mut connection = pool.get().await?;
        round_trip(&mut connection).await?;
    }
    Ok(())
}

#[refrain::test(runs = 50)]
async fn bb8_answers(world: World) {
    exchange(world, || accept(7, tokio_itself::answer), ask).await;
}
