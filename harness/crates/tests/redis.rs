//! `redis`, on a server that keeps one value.

use super::{Done, accept, exchange, expect};
use ::redis::AsyncCommands;
use refrain::World;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream},
    net::TcpStream,
};

/// Answers `SET`, `GET` and `PING`, and anything else with OK.
pub async fn answer(stream: TcpStream) -> Done {
    let mut stream = BufStream::new(stream);
    let mut value = String::new();
    while let Some(command) = read_command(&mut stream).await? {
        let name = command.first().map(|name| name.to_uppercase()).unwrap_or_default();
        let answer = match name.as_str() {
            "GET" => format!("${}\r\n{value}\r\n", value.len()),
            "PING" => "+PONG\r\n".to_owned(),
            "SET" => {
                value = command.get(2).cloned().unwrap_or_default();
                "+OK\r\n".to_owned()
            }
            "HELLO" => "-ERR unknown command\r\n".to_owned(),
            _ => "+OK\r\n".to_owned(),
        };
        stream.write_all(answer.as_bytes()).await?;
        stream.flush().await?;
    }
    Ok(())
}

/// An array of strings: `*2`, then of each `$3` and the string.
async fn read_command(
    stream: &mut BufStream<TcpStream>,
) -> Result<Option<Vec<String>>, Box<dyn std::error::Error + Send + Sync>> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let mut words = vec![];
    for _ in 0..line.trim_start_matches('*').trim().parse::<usize>()? {
        let mut length = String::new();
        stream.read_line(&mut length).await?;
        let mut word = vec![0; length.trim_start_matches('$').trim().parse::<usize>()? + 2];
        stream.read_exact(&mut word).await?;
        words.push(String::from_utf8_lossy(&word).trim_end().to_owned());
    }
    Ok(Some(words))
}

async fn ask() -> Done {
    let client = ::redis::Client::open("redis://server:6379/")?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    let () = connection.set("key", "hello").await?;
    let answer: String = connection.get("key").await?;
    expect(answer, "hello")
}

#[refrain::test(runs = 50)]
async fn redis_answers(world: World) {
    exchange(world, || accept(6379, answer), ask).await;
}
