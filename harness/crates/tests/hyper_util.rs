//! `hyper-util`: its client with a pool, whose connector makes sockets of its own, and its server of either version of HTTP.

use super::{Done, accept, exchange, expect};
use http_body_util::{BodyExt, Empty, Full};
use hyper::{Request, Response, body::Bytes, body::Incoming, service::service_fn};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use refrain::World;
use std::convert::Infallible;
use tokio::net::TcpStream;

async fn hello(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new("hello".into())))
}

pub async fn answer(stream: TcpStream) -> Done {
    auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service_fn(hello)).await
}

async fn ask() -> Done {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    for _ in 0..2 {
        let response = client.get("http://server/".parse()?).await?;
        expect(response.into_body().collect().await?.to_bytes(), "hello")?;
    }
    Ok(())
}

#[refrain::test(runs = 50)]
async fn hyper_util_answers(world: World) {
    exchange(world, || accept(80, answer), ask).await;
}
