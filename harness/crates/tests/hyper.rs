//! `hyper`: a server and a client of HTTP/1.

use super::{Done, accept, exchange, expect};
use http_body_util::{BodyExt, Empty, Full};
use hyper::{Request, Response, body::Bytes, body::Incoming, client, server, service::service_fn};
use hyper_util::rt::TokioIo;
use refrain::World;
use std::convert::Infallible;
use tokio::net::TcpStream;

async fn hello(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new("hello".into())))
}

async fn answer(stream: TcpStream) -> Done {
    server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(hello)).await?;
    Ok(())
}

async fn ask() -> Done {
    let stream = TcpStream::connect("server:80").await?;
    let (mut sender, connection) = client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move { connection.await.is_ok() });
    let response = sender.send_request(Request::get("/").header("host", "server").body(Empty::<Bytes>::new())?).await?;
    expect(response.into_body().collect().await?.to_bytes(), "hello")
}

#[refrain::test(runs = 50)]
async fn hyper_answers(world: World) {
    exchange(world, || accept(80, answer), ask).await;
}
