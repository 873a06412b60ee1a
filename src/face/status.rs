//! The state of a side, as programs and the page see it.

use crate::link::line::LinkState;
use serde::Serialize;

/// The state of a side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Status {
    /// `exchange` or `notes`.
    pub(crate) side: &'static str,
    /// The link to the other side.
    pub(crate) link: Link,
    /// The sessions of the Notes side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sessions: Option<Sessions>,
    /// The cache of the Exchange side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cache: Option<Cache>,
}

/// The state of the link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Link {
    /// Whether the other side can be asked.
    pub(crate) up: bool,
    /// Who is there, or why nobody is.
    pub(crate) detail: String,
}

impl Link {
    /// Returns the state as texts.
    pub(crate) fn of(state: &LinkState) -> Self {
        match state {
            LinkState::Up { peer, .. } => Self { up: true, detail: peer.to_string() },
            LinkState::Dialling { epoch } => Self { up: false, detail: format!("attempt {epoch} is under way") },
            LinkState::Down { why } => Self { up: false, detail: why.clone() },
        }
    }
}

/// The numbers of sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Sessions {
    /// Opened since the start.
    pub(crate) opened: u64,
    /// Closed since the start.
    pub(crate) closed: u64,
    /// Not closed yet.
    pub(crate) live: u64,
    /// Most at once.
    pub(crate) max: usize,
}

/// The records of the cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Cache {
    /// How many there are.
    pub(crate) records: usize,
    /// The age of the oldest one, in whole seconds, if there is any.
    pub(crate) oldest_secs: Option<u64>,
    /// The age of the newest one.
    pub(crate) newest_secs: Option<u64>,
}
