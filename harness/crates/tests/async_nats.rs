//! `async-nats`: a subject of NATS, with a server that sends to each subscriber what it publishes itself.

use super::{Done, accept, exchange, expect};
use futures_util::StreamExt;
use refrain::World;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream},
    net::TcpStream,
};

const INFO: &str = "INFO {\"server_id\":\"one\",\"server_name\":\"one\",\"version\":\"2.11.0\",\"go\":\"go\",\"host\":\"server\",\"port\":4222,\"headers\":true,\"max_payload\":1048576,\"proto\":1,\"client_id\":1}\r\n";

async fn answer(stream: TcpStream) -> Done {
    let mut stream = BufStream::new(stream);
    stream.write_all(INFO.as_bytes()).await?;
    stream.flush().await?;
    let mut subscribed = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["PING"] => stream.write_all(b"PONG\r\n").await?,
            ["SUB", _, id] => id.clone_into(&mut subscribed),
            ["PUB", subject, length] => {
                let mut body = vec![0; length.parse::<usize>()? + 2];
                stream.read_exact(&mut body).await?;
                stream.write_all(format!("MSG {subject} {subscribed} {length}\r\n").as_bytes()).await?;
                stream.write_all(&body).await?;
            }
            _ => {}
        }
        stream.flush().await?;
    }
}

async fn ask() -> Done {
    let client = ::async_nats::connect("nats://server:4222").await?;
    let mut words = client.subscribe("words").await?;
    client.publish("words", "hello".into()).await?;
    let word = words.next().await.ok_or("the end")?;
    expect(&word.payload[..], b"hello")
}

#[refrain::test(runs = 50)]
async fn async_nats_answers(world: World) {
    exchange(world, || accept(4222, answer), ask).await;
}
