//! Who asks over HTTP, by what it has proven: its certificate, or the token in its request.

use crate::access::{Access, Peer};
use crate::answer::{Code, Refusal};
use crate::secret::Secret;
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, HOST};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// The peer of a connection, and what its last asker occupies there: `S`.
#[derive(Debug)]
pub(super) struct Caller<S> {
    pub(super) peer: Peer,
    seat: Mutex<Option<(String, Arc<S>)>>,
}

impl<S> Caller<S> {
    pub(super) fn new(peer: Peer) -> Self {
        Self { peer, seat: Mutex::default() }
    }

    /// Returns the name of a client that may ask.
    ///
    /// # Errors
    /// [`Code::Denied`] for everybody else.
    pub(super) fn admit(&self, access: &Access, headers: &HeaderMap) -> Result<String, Refusal> {
        if !access.is_secured() && !is_of_this_machine(headers) {
            let why = "without credentials the daemon is asked by the name of this machine only, such as localhost";
            return Err(Refusal::new(Code::Denied, why));
        }
        access.admit_client(&self.peer, token(headers).as_ref())
    }

    /// Returns the seat of this asker. A connection has one at a time, for as long as it lasts.
    pub(super) fn seat(&self, name: &str, sit: impl FnOnce(&str) -> S) -> Arc<S> {
        // Nothing panics while it is locked.
        let mut seat = self.seat.lock().unwrap_or_else(PoisonError::into_inner);
        match &*seat {
            Some((of, seat)) if of == name => Arc::clone(seat),
            _ => Arc::clone(&seat.insert((name.to_owned(), Arc::new(sit(name)))).1),
        }
    }
}

fn token(headers: &HeaderMap) -> Option<Secret> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| Secret::new(token))
}

/// Returns whether the request names this machine. A page of another site could have its own name lead here, and then read our
/// answers in the browser of whoever visits it.
fn is_of_this_machine(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST).and_then(|host| host.to_str().ok()) else { return false };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Tokens;
    use axum::http::HeaderValue;

    fn caller() -> Caller<String> {
        Caller::new(Peer { address: ([127, 0, 0, 1], 1).into(), identity: None })
    }

    fn headers(name: axum::http::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).expect("a value"))])
    }

    #[test]
    fn without_credentials_only_names_of_this_machine_are_served() {
        let admit = |host| caller().admit(&Access::loopback(), &headers(HOST, host)).is_ok();
        for host in ["localhost", "LOCALHOST:8010", "127.0.0.1:8010", "[::1]:8010", "[::1]", "127.1.2.3"] {
            assert!(admit(host), "{host}");
        }
        for host in ["", "evil.example", "localhost.evil.example:8010", "10.0.0.1", "127.0.0.1.evil.example", ":8010"] {
            assert!(!admit(host), "{host}");
        }
        assert!(caller().admit(&Access::loopback(), &HeaderMap::new()).is_err());
    }

    #[test]
    fn a_bearer_token_is_that_of_its_holder() {
        let token = "t".repeat(32);
        let access = Access::loopback().with_tokens(Tokens::parse(&format!("ada {token}")).expect("tokens"));
        let admit = |authorization: &str| {
            let mut headers = headers(HOST, "localhost");
            headers.insert(AUTHORIZATION, authorization.parse().expect("a value"));
            caller().admit(&access, &headers)
        };
        assert_eq!(admit(&format!("bearer {token}")).as_deref(), Ok("ada"));
        assert!(admit(&format!("Basic {token}")).is_err());
        assert!(admit("Bearer ").is_err());
    }

    #[test]
    fn a_connection_has_one_seat_for_each_asker_in_turn() {
        let caller = caller();
        let [one, same] = ["ada"; 2].map(|name| caller.seat(name, str::to_owned));
        assert!(Arc::ptr_eq(&one, &same));
        let other = caller.seat("bob", str::to_owned);
        assert_eq!((*other == "bob", Arc::strong_count(&one)), (true, 2));
    }
}
