//! `tower`: a service with a limit, a time-out and retries, around a connection.

use super::{Done, accept, exchange, expect, tokio_itself};
use ::tower::{Service, ServiceBuilder, ServiceExt, service_fn};
use refrain::World;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

async fn echo(word: String) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let mut stream = TcpStream::connect("server:7").await?;
    stream.write_all(word.as_bytes()).await?;
    stream.shutdown().await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

async fn ask() -> Done {
    let mut service = ServiceBuilder::new()
        .buffer(4)
        .rate_limit(2, Duration::from_secs(1))
        .timeout(Duration::from_secs(5))
        .service(service_fn(echo));
    for word in ["one", "two", "three"] {
        expect(service.ready().await?.call(word.to_owned()).await?, word)?;
    }
    Ok(())
}

#[refrain::test(runs = 50)]
async fn tower_answers(world: World) {
    exchange(world, || accept(7, tokio_itself::answer), ask).await;
}
