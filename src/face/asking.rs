//! Asks for a request: admits whoever asks, reads the body within its limits, and has each query answered.

use super::caller::Caller;
use super::reply::{self, Fault};
use super::{BODY_LIMIT, Side};
use crate::answer::{Answer, Code, Query, Refusal};
use crate::client::{self, Writing};
use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Request, Response, StatusCode};
use futures_util::future::join_all;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Maximum size of the body of a request, in bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// How long the answer to a request may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// Whoever asks: its connection, and its name.
pub(super) type Asker<S> = (Arc<Caller<<S as Side>::Seat>>, String);

/// Returns whoever asks, if it may.
pub(super) fn admit<S: Side>(side: &S, request: &Request<Body>) -> Result<Asker<S>, Fault> {
    let Some(caller) = request.extensions().get::<Arc<Caller<S::Seat>>>() else {
        return Err(Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "ErrorInternalServerError", "nobody asks"));
    };
    let name = caller.admit(&side.access().get(), request.headers())?;
    Ok((Arc::clone(caller), name))
}

/// Reads the body of a request, which must be of this type: one that a browser does not send for a page of another site.
pub(super) async fn read(headers: &HeaderMap, body: Body, wanted: &str) -> Result<Bytes, Fault> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(wanted)) {
        let why = format!("the Content-Type must be {wanted}");
        return Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", why));
    }
    match timeout(BODY_LIMIT, Limited::new(body, BODY_BYTES_MAX).collect()).await {
        Ok(Ok(read)) => Ok(read.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let why = format!("the body has more than {BODY_BYTES_MAX} bytes");
            Err(Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", why))
        }
        Ok(Err(error)) => Err(Fault::bad(format!("the body cannot be read: {error}"))),
        Err(_) => {
            let why = format!("the body was not complete within {} s", BODY_LIMIT.as_secs());
            Err(Fault::new(StatusCode::REQUEST_TIMEOUT, "RequestTimeout", why))
        }
    }
}

/// Has each query answered, all at the same time; returns the outcomes in the order of the queries, and the place of the response.
pub(super) async fn each<S: Side>(
    side: &S,
    (caller, name): &Asker<S>,
    queries: impl Iterator<Item = Query>,
) -> Result<(Vec<Result<Answer, Refusal>>, Option<Writing>), Fault> {
    let seat = caller.seat(name, |name| side.seat(name));
    let share = side.places().of(caller.peer.address.ip());
    let ask = |query, deadline| side.ask(&seat, query, deadline);
    let limit_ms = ANSWER_LIMIT.as_millis() as u64;
    let outcomes = join_all(queries.map(async |query| {
        let began = Instant::now();
        let outcome = client::within("http client", limit_ms, query, &ask).await;
        share.counts().count(&outcome, began.elapsed());
        outcome
    }));
    let outcomes = outcomes.await;
    let slots = outcomes.iter().flatten().map(|answer| answer.slots.len()).sum();
    match share.try_write(slots) {
        Ok(writing) => Ok((outcomes, writing)),
        Err(_) => {
            let why = "too many long answers are being written: ask again later, or for less at once";
            Err(Refusal::new(Code::Busy, why).into())
        }
    }
}

/// Returns a response, which keeps its place until it is written.
pub(super) fn response(kind: &'static str, body: Vec<u8>, writing: Option<Writing>) -> Response<Body> {
    reply::with(StatusCode::OK, kind, Bytes::from_owner(Written { body, _writing: writing }))
}

struct Written {
    body: Vec<u8>,
    _writing: Option<Writing>,
}

impl AsRef<[u8]> for Written {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}
