//! The calendars of another program's server: asks it about one user at a time, within limits of time and of memory.
//!
//! Whatever the server does, nobody looks free by mistake: what it does not say in full, in time and in good order is refused.

mod ask;
pub mod caldav;
mod client;
mod copies;
pub mod domino;
pub mod ews;
mod failure;
pub mod graph;
mod login;
mod merged;
mod place;
mod protocol;
mod xml;

pub use client::{BODY_BYTES_MAX, CHUNK_LIMIT, CONNECT_LIMIT, HEAD_LIMIT};
pub use copies::KEPT_BYTES_MAX;
pub use failure::Failure;
pub use login::Login;
pub use place::BadUrl;
pub use protocol::Protocol;

pub(crate) use login::secret;

use crate::answer::{Code, Refusal};
use crate::browse_log::{self, Event};
use crate::calendar::Zone;
use crate::credentials::Credentials;
use crate::freebusy::{Slot, Window};
use crate::problem::Cause;
use ask::Asking;
use chrono::DateTime;
use copies::Copies;
use place::Template;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

/// How long a question may take in all, so that who asks learns why there is no answer before they give up.
pub const ASK_LIMIT: Duration = Duration::from_secs(8);
/// Maximum number of questions to the server at once; others wait. Limits its load, and the memory that its replies occupy.
pub const ASKING_MAX: usize = 16;

/// A server: how it is asked, where each user's calendar is, and what proves that it may be read.
#[derive(Debug)]
pub struct Server {
    protocol: Protocol,
    template: Template,
    login: Option<Login>,
    trust: Option<Credentials>,
}

impl Server {
    /// Describes a server whose users have mail addresses of these domains. `url` is what is asked; if it differs from user to user,
    /// with `{user}` in place of the mail address, or `{name}` in place of what is before its `@`.
    ///
    /// # Errors
    /// What is wrong with the URL, or that there is no domain.
    pub fn new(protocol: Protocol, url: &str, domains: Vec<String>) -> Result<Self, BadUrl> {
        let template = Template::new(url, domains, protocol.has_user_in_url())?;
        Ok(Self { protocol, template, login: None, trust: None })
    }

    /// Shows this to the server, over TLS or to this machine, and to no other server.
    pub fn with_login(self, login: Login) -> Self {
        Self { login: Some(login), ..self }
    }

    /// Trusts these CAs, and no others. Needed for `https`.
    pub fn with_trust(self, trust: Credentials) -> Self {
        Self { trust: Some(trust), ..self }
    }

    /// Returns the URL, with its placeholders.
    pub fn url(&self) -> &str {
        self.template.text()
    }

    /// Returns whether the server's certificate is verified.
    pub fn is_secured(&self) -> bool {
        self.template.is_https()
    }
}

/// Returns what prevents a server from answering, by a question about nobody: the kind of problem, and what happened.
pub async fn check(server: &Server) -> Result<(), (Cause, String)> {
    let Some((user, place)) = server.template.of_nobody() else { return Ok(()) };
    let window = Window::new(DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH + ASK_LIMIT);
    let copies = Copies::default();
    let asking = Asking { server, copies: &copies, zone: &Zone::UTC, window, user: &user, place: &place };
    match asking.ask_until(Instant::now() + ASK_LIMIT).await {
        Ok(_) => Ok(()),
        Err(failure) => match failure.cause() {
            Some(cause) => Err((cause, format!("{place}: {failure}"))),
            None => Ok(()),
        },
    }
}

/// The calendars of a server.
#[derive(Debug)]
pub struct Remote {
    server: Arc<Server>,
    zone: Zone,
    places: Semaphore,
    copies: Copies,
}

impl Remote {
    /// Creates the calendars; asks nothing yet. Times without a time zone are in `zone`.
    pub fn new(server: Arc<Server>, zone: Zone) -> Self {
        tracing::info!(url = server.url(), "calendars on a server");
        Self { server, zone, places: Semaphore::new(ASKING_MAX), copies: Copies::default() }
    }

    /// Returns the slots of a window.
    ///
    /// # Errors
    /// [`Code::UnknownUser`] if the server has no calendar of the user, or the address is of another domain; [`Code::TimedOut`] if
    /// the server takes too long; [`Code::Busy`] if it is asked too much already; [`Code::Unreadable`] for all else.
    pub async fn slots(&self, user: &str, window: Window) -> Result<Vec<Slot>, Refusal> {
        let unknown = || Refusal::new(Code::UnknownUser, format!("nobody has a calendar of {user}"));
        let Some(place) = self.server.template.of(user) else { return Err(unknown()) };
        let deadline = Instant::now() + ASK_LIMIT;
        let Ok(Ok(_place)) = timeout_at(deadline, self.places.acquire()).await else {
            let text = format!("{ASKING_MAX} questions wait for the calendar server already: ask again later");
            return Err(Refusal::new(Code::Busy, text));
        };
        let (server, copies, zone) = (&*self.server, &self.copies, &self.zone);
        let asking = Asking { server, copies, zone, window, user, place: &place };
        let failure = match asking.ask_until(deadline).await {
            Ok(slots) => return Ok(slots),
            Err(Failure::NoCalendar) => return Err(unknown()),
            Err(failure) => failure,
        };
        browse_log::report(&Event::NoAnswerOfServer { what: format!("{place}: {failure}") });
        let code = if matches!(failure, Failure::Late { .. }) { Code::TimedOut } else { Code::Unreadable };
        let text = format!("the calendar of {user} is not available: see event 5020 in the log of its side");
        Err(Refusal::new(code, text))
    }
}
