//! `fred`: another client of redis, with its own pool and reconnection.

use super::{Done, accept, exchange, expect, redis::answer};
use ::fred::prelude::{Builder, ClientLike, Config, KeysInterface};
use refrain::World;

async fn ask() -> Done {
    let client = Builder::from_config(Config::from_url("redis://server:6379/")?).build()?;
    client.init().await?;
    let () = client.set("key", "hello", None, None, false).await?;
    let answer: String = client.get("key").await?;
    client.quit().await?;
    expect(answer, "hello")
}

#[refrain::test(runs = 50)]
async fn fred_answers(world: World) {
    exchange(world, || accept(6379, answer), ask).await;
}
