//! One question to a CalDAV server: the reports that it takes, and what the replies say.

use super::failure::Failure;
use super::multistatus;
use super::place::Place;
use super::{ASK_LIMIT, Report, Server, http};
use crate::calendar::{Zone, slots_of_all, slots_published};
use crate::freebusy::{Slot, Window};
use hyper::StatusCode;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

/// Maximum number of redirects that are followed.
const REDIRECTS_MAX: u32 = 3;

/// A question.
pub(super) struct Asking<'a> {
    /// Who is asked.
    pub(super) server: &'a Server,
    /// The zone of times that name none.
    pub(super) zone: &'a Zone,
    /// What is asked about.
    pub(super) window: Window,
}

impl Asking<'_> {
    /// Asks for the slots of the calendar at a place, which may take until `deadline`.
    ///
    /// # Errors
    /// If the server does not answer in time, in full and in good order.
    pub(super) async fn ask_until(&self, deadline: Instant, place: &Place) -> Result<Vec<Slot>, Failure> {
        let late = |_| Failure::Late { what: "answering", limit: ASK_LIMIT };
        timeout_at(deadline, self.ask(place)).await.map_err(late)?
    }

    /// Asks for the slots of the calendar at a place.
    ///
    /// # Errors
    /// If the server does not answer in full and in good order.
    async fn ask(&self, place: &Place) -> Result<Vec<Slot>, Failure> {
        if self.server.report == Report::FreeBusyQuery {
            let reply = self.send(place, Report::FreeBusyQuery).await?;
            if !means_unsupported(reply.status) {
                check(reply.status, StatusCode::OK)?;
                return self.published(place, reply.body).await;
            }
            tracing::debug!(%place, status = %reply.status, "no free-busy-query there");
        }
        let reply = self.send(place, Report::CalendarQuery).await?;
        check(reply.status, StatusCode::MULTI_STATUS)?;
        self.events(reply.body).await
    }

    /// Sends a report, and follows redirects. The login is for the server that is set, and for no other.
    async fn send(&self, set: &Place, report: Report) -> Result<http::Reply, Failure> {
        let mut place = set.clone();
        for _ in 0..=REDIRECTS_MAX {
            let login = self.server.login.as_ref().filter(|_| place.is_same_origin(set));
            let reply = http::report(&place, self.server.trust.as_ref(), login, report.body(self.window)).await?;
            let Some(to) = reply.location.filter(|_| is_redirect(reply.status)) else {
                return Ok(http::Reply { location: None, ..reply });
            };
            place = place.follow(&to).map_err(|why| Failure::Redirect { to, why })?;
        }
        Err(Failure::Redirect { to: place.to_string(), why: "there are too many redirects" })
    }

    /// Reads free/busy time.
    async fn published(&self, place: &Place, body: Vec<u8>) -> Result<Vec<Slot>, Failure> {
        let (zone, window, name) = (self.zone.clone(), self.window, place.path().to_owned());
        computed(move || {
            let text = str::from_utf8(&body).map_err(|_| Failure::NotText)?;
            slots_published(text, &zone, window).map_err(|(line, what)| Failure::Calendar { name, line, what })
        })
        .await
    }

    /// Reads events.
    async fn events(&self, body: Vec<u8>) -> Result<Vec<Slot>, Failure> {
        let (zone, window) = (self.zone.clone(), self.window);
        computed(move || {
            let objects = multistatus::read(str::from_utf8(&body).map_err(|_| Failure::NotText)?)?;
            let failed = |(name, line, what)| Failure::Calendar { name, line, what };
            slots_of_all(&objects, &zone, window).map_err(failed)
        })
        .await
    }
}

/// Computes what may take long on the blocking pool. Its budget limits it, even if nobody waits for it any more.
async fn computed(compute: impl FnOnce() -> Result<Vec<Slot>, Failure> + Send + 'static) -> Result<Vec<Slot>, Failure> {
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
        Status::UNSUPPORTED_MEDIA_TYPE,
        Status::UNPROCESSABLE_ENTITY,
        Status::NOT_IMPLEMENTED,
    ]
    .contains(&status)
}

fn is_redirect(status: StatusCode) -> bool {
    [301, 302, 307, 308].contains(&status.as_u16())
}

fn check(status: StatusCode, expected: StatusCode) -> Result<(), Failure> {
    match status {
        status if status == expected => Ok(()),
        StatusCode::NOT_FOUND | StatusCode::GONE => Err(Failure::NoCalendar),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Failure::Denied(status)),
        status => Err(Failure::Status(status)),
    }
}
