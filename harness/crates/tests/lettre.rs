//! `lettre`: a message by SMTP, to a server that takes every one.

use super::{Done, accept, exchange, expect};
use ::lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use refrain::World;
use std::time::Duration;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufStream},
    net::TcpStream,
};

async fn answer(stream: TcpStream) -> Done {
    let mut stream = BufStream::new(stream);
    let mut answer = "220 server\r\n".to_owned();
    let mut is_data = false;
    loop {
        stream.write_all(answer.as_bytes()).await?;
        stream.flush().await?;
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let command = line.get(..4).unwrap_or_default().to_uppercase();
        answer = match command.as_str() {
            _ if is_data && line != ".\r\n" => String::new(),
            _ if is_data => {
                is_data = false;
                "250 taken\r\n".to_owned()
            }
            "DATA" => {
                is_data = true;
                "354 go on\r\n".to_owned()
            }
            "QUIT" => "221 bye\r\n".to_owned(),
            _ => "250 server\r\n".to_owned(),
        };
    }
}

async fn ask() -> Done {
    let message = Message::builder()
        .from("a@client".parse()?)
        .to("b@server".parse()?)
        .subject("hello")
        .body("hello".to_owned())?;
    let mailer = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("server")
        .port(25)
        .timeout(Some(Duration::from_secs(5)))
        .build();
    expect(mailer.send(message).await?.is_positive(), true)
}

#[refrain::test(runs = 50)]
async fn lettre_answers(world: World) {
    exchange(world, || accept(25, answer), ask).await;
}
