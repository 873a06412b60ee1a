//! `tower-http`: layers of a service.

use super::{Done, exchange, expect};
use ::axum::{Router, routing::get};
use ::tower_http::{timeout::TimeoutLayer, trace::TraceLayer};
use refrain::World;
use std::time::Duration;
use tokio::{net::TcpListener, time::sleep};

async fn serve() -> Done {
    let router = Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/slow", get(|| sleep(Duration::from_secs(60))))
        .layer(TimeoutLayer::with_status_code(http::StatusCode::REQUEST_TIMEOUT, Duration::from_secs(1)))
        .layer(TraceLayer::new_for_http());
    ::axum::serve(TcpListener::bind("0.0.0.0:80").await?, router).await?;
    Ok(())
}

async fn ask() -> Done {
    expect(::reqwest::get("http://server/").await?.text().await?, "hello")?;
    expect(::reqwest::get("http://server/slow").await?.status().as_u16(), 408)
}

#[refrain::test(runs = 50)]
async fn tower_http_answers(world: World) {
    exchange(world, serve, ask).await;
}
