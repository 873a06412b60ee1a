//! `h2`: both sides of HTTP/2.

use super::{Done, accept, exchange, expect};
use bytes::Bytes;
use h2::{client, server};
use http::{Request, Response};
use refrain::World;
use tokio::net::TcpStream;

async fn answer(stream: TcpStream) -> Done {
    let mut connection = server::handshake(stream).await?;
    while let Some(request) = connection.accept().await {
        let (_, mut respond) = request?;
        let mut body = respond.send_response(Response::new(()), false)?;
        body.send_data(Bytes::from_static(b"hello"), true)?;
    }
    Ok(())
}

async fn ask() -> Done {
    let (sender, connection) = client::handshake(TcpStream::connect("server:80").await?).await?;
    tokio::spawn(async move { connection.await.is_ok() });
    let mut sender = sender.ready().await?;
    let (response, _) = sender.send_request(Request::get("http://server/").body(())?, true)?;
    let mut body = response.await?.into_body();
    let mut whole = vec![];
    while let Some(part) = body.data().await {
        let part = part?;
        body.flow_control().release_capacity(part.len())?;
        whole.extend(part);
    }
    expect(whole, b"hello".to_vec())
}

#[refrain::test(runs = 50)]
async fn h2_answers(world: World) {
    exchange(world, || accept(80, answer), ask).await;
}
