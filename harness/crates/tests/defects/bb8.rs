//! `bb8`: a pool in which nobody looks at a connection before it is used again.

use super::{PATIENCE, Uses, accept, goes_on, regularly, tokio_itself};
use crate::deadpool::round_trip;
use ::bb8::{ManageConnection, Pool};
use refrain::World;
use std::io;
use tokio::{net::TcpStream, time::timeout};

struct Connections(Uses);

impl ManageConnection for Connections {
    type Connection = TcpStream;
    type Error = io::Error;

    async fn connect(&self) -> io::Result<TcpStream> {
        TcpStream::connect("server:7").await
    }

    async fn is_valid(&self, stream: &mut TcpStream) -> io::Result<()> {
        match self.0 {
            Uses::Wrong => Ok(()),
            Uses::Right => timeout(PATIENCE, round_trip(stream)).await?.map_err(io::Error::other),
        }
    }

    fn has_broken(&self, _: &mut TcpStream) -> bool {
        false
    }
}

async fn test(world: World, uses: Uses) {
    goes_on(
        world,
        || accept(7, tokio_itself::answer),
        move |done| async move {
            let pool = Pool::builder().max_size(1).build_unchecked(Connections(uses));
            regularly(done, async || timeout(PATIENCE, round_trip(&mut *pool.get().await?)).await?).await
        },
    )
    .await;
}

/// The pool hands out a connection that has ended, again and again.
#[refrain::test(runs = 200, expect = "stall")]
async fn a_pool_hands_out_what_is_broken(world: World) {
    test(world, Uses::Wrong).await;
}

#[refrain::test(runs = 100)]
async fn a_pool_looks_at_what_it_hands_out(world: World) {
    test(world, Uses::Right).await;
}
