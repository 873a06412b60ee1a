//! `reqwest`: a client with a pool and time-outs.

use super::{Done, exchange, expect};
use ::axum::{Router, routing::post};
use refrain::World;
use std::time::Duration;
use tokio::net::TcpListener;

async fn serve() -> Done {
    let router = Router::new().route("/echo", post(|body: String| async move { body }));
    ::axum::serve(TcpListener::bind("0.0.0.0:80").await?, router).await?;
    Ok(())
}

async fn ask() -> Done {
    let client =
        ::reqwest::Client::builder().connect_timeout(Duration::from_secs(2)).timeout(Duration::from_secs(5)).build()?;
    for word in ["one", "two"] {
        let answer = client.post("http://server/echo").body(word).send().await?.error_for_status()?.text().await?;
        expect(answer, word)?;
    }
    Ok(())
}

#[refrain::test(runs = 50)]
async fn reqwest_answers(world: World) {
    exchange(world, serve, ask).await;
}
