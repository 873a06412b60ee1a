//! One exchange with an HTTP server, each of its steps within a time limit: connect, the handshake of TLS, the reply's head, its body.

use super::failure::Failure;
use super::place::Place;
use crate::channel::Opened;
use crate::credentials::Credentials;
use crate::http::Stream;
use crate::tls::Dialler;
use hyper::StatusCode;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, HOST, HeaderValue, LOCATION, USER_AGENT};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long connecting may take.
pub const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// How long the head of the reply may take, from when the request is sent.
pub const HEAD_LIMIT: Duration = Duration::from_secs(5);
/// How long each further piece of the reply may take.
pub const CHUNK_LIMIT: Duration = Duration::from_secs(3);
/// Maximum length of a reply's body, in bytes.
pub const BODY_BYTES_MAX: usize = 4 << 20;
/// Maximum length of a reply's head, in bytes.
const HEAD_BYTES_MAX: usize = 32 << 10;
/// Maximum number of headers of a reply.
const HEADERS_MAX: usize = 100;

/// A request, without where it goes and who asks.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: &'static str,
    /// Its headers, with those that depend on the body.
    pub(super) headers: &'static [(&'static str, &'static str)],
    pub(super) body: String,
}

/// A reply.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    /// Where a redirect leads.
    pub(super) location: Option<String>,
    pub(super) body: Vec<u8>,
}

/// Sends a request, and reads the reply.
///
/// # Errors
/// If a step fails or takes too long, or the reply is too long or not complete.
pub(super) async fn send(
    place: &Place,
    trust: Option<&Credentials>,
    login: Option<HeaderValue>,
    request: Request,
) -> Result<Reply, Failure> {
    let address = format!("{}:{}", place.host(), place.port());
    let failed = |source| Failure::Connect { address: address.clone(), source };
    let connecting = timeout(CONNECT_LIMIT, TcpStream::connect((place.host(), place.port()))).await;
    let late = |_| Failure::Late { what: "connecting", limit: CONNECT_LIMIT };
    let stream = connecting.map_err(late)?.map_err(failed)?;
    let is_near = stream.peer_addr().map_err(failed)?.ip().is_loopback();
    if login.is_some() && !place.is_https() && !is_near {
        return Err(Failure::Unsecured);
    }
    stream.set_nodelay(true).map_err(failed)?;
    let request = built(place, login, request)?;
    // Reports its end when all of it is dropped.
    let _opened = Opened::report("dialled", &address);
    match trust.filter(|_| place.is_https()) {
        Some(trust) => {
            let dialler = Dialler::new(trust, place.host()).map_err(Failure::Name)?;
            let (stream, _) = dialler.connect(stream).await.map_err(Failure::Tls)?;
            exchange(stream, request).await
        }
        None => exchange(stream, request).await,
    }
}

fn built(place: &Place, login: Option<HeaderValue>, request: Request) -> Result<hyper::Request<String>, Failure> {
    let mut builder = hyper::Request::builder()
        .method(request.method)
        .uri(place.path())
        .header(HOST, place.authority())
        .header(USER_AGENT, concat!("calcon/", env!("CARGO_PKG_VERSION")));
    for (name, value) in request.headers {
        builder = builder.header(*name, *value);
    }
    if let Some(value) = login {
        builder = builder.header(AUTHORIZATION, value);
    }
    Ok(builder.body(request.body)?)
}

/// Performs one exchange over a connection, which ends with it.
async fn exchange<S>(stream: S, request: hyper::Request<String>) -> Result<Reply, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD_BYTES_MAX).max_headers(HEADERS_MAX);
    let (mut sender, connection) = builder.handshake(Stream(stream)).await?;
    let mut connection = pin!(connection);
    let mut exchanging = pin!(async {
        let late = |_| Failure::Late { what: "the head of the reply", limit: HEAD_LIMIT };
        let reply = timeout(HEAD_LIMIT, sender.send_request(request)).await.map_err(late)??;
        let status = reply.status();
        let location =
            reply.headers().get(LOCATION).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        Ok(Reply { status, location, body: read(reply.into_body()).await? })
    });
    let mut has_ended = false;
    loop {
        tokio::select! {
            outcome = &mut exchanging => return outcome,
            // What it has read is still to be taken. Its error is that of the exchange, too.
            _ = &mut connection, if !has_ended => has_ended = true,
        }
    }
}

/// Reads a body to its end. One that is cut off is an error, if the server has said how long it is.
async fn read(mut body: Incoming) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    loop {
        let next = poll_fn(|context| Pin::new(&mut body).poll_frame(context));
        let late = |_| Failure::Late { what: "the next piece of the reply", limit: CHUNK_LIMIT };
        let Some(frame) = timeout(CHUNK_LIMIT, next).await.map_err(late)? else { return Ok(bytes) };
        if let Ok(piece) = frame?.into_data() {
            if bytes.len() + piece.len() > BODY_BYTES_MAX {
                return Err(Failure::TooLong { bytes_max: BODY_BYTES_MAX });
            }
            bytes.extend_from_slice(&piece);
        }
    }
}
