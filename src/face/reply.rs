//! Responses: JSON, texts, and errors in the form of Microsoft Graph.

use crate::answer::{Code, Refusal};
use axum::body::{Body, Bytes};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{Response, StatusCode};
use serde_json::json;

/// Why a request has no answer: the status, the code of Graph's error object, and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    status: StatusCode,
    code: &'static str,
    text: String,
}

impl Fault {
    /// Creates a fault of a request.
    pub(super) fn new(status: StatusCode, code: &'static str, text: impl Into<String>) -> Self {
        Self { status, code, text: text.into() }
    }

    /// The request is wrong.
    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ErrorInvalidRequest", text)
    }

    /// Returns the response, which has the reason.
    pub(super) fn response(self) -> Response<Body> {
        let body = json!({"error": {"code": self.code, "message": self.text}}).to_string();
        let mut response = with(self.status, "application/json", Bytes::from(body));
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let (status, code) = match refusal.code {
            Code::Denied => (StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken"),
            Code::Busy => (StatusCode::SERVICE_UNAVAILABLE, "ErrorServerBusy"),
            Code::BadQuery => (StatusCode::BAD_REQUEST, "ErrorInvalidRequest"),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "ErrorInternalServerError"),
        };
        Self::new(status, code, refusal.text)
    }
}

/// Returns a response with a body of this type. No cache keeps it, and no browser takes it for another type.
pub(super) fn with(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers: [(HeaderName, &'static str); 3] =
        [(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-store"), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    response.headers_mut().extend(headers.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}
