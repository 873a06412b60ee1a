//! `async-tungstenite`: both sides of a websocket, on tokio.

use super::{Done, accept, exchange, expect};
use ::async_tungstenite::{
    tokio::{accept_async, connect_async},
    tungstenite::Message,
};
use futures_util::StreamExt;
use refrain::World;
use tokio::net::TcpStream;

async fn answer(stream: TcpStream) -> Done {
    let mut socket = accept_async(stream).await?;
    while let Some(message) = socket.next().await {
        let message = message?;
        if message.is_text() {
            socket.send(message).await?;
        }
    }
    Ok(())
}

async fn ask() -> Done {
    let (mut socket, _) = connect_async("ws://server:80/").await?;
    socket.send(Message::text("hello")).await?;
    let answer = socket.next().await.ok_or("the end")??;
    expect(answer.into_text()?.as_str(), "hello")
}

#[refrain::test(runs = 50)]
async fn async_tungstenite_answers(world: World) {
    exchange(world, || accept(80, answer), ask).await;
}
