//! `deadpool`: a pool whose only connection is kept by who waits for an answer that never comes.

use super::{Done, PATIENCE, Uses, accept, answered, goes_on, regularly, tokio_itself};
use crate::deadpool::round_trip;
use ::deadpool::managed::{Manager, Metrics, Pool, RecycleError, RecycleResult};
use refrain::World;
use std::io;
use tokio::{net::TcpStream, time::timeout};

struct Connections;

impl Manager for Connections {
    type Type = TcpStream;
    type Error = io::Error;

    async fn create(&self) -> io::Result<TcpStream> {
        timeout(PATIENCE, TcpStream::connect("server:7")).await?
    }

    async fn recycle(&self, stream: &mut TcpStream, _: &Metrics) -> RecycleResult<io::Error> {
        match timeout(PATIENCE, round_trip(stream)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(RecycleError::message("no answer")),
        }
    }
}

async fn test(world: World, uses: Uses) {
    goes_on(
        world,
        || accept(7, tokio_itself::answer),
        move |done| async move {
            let pool: Pool<Connections> = Pool::builder(Connections).max_size(1).build()?;
            let ask = async || -> Done {
                let mut stream = pool.get().await?;
                answered(uses, round_trip(&mut stream)).await?
            };
            regularly(done, ask).await
        },
    )
    .await;
}

/// The pool is exhausted for ever: who waits for an answer that never comes keeps its only connection.
#[refrain::test(runs = 500, expect = "stall")]
async fn who_waits_for_ever_keeps_the_only_connection(world: World) {
    test(world, Uses::Wrong).await;
}

#[refrain::test(runs = 100)]
async fn who_gives_up_returns_it(world: World) {
    test(world, Uses::Right).await;
}
