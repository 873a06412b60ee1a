//! `tokio-postgres`: simple queries, with a server that answers each with one row.

use super::{Done, accept, exchange, expect};
use ::tokio_postgres::{NoTls, SimpleQueryMessage};
use refrain::World;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A message: its kind, its length and its body.
fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32 + 4).to_be_bytes();
    [&[kind], &length[..], body].concat()
}

/// Lets anybody in, and answers every query with the row `hello`.
pub async fn answer(mut stream: TcpStream) -> Done {
    let length = stream.read_u32().await?;
    let mut startup = vec![0; length as usize - 4];
    stream.read_exact(&mut startup).await?;
    let ready = message(b'Z', b"I");
    let version = message(b'S', b"server_version\017.0\0");
    stream.write_all(&[message(b'R', &0u32.to_be_bytes()), version, ready.clone()].concat()).await?;
    loop {
        let kind = stream.read_u8().await?;
        let mut body = vec![0; stream.read_u32().await? as usize - 4];
        stream.read_exact(&mut body).await?;
        match kind {
            b'X' => return Ok(()),
            b'Q' => {
                // One column of text, and one row.
                let column = [
                    &1u16.to_be_bytes()[..],
                    b"word\0",
                    &[0; 6],
                    &25u32.to_be_bytes(),
                    &(-1i16).to_be_bytes(),
                    &[0xff; 4],
                    &[0; 2],
                ]
                .concat();
                let row = [&1u16.to_be_bytes()[..], &5u32.to_be_bytes(), b"hello"].concat();
                let all = [message(b'T', &column), message(b'D', &row), message(b'C', b"SELECT 1\0"), ready.clone()];
                stream.write_all(&all.concat()).await?;
            }
            _ => stream.write_all(&ready).await?,
        }
    }
}

async fn ask() -> Done {
    let settings = "host=server user=somebody keepalives_idle=30 connect_timeout=5";
    let (client, connection) = ::tokio_postgres::connect(settings, NoTls).await?;
    tokio::spawn(async move { connection.await.is_ok() });
    let rows = client.simple_query("SELECT 'hello' AS word").await?;
    let word = rows.iter().find_map(|row| if let SimpleQueryMessage::Row(row) = row { row.get(0) } else { None });
    expect(word, Some("hello"))
}

#[refrain::test(runs = 50)]
async fn tokio_postgres_answers(world: World) {
    exchange(world, || accept(5432, answer), ask).await;
}
