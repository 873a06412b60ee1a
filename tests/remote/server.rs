//! Servers with the calendar of one user, which answer as recorded from the documentation of their vendors, or as no server should.

use super::mood::Mood;
use super::replies;
use crate::caldav::body::{Pieces, Then};
use crate::caldav::server::{PASSWORD, Tls, USERNAME, accept};
use calcon::http::Stream;
use calcon::remote::{Login, Protocol};
use calcon::secret::Secret;
use hyper::body::{Body, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

/// The login that the servers want to see.
const LOGIN: &str = "Basic Y2FsY29uOm9wZW4gc2VzYW1l";

/// The mood of a server, which a test changes while it runs.
pub type Moods = Arc<Mutex<Mood>>;

/// Returns the login that a server wants to see.
pub fn login() -> Login {
    Login::Basic { username: USERNAME.to_owned(), password: Secret::new(PASSWORD) }
}

/// Serves until its host dies.
pub async fn serve(protocol: Protocol, moods: Moods) -> io::Result<()> {
    accept("calendars", move |stream| {
        let mood = *moods.lock().expect("nobody panics with it");
        tokio::spawn(converse(stream, move |path, text| answered(protocol, mood, path, text), mood));
    })
    .await
}

async fn converse(stream: Tls, answer: impl Fn(&str, &str) -> (u16, String), mood: Mood) {
    let answer = &answer;
    let service = service_fn(move |request| async move { Ok::<_, Infallible>(reply(request, answer, mood).await) });
    // The peer may be gone.
    let _ = http1::Builder::new().serve_connection(Stream(stream), service).await;
}

async fn reply(
    request: Request<Incoming>,
    answer: impl Fn(&str, &str) -> (u16, String),
    mood: Mood,
) -> Response<Pieces> {
    let is_let_in = request.headers().get(AUTHORIZATION).is_some_and(|login| login == LOGIN);
    let path = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let (status, body) = answer(&path, &text(request).await);
    let half = body[..body.len() / 2].to_owned();
    let builder = Response::builder().status(status);
    let built = match mood {
        _ if !is_let_in => Response::builder().status(401).body(Pieces::of("who are you?")),
        Mood::Silent => pending().await,
        Mood::Error => Response::builder().status(500).body(Pieces::of(body)),
        Mood::Denied => Response::builder().status(403).body(Pieces::of(body)),
        Mood::Html => builder.body(Pieces::of("<html>Sign in</html>")),
        Mood::EmptyBody => builder.body(Pieces::of("")),
        Mood::StalledBody => builder.body(Pieces { first: half.into(), then: Then::Stall }),
        Mood::CutBody => builder.header(CONTENT_LENGTH, body.len()).body(Pieces::cut(half)),
        _ => builder.body(Pieces::of(body)),
    };
    built.expect("a valid reply")
}

/// Returns the status and the body of a reply. A request that is not as the vendor has it is a bad one.
fn answered(protocol: Protocol, mood: Mood, path: &str, text: &str) -> (u16, String) {
    let (is_expected, status, body) = match protocol {
        Protocol::Domino | Protocol::DominoIcalendar => {
            replies::domino(path, protocol == Protocol::DominoIcalendar, mood)
        }
        Protocol::Graph => replies::graph(path, text, mood),
        Protocol::Ews => replies::ews(path, text, mood),
        _ => unreachable!("CalDAV has a server of its own"),
    };
    if is_expected { (status, body) } else { (400, format!("what is {path} {text}?")) }
}

async fn text(request: Request<Incoming>) -> String {
    let (mut body, mut text) = (request.into_body(), Vec::new());
    while let Some(Ok(frame)) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        text.extend(frame.into_data().unwrap_or_default());
    }
    String::from_utf8(text).expect("a text")
}
