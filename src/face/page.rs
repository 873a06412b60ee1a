//! The page: who is free when across both sides. It is one file, which loads nothing else.

use super::reply;
use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use axum::http::{Response, StatusCode};
use ring::rand::{SecureRandom, SystemRandom};

const PAGE: &str = include_str!("page.html");
/// What stands in the page for the number that its style and its script must have.
const NONCE: &str = "NONCE";

/// Returns the page. It has no data: its script asks for them, with the token of whoever looks at it.
pub(super) fn response() -> Response<Body> {
    let mut number = [0; 16];
    if SystemRandom::new().fill(&mut number).is_err() {
        return reply::Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "ErrorInternalServerError", "no chance")
            .response();
    }
    let nonce = crate::access::hex(&number);
    let mut response =
        reply::with(StatusCode::OK, "text/html; charset=utf-8", Bytes::from(PAGE.replace(NONCE, &nonce)));
    // Nothing that is not of this page is executed, and no other page shows this one.
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    // Hexadecimal digits are a valid value.
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}
