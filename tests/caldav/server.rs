//! A CalDAV server with one calendar, which answers as Radicale and as Xandikos do, or as no server should.

use super::body::{Pieces, Then};
use super::replies::{RADICALE, XANDIKOS, multistatus};
use crate::world::keys;
use calcon::http::Stream;
use calcon::tls::Acceptor;
use hyper::body::{Body, Incoming};
use hyper::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

/// The user of whom there is a calendar.
pub const USER: &str = "alice@exchange.example";
/// The login that the server wants to see.
pub const USERNAME: &str = "calcon";
pub const PASSWORD: &str = "open sesame";
const LOGIN: &str = "Basic Y2FsY29uOm9wZW4gc2VzYW1l";
const PORT: u16 = 8443;
/// How soon the server accepts again after it could not.
const AGAIN: Duration = Duration::from_millis(10);

/// How the server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mood {
    // These are good servers.
    Radicale,
    Xandikos,
    /// It knows no free-busy-query.
    Events,
    /// The same, with another status.
    EventsOnly501,
    /// It sends us to another path of its own.
    Moved,
    /// It sends us to another host, which needs no login.
    MovedElsewhere,

    // And these are not.
    Silent,
    /// Half of the reply, then nothing.
    StalledBody,
    /// Half of the reply, then the end, where the head says how long it is.
    CutBody,
    /// The same, where nothing says how long it is.
    CutBodyOfNoLength,
    /// The end comes behind a calendar that is whole, and before another one.
    CutBetweenCalendars,
    /// The head only.
    CutHead,
    EndlessBody,
    EndlessHead,
    NoCalendarData,
    EmptyBody,
    EmptyCalendar,
    OtherDay,
    NotUtf8,
    Html,
    CutEvents,
    NotAllEvents,
    Entities,
    RedirectLoop,
    Downgrade,
    Error,
    Denied,
    NotHttp,
}

pub const GOOD: [Mood; 6] =
    [Mood::Radicale, Mood::Xandikos, Mood::Events, Mood::EventsOnly501, Mood::Moved, Mood::MovedElsewhere];

pub const BAD: [Mood; 22] = [
    Mood::Silent,
    Mood::StalledBody,
    Mood::CutBody,
    Mood::CutBodyOfNoLength,
    Mood::CutBetweenCalendars,
    Mood::CutHead,
    Mood::EndlessBody,
    Mood::EndlessHead,
    Mood::NoCalendarData,
    Mood::EmptyBody,
    Mood::EmptyCalendar,
    Mood::OtherDay,
    Mood::NotUtf8,
    Mood::Html,
    Mood::CutEvents,
    Mood::NotAllEvents,
    Mood::Entities,
    Mood::RedirectLoop,
    Mood::Downgrade,
    Mood::Error,
    Mood::Denied,
    Mood::NotHttp,
];

/// The moods of a server, which a test changes while it runs.
pub type Moods = Arc<Mutex<Mood>>;

/// Serves until its host dies.
pub async fn serve(moods: Moods) -> io::Result<()> {
    accept("calendars", move |stream| {
        let mood = *moods.lock().expect("nobody panics with it");
        tokio::spawn(converse(stream, mood, true));
    })
    .await
}

/// The server that another one sends to: without a login, and whoever shows one to it is too trusting.
pub async fn serve_elsewhere() -> io::Result<()> {
    accept("elsewhere", |stream| drop(tokio::spawn(converse(stream, Mood::Radicale, false)))).await
}

/// Keeps what is sent to it, without TLS.
pub async fn listen(heard: Arc<Mutex<Vec<u8>>>) -> io::Result<()> {
    let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
    loop {
        let (mut stream, _) = listener.accept().await?;
        let mut bytes = [0; 4096];
        let read = stream.read(&mut bytes).await.unwrap_or_default();
        heard.lock().expect("nobody panics with it").extend(&bytes[..read]);
    }
}

pub type Tls = tokio_rustls::server::TlsStream<TcpStream>;

/// Accepts connections with TLS.
pub async fn accept(host: &str, converse: impl Fn(Tls) + Clone + Send + 'static) -> io::Result<()> {
    let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
    let acceptor = Acceptor::new(&keys::issued(host)).map_err(io::Error::other)?;
    loop {
        // Accepting fails for a while if the system has no more descriptors.
        let Ok((stream, _)) = listener.accept().await else {
            sleep(AGAIN).await;
            continue;
        };
        let (acceptor, converse) = (acceptor.clone(), converse.clone());
        tokio::spawn(async move {
            if let Ok((stream, _)) = acceptor.accept(stream).await {
                converse(stream);
            }
        });
    }
}

async fn converse(mut stream: Tls, mood: Mood, wants_login: bool) {
    if let Some(raw) = raw(mood) {
        // The request is read, so that closing is no reset.
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await;
        let _ = stream.write_all(&raw).await;
        let _ = stream.shutdown().await;
        return;
    }
    let service =
        service_fn(move |request| async move { Ok::<_, Infallible>(reply(request, mood, wants_login).await) });
    // The peer may be gone.
    let _ = http1::Builder::new().serve_connection(Stream(stream), service).await;
}

/// What is no HTTP, or such that hyper does not send it.
fn raw(mood: Mood) -> Option<Vec<u8>> {
    let half = &RADICALE[..RADICALE.find("FREEBUSY;").expect("there is one")];
    Some(match mood {
        Mood::CutBodyOfNoLength => format!("HTTP/1.0 200 OK\r\nContent-Type: text/calendar\r\n\r\n{half}").into_bytes(),
        Mood::CutHead => b"HTTP/1.1 200 OK\r\nContent-Type: text/cal".to_vec(),
        Mood::EndlessHead => [b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'x'; 64 << 10]].concat(),
        Mood::NotHttp => b"SSH-2.0-OpenSSH_9.9\r\n".to_vec(),
        _ => return None,
    })
}

async fn reply(request: Request<Incoming>, mood: Mood, wants_login: bool) -> Response<Pieces> {
    let login = request.headers().get(AUTHORIZATION).cloned();
    let is_let_in = if wants_login { login.is_some_and(|login| login == LOGIN) } else { login.is_none() };
    let path = request.uri().path().to_owned();
    let asks_for_events = text(request).await.contains("calendar-query");
    let ok = || Response::builder().status(StatusCode::OK);
    let status = |code: u16| Response::builder().status(code);
    let half = RADICALE[..RADICALE.len() / 2].to_owned();
    let built = match mood {
        _ if !is_let_in => status(401).body(Pieces::of("who are you?")),
        _ if !path.contains(USER) => status(404).body(Pieces::of("nobody")),
        Mood::Silent => pending().await,
        Mood::Error => status(500).body(Pieces::of("oops")),
        Mood::Denied => status(403).body(Pieces::of("no")),
        Mood::Events if !asks_for_events => status(403).body(Pieces::of("<error xmlns='DAV:'><supported-report/></error>")),
        Mood::Moved if !path.ends_with("/moved/") => {
            status(308).header(LOCATION, format!("{path}moved/")).body(Pieces::of("there"))
        }
        Mood::MovedElsewhere => {
            status(301).header(LOCATION, format!("https://elsewhere:{PORT}{path}")).body(Pieces::of("there"))
        }
        Mood::Downgrade => status(302).header(LOCATION, format!("http://elsewhere{path}")).body(Pieces::of("there")),
        Mood::RedirectLoop => status(307).header(LOCATION, path).body(Pieces::of("there")),
        Mood::EventsOnly501 | Mood::NoCalendarData | Mood::CutEvents | Mood::NotAllEvents | Mood::Entities
            if !asks_for_events =>
        {
            status(501).body(Pieces::of(""))
        }
        Mood::Events | Mood::EventsOnly501 => status(207).body(Pieces::of(multistatus(""))),
        Mood::NoCalendarData => {
            status(207).body(Pieces::of(multistatus("").replace("ns1:calendar-data", "ns1:calendar-color")))
        }
        Mood::CutEvents => {
            let whole = multistatus("");
            status(207).body(Pieces::of(whole[..whole.len() / 2].to_owned()))
        }
        Mood::NotAllEvents => status(207).body(Pieces::of(multistatus(
            "<ns0:response><ns0:href>/</ns0:href><ns0:status>HTTP/1.1 507 Insufficient Storage</ns0:status></ns0:response>",
        ))),
        Mood::Entities => {
            status(207).body(Pieces::of(format!("<!DOCTYPE a [<!ENTITY a \"b\">]>{}", multistatus("&a;"))))
        }
        Mood::StalledBody => ok().body(Pieces { first: half.into(), then: Then::Stall }),
        Mood::CutBody => {
            ok().header(CONTENT_LENGTH, RADICALE.len()).body(Pieces::cut(half))
        }
        Mood::CutBetweenCalendars => {
            let lines = RADICALE.split_inclusive('\n').filter(|line| !line.starts_with("FREEBUSY;"));
            let first = lines.collect::<String>();
            ok().header(CONTENT_LENGTH, RADICALE.len()).body(Pieces::cut(first))
        }
        Mood::EndlessBody => ok().body(Pieces { first: half.into(), then: Then::More }),
        Mood::EmptyBody => ok().body(Pieces::of("")),
        Mood::EmptyCalendar => ok().body(Pieces::of("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n")),
        Mood::OtherDay => ok().body(Pieces::of(RADICALE.replace("2026030", "2026031"))),
        Mood::NotUtf8 => ok().body(Pieces { first: vec![0xff; 100].into(), then: Then::End }),
        Mood::Html => ok().body(Pieces::of("<html>Sign in</html>")),
        Mood::Xandikos => ok()
            .header(CONTENT_TYPE, "application/octet-stream")
            .header(CONNECTION, "close")
            .body(Pieces { first: XANDIKOS.into(), then: Then::End }),
        // The others do not come here.
        _ => ok().header(CONTENT_TYPE, "text/calendar; charset=utf-8; charset=utf-8").body(Pieces::of(RADICALE)),
    };
    built.expect("a valid reply")
}

async fn text(request: Request<Incoming>) -> String {
    let (mut body, mut text) = (request.into_body(), Vec::new());
    while let Some(Ok(frame)) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        text.extend(frame.into_data().unwrap_or_default());
    }
    String::from_utf8(text).expect("XML")
}
