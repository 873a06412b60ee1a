//! `redis`: a multiplexed connection, which does not connect again.

use super::{Done, Uses, accept, expect, goes_on, regularly};
use crate::redis::answer;
use ::redis::{AsyncCommands, Client, aio::MultiplexedConnection};
use refrain::World;

async fn put_and_get(connection: &mut MultiplexedConnection) -> Done {
    let () = connection.set("key", "hello").await?;
    let value: String = connection.get("key").await?;
    expect(value, "hello")
}

async fn test(world: World, uses: Uses) {
    goes_on(
        world,
        || accept(6379, answer),
        move |done| async move {
            let client = Client::open("redis://server:6379/")?;
            let mut kept: Option<MultiplexedConnection> = None;
            let ask = async || {
                let mut connection = match kept.take() {
                    Some(connection) => connection,
                    None => client.get_multiplexed_async_connection().await?,
                };
                let done = put_and_get(&mut connection).await;
                kept = (done.is_ok() || uses == Uses::Wrong).then_some(connection);
                done
            };
            regularly(done, ask).await
        },
    )
    .await;
}

/// The connection is kept when it has ended.
#[refrain::test(runs = 200, expect = "stall")]
async fn a_connection_that_has_ended_is_kept(world: World) {
    test(world, Uses::Wrong).await;
}

#[refrain::test(runs = 100)]
async fn a_connection_that_has_ended_is_replaced(world: World) {
    test(world, Uses::Right).await;
}
