//! One question to a server: the requests that its protocol needs, redirects, and what the replies say.

use super::caldav::multistatus::{self, Multistatus};
use super::caldav::report::{calendar_query, free_busy_query};
use super::client::{self, Reply, Request};
use super::copies::Copies;
use super::failure::Failure;
use super::place::Place;
use super::{ASK_LIMIT, Protocol, Server, domino, ews, graph, merged};
use crate::calendar::{Zone, slots_of_all, slots_published};
use crate::freebusy::{Interval, Slot, Window};
use hyper::StatusCode;
use std::sync::Arc;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

/// Maximum number of redirects that are followed.
const REDIRECTS_MAX: u32 = 3;
/// Maximum number of replies in which a copy, or its changes, may come.
const PIECES_MAX: u32 = 8;

/// Reads the reply about a user and a part of the window.
type ReadPart = fn(&[u8], &str, Window) -> Result<Vec<Interval>, Failure>;

/// A question.
pub(super) struct Asking<'a> {
    /// Who is asked.
    pub(super) server: &'a Server,
    /// What is known of its calendars.
    pub(super) copies: &'a Copies,
    /// The zone of times that name none.
    pub(super) zone: &'a Zone,
    /// What is asked about.
    pub(super) window: Window,
    /// Who is asked about.
    pub(super) user: &'a str,
    /// Where.
    pub(super) place: &'a Place,
}

impl Asking<'_> {
    /// Asks for the slots of the user, which may take until `deadline`.
    ///
    /// # Errors
    /// If the server does not answer in time, in full and in good order.
    pub(super) async fn ask_until(&self, deadline: Instant) -> Result<Vec<Slot>, Failure> {
        let late = |_| Failure::Late { what: "answering", limit: ASK_LIMIT };
        timeout_at(deadline, self.ask()).await.map_err(late)?
    }

    async fn ask(&self) -> Result<Vec<Slot>, Failure> {
        match self.server.protocol {
            Protocol::FreeBusyQuery => self.free_busy_query().await,
            Protocol::CalendarQuery => self.calendar_query().await,
            Protocol::SyncCollection => self.sync_collection().await,
            Protocol::Domino => self.domino(false).await,
            Protocol::DominoIcalendar => self.domino(true).await,
            Protocol::Graph => self.parts(graph::DAYS_MAX, graph::request, graph::read).await,
            Protocol::Ews => self.parts(ews::DAYS_MAX, ews::request, ews_reply).await,
        }
    }

    async fn free_busy_query(&self) -> Result<Vec<Slot>, Failure> {
        let reply = self.send(self.place, &free_busy_query(self.window)).await?;
        if means_unsupported(reply.status) {
            tracing::debug!(place = %self.place, status = %reply.status, "no free-busy-query there");
            return self.calendar_query().await;
        }
        check(found(reply.status)?, StatusCode::OK)?;
        self.published(reply.body).await
    }

    async fn calendar_query(&self) -> Result<Vec<Slot>, Failure> {
        let reply = self.send(self.place, &calendar_query(self.window)).await?;
        check(found(reply.status)?, StatusCode::MULTI_STATUS)?;
        let (zone, window) = (self.zone.clone(), self.window);
        computed(move || {
            let Multistatus { objects, is_partial, .. } = multistatus::read(text(&reply.body)?)?;
            if is_partial {
                return Err(Failure::reply("the server says that it is not complete: ask for less at once"));
            }
            slots_of(objects.iter().map(|(name, text)| (name.as_str(), text.as_str())), &zone, window)
        })
        .await
    }

    /// Asks for what has changed since the last time. What has come in part is not used.
    async fn sync_collection(&self) -> Result<Vec<Slot>, Failure> {
        let key = self.place.to_string();
        let mut copy = self.copies.get(&key).unwrap_or_default();
        let mut is_new = copy.is_empty();
        for _ in 0..PIECES_MAX {
            let reply = self.send(self.place, &copy.request()).await?;
            if means_unsupported(reply.status) {
                if is_new {
                    tracing::debug!(place = %self.place, status = %reply.status, "no sync-collection there");
                    return self.calendar_query().await;
                }
                // The server has forgotten the token (RFC 6578, 3.2): everything is asked for again.
                self.copies.forget(&key);
                (copy, is_new) = (Arc::default(), true);
                continue;
            }
            check(found(reply.status)?, StatusCode::MULTI_STATUS)?;
            let before = Arc::unwrap_or_clone(copy);
            let (changed, is_partial) = computed(move || {
                let reply = multistatus::read(text(&reply.body)?)?;
                let is_partial = reply.is_partial;
                Ok((before.changed(reply)?, is_partial))
            })
            .await?;
            (copy, is_new) = (Arc::new(changed), false);
            if !is_partial {
                self.copies.keep(&key, Arc::clone(&copy));
                let (zone, window) = (self.zone.clone(), self.window);
                return computed(move || slots_of(copy.objects(), &zone, window)).await;
            }
        }
        Err(Failure::Pieces(PIECES_MAX))
    }

    async fn domino(&self, is_icalendar: bool) -> Result<Vec<Slot>, Failure> {
        let place = self.place.with(&domino::parameters(self.window, is_icalendar));
        let place = place.map_err(|why| Failure::reply(format!("no URL can be made: {why}")))?;
        let reply = self.send(&place, &domino::request()).await?;
        if reply.status == StatusCode::BAD_REQUEST {
            return Err(domino::refusal(&reply.body));
        }
        check(reply.status, StatusCode::OK)?;
        if is_icalendar {
            return self.published(reply.body).await;
        }
        let (zone, window) = (self.zone.clone(), self.window);
        computed(move || domino::read(&reply.body, &zone, window)).await
    }

    /// Asks about each part of the window, none of which is longer than the server accepts.
    async fn parts(
        &self,
        days_max: i64,
        request: impl Fn(&str, Window) -> Request,
        read: ReadPart,
    ) -> Result<Vec<Slot>, Failure> {
        let mut taken = Vec::new();
        for part in merged::parts(self.window, days_max) {
            let reply = self.send(self.place, &request(self.user, part)).await?;
            check(reply.status, StatusCode::OK)?;
            let user = self.user.to_owned();
            taken.extend(computed(move || read(&reply.body, &user, part)).await?);
        }
        Ok(merged::slots_in(self.window, &taken))
    }

    /// Sends a request, and follows redirects. The login is for the server that is set, and for no other.
    async fn send(&self, to: &Place, request: &Request) -> Result<Reply, Failure> {
        let mut place = to.clone();
        for _ in 0..=REDIRECTS_MAX {
            let login = match &self.server.login {
                Some(login) if place.is_same_origin(self.place) => Some(login.header().await?),
                _ => None,
            };
            let reply = client::send(&place, self.server.trust.as_ref(), login, request.clone()).await?;
            let Some(to) = reply.location.filter(|_| is_redirect(reply.status)) else {
                return Ok(Reply { location: None, ..reply });
            };
            place = place.follow(&to).map_err(|why| Failure::Redirect { to, why })?;
        }
        Err(Failure::Redirect { to: place.to_string(), why: "there are too many redirects" })
    }

    /// Reads free/busy time.
    async fn published(&self, body: Vec<u8>) -> Result<Vec<Slot>, Failure> {
        let (zone, window, name) = (self.zone.clone(), self.window, self.place.path().to_owned());
        computed(move || {
            slots_published(text(&body)?, &zone, window).map_err(|(line, what)| Failure::Calendar { name, line, what })
        })
        .await
    }
}

fn ews_reply(body: &[u8], _: &str, part: Window) -> Result<Vec<Interval>, Failure> {
    ews::read(text(body)?, part)
}

fn text(body: &[u8]) -> Result<&str, Failure> {
    str::from_utf8(body).map_err(|_| Failure::NotText)
}

/// Reads events.
fn slots_of<'a>(
    objects: impl Iterator<Item = (&'a str, &'a str)>,
    zone: &Zone,
    window: Window,
) -> Result<Vec<Slot>, Failure> {
    slots_of_all(objects, zone, window).map_err(|(name, line, what)| Failure::Calendar { name, line, what })
}

/// Computes what may take long on the blocking pool. Its budget limits it, even if nobody waits for it any more.
async fn computed<T: Send + 'static>(
    compute: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    spawn_blocking(compute).await.unwrap_or_else(|error| Err(Failure::Bug(error.to_string())))
}

/// Servers that do not know a report say so in different ways. If it means something else, the next report is answered alike.
fn means_unsupported(status: StatusCode) -> bool {
    use StatusCode as Status;
    [
        Status::BAD_REQUEST,
        Status::FORBIDDEN,
        Status::METHOD_NOT_ALLOWED,
        Status::CONFLICT,
        Status::PRECONDITION_FAILED,
        Status::UNSUPPORTED_MEDIA_TYPE,
        Status::UNPROCESSABLE_ENTITY,
        Status::NOT_IMPLEMENTED,
    ]
    .contains(&status)
}

fn is_redirect(status: StatusCode) -> bool {
    [301, 302, 307, 308].contains(&status.as_u16())
}

/// Returns the status, unless there is no calendar at a user's own URL.
fn found(status: StatusCode) -> Result<StatusCode, Failure> {
    match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => Err(Failure::NoCalendar),
        status => Ok(status),
    }
}

fn check(status: StatusCode, expected: StatusCode) -> Result<(), Failure> {
    match status {
        status if status == expected => Ok(()),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Failure::Denied(status)),
        status => Err(Failure::Status(status)),
    }
}
