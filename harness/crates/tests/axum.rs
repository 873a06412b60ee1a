//! `axum`: a router behind `axum::serve`.

use super::{Done, exchange, expect};
use ::axum::{Router, extract::Path, routing::get};
use refrain::World;
use tokio::net::TcpListener;

async fn serve() -> Done {
    let router =
        Router::new().route("/hello/{name}", get(|Path(name): Path<String>| async move { format!("hello {name}") }));
    ::axum::serve(TcpListener::bind("0.0.0.0:80").await?, router).await?;
    Ok(())
}

async fn ask() -> Done {
    let answer = ::reqwest::get("http://server/hello/client").await?.error_for_status()?.text().await?;
    expect(answer, "hello client")
}

#[refrain::test(runs = 50)]
async fn axum_answers(world: World) {
    exchange(world, serve, ask).await;
}
