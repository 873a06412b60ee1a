//! The ways to ask a server for free/busy time.

use serde::Deserialize;

/// How a server is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// CalDAV: free/busy time; events from a server that does not support that. The server interprets the events, and shows none.
    #[default]
    FreeBusyQuery,
    /// CalDAV: events, which this side interprets: servers do not know every time zone, and no server tells who is out of office.
    CalendarQuery,
    /// CalDAV: the same, of which a copy is kept, so that the server is asked only for what has changed
    SyncCollection,
    /// Domino's busytime, as JSON
    Domino,
    /// Domino's busytime, as iCalendar
    DominoIcalendar,
    /// getSchedule of Microsoft Graph
    Graph,
    /// GetUserAvailability of Exchange Web Services
    Ews,
}

impl Protocol {
    /// Returns whether each user has a URL: otherwise the user is in the request's body.
    pub(super) fn has_user_in_url(self) -> bool {
        !matches!(self, Protocol::Graph | Protocol::Ews)
    }
}
