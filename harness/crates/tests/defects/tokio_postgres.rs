//! `tokio-postgres`: a client whose connection has ended.

use super::{Done, PATIENCE, Uses, accept, goes_on, regularly};
use crate::tokio_postgres::answer;
use ::tokio_postgres::{Client, NoTls};
use refrain::World;
use tokio::time::timeout;

async fn connect() -> Result<Client, Box<dyn std::error::Error + Send + Sync>> {
    let connecting = ::tokio_postgres::connect("host=server user=somebody", NoTls);
    let (client, connection) = timeout(PATIENCE, connecting).await??;
    tokio::spawn(async move { connection.await.is_ok() });
    Ok(client)
}

async fn test(world: World, uses: Uses) {
    goes_on(
        world,
        || accept(5432, answer),
        move |done| async move {
            let mut kept: Option<Client> = None;
            let ask = async || -> Done {
                let client = match kept.take() {
                    Some(client) => client,
                    None => connect().await?,
                };
                let answer = timeout(PATIENCE, client.simple_query("SELECT 'hello' AS word")).await;
                let is_answered = matches!(answer, Ok(Ok(_)));
                kept = (is_answered || uses == Uses::Wrong).then_some(client);
                answer??;
                Ok(())
            };
            regularly(done, ask).await
        },
    )
    .await;
}

/// The client is kept when its connection has ended, and every later query fails.
#[refrain::test(runs = 200, expect = "stall")]
async fn a_client_whose_connection_has_ended_is_kept(world: World) {
    test(world, Uses::Wrong).await;
}

#[refrain::test(runs = 100)]
async fn a_client_whose_connection_has_ended_is_replaced(world: World) {
    test(world, Uses::Right).await;
}
