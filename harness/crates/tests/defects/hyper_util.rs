//! `hyper-util`: its client has no time-out of its own, nor keep-alive.

use super::{Done, Uses, accept, answered, expect, goes_on, regularly};
use crate::hyper_util::answer;
use ::hyper_util::{client::legacy::Client, rt::TokioExecutor};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use refrain::World;

async fn test(world: World, uses: Uses) {
    goes_on(
        world,
        || accept(80, answer),
        move |done| async move {
            let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
            let get = async || -> Done {
                let response = client.get("http://server/".parse()?).await?;
                expect(response.into_body().collect().await?.to_bytes(), "hello")
            };
            regularly(done, async || answered(uses, get()).await?).await
        },
    )
    .await;
}

/// The client waits for ever for the answer of a server that has lost power.
#[refrain::test(runs = 500, expect = "stall")]
async fn without_a_time_out_it_waits_for_ever(world: World) {
    test(world, Uses::Wrong).await;
}

#[refrain::test(runs = 100)]
async fn with_a_time_out_it_asks_again(world: World) {
    test(world, Uses::Right).await;
}
