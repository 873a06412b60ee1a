//! Asks the face of a side over HTTPS, in plain sight: what is written and read is the test's own.

use crate::world::{Calendars, keys};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, split};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

/// How long a request may take, with its connection.
const LIMIT: Duration = Duration::from_secs(30);

/// Where the face of a side is.
pub fn address(side: Calendars) -> &'static str {
    match side {
        Calendars::Exchange => "exchange:8010",
        Calendars::Notes => "notes:8011",
    }
}

/// Connects to the face of a side.
pub async fn connect(side: Calendars) -> Result<TlsStream<TcpStream>, String> {
    let stream = TcpStream::connect(address(side)).await.map_err(|error| error.to_string())?;
    let (stream, _) = keys::client(side.host()).connect(stream).await.map_err(|error| error.to_string())?;
    Ok(stream)
}

/// Returns a request, with the clients' token, of which this is the only one on its connection.
pub fn post(path: &str, body: &str) -> String {
    let (token, length) = (keys::token(), body.len());
    format!(
        "POST {path} HTTP/1.1\r\nHost: calcon\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Connection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// Sends a request; returns the status and the body of the response, which must be complete.
pub async fn ask(side: Calendars, request: String) -> Result<(u16, String), String> {
    let exchanged = timeout(LIMIT, async {
        let (mut read, mut write) = split(connect(side).await?);
        write.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
        write.flush().await.map_err(|error| error.to_string())?;
        let mut bytes = Vec::new();
        // A connection that ends too early is noticed by the length.
        let _ = read.read_to_end(&mut bytes).await;
        response(&bytes)
    });
    exchanged.await.map_err(|_| "no response in time".to_owned())?
}

fn response(bytes: &[u8]) -> Result<(u16, String), String> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n").ok_or("no head")?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or("no status")?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    if length != Some(body.len()) {
        return Err(format!("{} of {length:?} bytes", body.len()));
    }
    Ok((status, body.to_owned()))
}
