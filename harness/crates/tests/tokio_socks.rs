//! `tokio-socks`: a connection by way of a SOCKS proxy, which connects to itself.

use super::{Done, accept, exchange, expect};
use ::tokio_socks::tcp::Socks5Stream;
use refrain::World;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

async fn answer(mut stream: TcpStream) -> Done {
    let mut greeting = [0; 3];
    stream.read_exact(&mut greeting).await?;
    stream.write_all(&[5, 0]).await?;
    let mut request = [0; 5];
    stream.read_exact(&mut request).await?;
    let mut target = vec![0; request[4] as usize + 2];
    stream.read_exact(&mut target).await?;
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    stream.write_all(&target[..target.len() - 2]).await?;
    Ok(())
}

async fn ask() -> Done {
    let mut stream = Socks5Stream::connect("server:1080", "elsewhere:80").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    expect(answer, "elsewhere")
}

#[refrain::test(runs = 50)]
async fn tokio_socks_answers(world: World) {
    exchange(world, || accept(1080, answer), ask).await;
}
