//! The face of a side for programs of today and for browsers: HTTP, on a listener of its own, off by default.
//!
//! It answers `POST /getSchedule` as Microsoft Graph does, shows a page, and says how the side is. Who may enter is decided as for
//! all clients.

mod asking;
mod caller;
mod metrics;
pub mod outbox;
mod page;
mod patient;
mod reply;
pub mod schedule;
mod status;

pub use reply::Fault;

pub(crate) use status::{Cache, Link, Sessions, Status};

use crate::access::{Current, Peer};
use crate::answer::{Answer, Code, Query, Refusal};
use crate::channel::{Accepted, Stream};
use crate::client::Places;
use crate::error::{ChannelError, Error};
use crate::http::{Clock, Stream as HttpStream};
use crate::server::{self, Entrance};
use crate::shutdown::Shutdown;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response, StatusCode};
use axum::routing::{get, post};
use caller::Caller;
use chrono::Utc;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use outbox::Message;
use patient::Patient;
use schedule::{Rendered, Wanted};
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout};
use tower_service::Service;

/// How long a peer may take for the head of a request, and between two of them.
pub const HEAD_LIMIT: Duration = Duration::from_secs(10);
/// How long a peer may take for the body of a request.
pub const BODY_LIMIT: Duration = Duration::from_secs(5);
/// The type of what programs write and read.
const JSON: &str = "application/json";
/// Maximum size of the head of a request, in bytes.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Maximum number of headers of a request.
const HEADERS_MAX: usize = 64;
/// What a peer is told that finds no place.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\nretry-after: 5\r\n\r\n";

/// What the face needs of its side.
pub(crate) trait Side: Send + Sync + 'static {
    /// What an asker occupies.
    type Seat: Send + Sync + 'static;

    /// Seats an asker, by its name.
    fn seat(&self, name: &str) -> Self::Seat;

    /// Answers a valid query.
    fn ask(
        &self,
        seat: &Self::Seat,
        query: Query,
        deadline: Instant,
    ) -> impl Future<Output = Result<Answer, Refusal>> + Send;

    /// Returns the state of the side.
    fn status(&self) -> Status;

    /// Returns what clients may occupy.
    fn places(&self) -> &Places;

    /// Returns who may enter.
    fn access(&self) -> &Current;
}

/// Listens on the address of `http_listen`, if there is one. Without credentials, only on loopback.
///
/// # Errors
/// [`Error::Listen`] if the address is not available, [`Error::Settings`] if it is open to others without credentials.
pub(crate) async fn listen(
    address: Option<&str>,
    backlog: u32,
    access: &Current,
) -> Result<Option<TcpListener>, Error> {
    let Some(address) = address else { return Ok(None) };
    let listener = server::open("http_listen", address, backlog, access).await?;
    let at = listener.local_addr().map_err(|source| Error::Listen { address: address.to_owned(), source })?;
    tracing::info!("serving HTTP on {at}");
    Ok(Some(listener))
}

/// Serves requests until shutdown, if there is a listener.
pub(crate) async fn run<S: Side>(
    listener: Option<TcpListener>,
    entrance: Entrance,
    shutdown: Shutdown,
    side: impl FnOnce() -> Arc<S>,
) {
    let Some(listener) = listener else { return };
    let (side, until) = (side(), shutdown.clone());
    let router = router(Face { side: Arc::clone(&side), rendered: Arc::default() });
    let serve = move |accepted, peer| {
        let (side, router, shutdown) = (Arc::clone(&side), router.clone(), until.clone());
        async move { converse(accepted, peer, &*side, router, shutdown).await }
    };
    server::run(listener, entrance, shutdown, serve).await;
}

/// What requests share.
struct Face<S> {
    side: Arc<S>,
    rendered: Arc<Rendered>,
}

impl<S> Clone for Face<S> {
    fn clone(&self) -> Self {
        Self { side: Arc::clone(&self.side), rendered: Arc::clone(&self.rendered) }
    }
}

fn router<S: Side>(face: Face<S>) -> Router {
    let get_schedule = || post(get_schedule::<S>);
    Router::new()
        .route("/", get(async || page::response()))
        .route("/getSchedule", get_schedule())
        // Where clients of Graph look for it.
        .route("/v1.0/me/calendar/getSchedule", get_schedule())
        .route("/v1.0/users/{user}/calendar/getSchedule", get_schedule())
        .route("/outbox/", post(outbox::<S>))
        .route("/healthz", get(async || text(StatusCode::OK, "ok\n".to_owned())))
        .route("/readyz", get(async || text(StatusCode::OK, "ready\n".to_owned())))
        .route("/metrics", get(metrics::<S>))
        .route("/status", get(status::<S>))
        .fallback(async || Fault::new(StatusCode::NOT_FOUND, "ResourceNotFound", "there is no such page").response())
        .method_not_allowed_fallback(async || {
            Fault::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", "this page has another method").response()
        })
        .with_state(face)
}

/// Serves the requests of a connection, one after the other, until its end or shutdown. Then the current one is answered.
async fn converse<S: Side>(
    Accepted { stream, opened: _opened }: Accepted,
    peer: Peer,
    side: &S,
    router: Router,
    mut shutdown: Shutdown,
) -> Result<(), ChannelError> {
    let Some(_place) = side.places().of(peer.address.ip()).client() else {
        return turn_away(stream).await;
    };
    let caller = Arc::new(Caller::<S::Seat>::new(peer));
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Arc::clone(&caller));
        router.clone().call(request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(Clock)
        .header_read_timeout(HEAD_LIMIT)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(HttpStream(Patient::new(stream)), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.asked() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    match ended {
        Err(error) if error.is_timeout() => Err(ChannelError::Silent { limit_secs: HEAD_LIMIT.as_secs() }),
        Err(error) if error.is_parse() => Err(ChannelError::Http(error.to_string())),
        Err(error) => Err(ChannelError::Io(io::Error::other(error))),
        Ok(()) => Ok(()),
    }
}

async fn turn_away(stream: Stream) -> Result<(), ChannelError> {
    let write = async {
        match stream {
            Stream::Plain(mut stream) => stream.write_all(FULL).await,
            Stream::Secured(mut stream) => stream.write_all(FULL).await,
        }
    };
    // Whether the peer reads it or not, it is turned away.
    let _ = timeout(BODY_LIMIT, write).await;
    Err(ChannelError::Denied(Refusal::new(Code::Busy, "too many clients are being served")))
}

async fn get_schedule<S: Side>(
    State(Face { side, rendered }): State<Face<S>>,
    request: Request<Body>,
) -> Response<Body> {
    let answered = async {
        let asker = asking::admit(&*side, &request)?;
        let (head, body) = request.into_parts();
        let wanted = Wanted::read(&asking::read(&head.headers, body, JSON).await?, &head.headers)?;
        let (outcomes, writing) = asking::each(&*side, &asker, wanted.queries()).await?;
        Ok(asking::response(JSON, wanted.response(&outcomes, &rendered), writing))
    };
    answered.await.unwrap_or_else(Fault::response)
}

/// Answers a scheduling message: the request for free/busy times that a CalDAV client posts to its outbox (RFC 6638, 5).
async fn outbox<S: Side>(State(Face { side, .. }): State<Face<S>>, request: Request<Body>) -> Response<Body> {
    let answered = async {
        let asker = asking::admit(&*side, &request)?;
        let (head, body) = request.into_parts();
        let message = Message::read(&asking::read(&head.headers, body, "text/calendar").await?)?;
        let (outcomes, writing) = asking::each(&*side, &asker, message.queries()).await?;
        Ok(asking::response(outbox::KIND, message.response(&outcomes, Utc::now()), writing))
    };
    answered.await.unwrap_or_else(Fault::response)
}

async fn metrics<S: Side>(State(Face { side, .. }): State<Face<S>>, request: Request<Body>) -> Response<Body> {
    match asking::admit(&*side, &request) {
        Ok(_) => {
            let body = metrics::text(&side.status(), &side.places().counts().counted());
            reply::with(StatusCode::OK, metrics::KIND, body.into())
        }
        Err(fault) => fault.response(),
    }
}

async fn status<S: Side>(State(Face { side, .. }): State<Face<S>>, request: Request<Body>) -> Response<Body> {
    match asking::admit(&*side, &request) {
        // Plain data can always be serialized.
        Ok(_) => reply::with(StatusCode::OK, JSON, serde_json::to_vec(&side.status()).unwrap_or_default().into()),
        Err(fault) => fault.response(),
    }
}

fn text(status: StatusCode, text: String) -> Response<Body> {
    reply::with(status, "text/plain; charset=utf-8", text.into())
}
