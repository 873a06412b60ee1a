//! The credentials of both sides and of their clients: made in each run, from the chance of its plan.

use calcon::access::{Access, Source, Tokens};
use calcon::credentials::Credentials;
use calcon::keys::{Authority, DAYS, Issued};
use calcon::query::Server;
use calcon::secret::Secret;
use calcon::tls::Dialler;
use chrono::Utc;
use std::sync::{Mutex, OnceLock};

/// The token of the clients.
const TOKEN: &str = "the clients of all scenarios have this one";

/// What `calcon keys` would have written.
struct Keys {
    authority: Authority,
    exchange: Issued,
    notes: Issued,
    /// What clients and the historic add-ins trust and show: parsed once, because there are many.
    trust: Credentials,
    dialler: Dialler,
}

/// A run is a process of its own: these are of its run, and last as files do when a host loses power.
fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| {
        let authority = authority();
        let (exchange, notes) = (issue(&authority, "exchange"), issue(&authority, "notes"));
        let credentials = Credentials::from_pem(&authority.certificate, &notes.certificate, &notes.key).expect("PEM");
        let dialler = Dialler::new(&credentials, "exchange").expect("credentials");
        Keys { authority, exchange, notes, trust: Credentials { own: None, ..credentials }, dialler }
    })
}

/// Makes a CA.
pub fn authority() -> Authority {
    Authority::new(Utc::now()).expect("a CA can be made")
}

/// Makes a certificate that is valid now.
pub fn issue(authority: &Authority, name: &str) -> Issued {
    authority.issue(name, Utc::now(), DAYS).expect("a certificate can be made")
}

/// Makes a certificate of the scenarios' CA.
pub fn issued(name: &str) -> Credentials {
    of(&issue(&keys().authority, name))
}

/// Makes a certificate of another CA.
pub fn foreign(name: &str) -> Credentials {
    let other = authority();
    let issued = issue(&other, name);
    Credentials::from_pem(&other.certificate, &issued.certificate, &issued.key).expect("it was made so")
}

/// Reads a certificate of the scenarios' CA.
pub fn of(issued: &Issued) -> Credentials {
    Credentials::from_pem(&keys().authority.certificate, &issued.certificate, &issued.key).expect("it was made so")
}

/// The settings of access of a side, which expects the other one.
pub fn access(side: &str) -> Source {
    let (own, peer) = match side {
        "exchange" => (&keys().exchange, "notes"),
        _ => (&keys().notes, "exchange"),
    };
    Source::new(move || Ok(secured(&of(own), peer)))
}

/// The settings of access with these credentials.
pub fn secured(credentials: &Credentials, peer: &str) -> Access {
    let tokens = Tokens::parse(&format!("clients {}", TOKEN.replace(' ', "-"))).expect("it is long enough");
    Access::secured(credentials, peer).expect("credentials").with_tokens(tokens)
}

/// Settings of access that a test changes while the daemon runs: it makes them anew at each reload.
pub fn changing(first: Access) -> (Source, &'static Mutex<Access>) {
    let current: &'static Mutex<Access> = Box::leak(Box::new(Mutex::new(first)));
    (Source::new(|| Ok(current.lock().expect("nobody panics with it").clone())), current)
}

/// A daemon for clients, which ask with their token.
pub fn server(name: &str, address: &str) -> Server {
    let server = Server::secured(address, name, &keys().trust).expect("credentials");
    server.with_token(Secret::new(&TOKEN.replace(' ', "-")))
}

/// What dials the Exchange side as the Notes side.
pub fn dialler() -> Dialler {
    keys().dialler.clone()
}

/// What dials a side as a client without a certificate.
pub fn client(name: &str) -> Dialler {
    Dialler::new(&keys().trust, name).expect("credentials")
}

/// The token of the clients, as it is sent.
pub fn token() -> String {
    TOKEN.replace(' ', "-")
}
