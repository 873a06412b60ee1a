//! The calendars of one side, behind one interface: a folder of files, or another program's server.

use crate::answer::{Answer, Code, Query, Refusal, SLOTS_MAX, Source};
use crate::calendar::{Files, Zone};
use crate::error::Error;
use crate::remote::{Remote, Server};
use std::path::PathBuf;
use std::sync::Arc;

/// Where the calendars of a side are.
#[derive(Debug, Clone)]
pub enum Origin {
    /// In a folder, in a file `user@domain.ics` each.
    Folder(PathBuf),
    /// On a server.
    Server(Arc<Server>),
}

impl<P: Into<PathBuf>> From<P> for Origin {
    fn from(folder: P) -> Self {
        Origin::Folder(folder.into())
    }
}

/// The calendars of one side.
#[derive(Debug)]
pub enum Calendars {
    /// Those of a folder.
    Folder(Arc<Files>),
    /// Those of a server.
    Remote(Remote),
}

impl Calendars {
    /// Opens the calendars. Times without a time zone are in `zone`.
    ///
    /// # Errors
    /// [`Error::Calendars`] if a folder cannot be listed. A server is not asked before there is a query.
    pub fn open(origin: &Origin, zone: Zone) -> Result<Arc<Self>, Error> {
        Ok(Arc::new(match origin {
            Origin::Folder(folder) => Self::Folder(Files::open(folder, zone)?),
            Origin::Server(server) => Self::Remote(Remote::new(Arc::clone(server), zone)),
        }))
    }

    /// Reads what can be read ahead, so that problems are reported and users need not wait.
    pub async fn read_all(self: Arc<Self>) {
        match &*self {
            Self::Folder(files) => Arc::clone(files).read_all().await,
            Self::Remote(_) => {}
        }
    }

    /// Answers a validated query about a user of this side.
    ///
    /// # Errors
    /// [`Code::UnknownUser`] if the user has no calendar here, [`Code::Unreadable`] if it is unusable or not available,
    /// [`Code::TimedOut`] and [`Code::Busy`] if a server takes too long, [`Code::BadQuery`] if the answer would have too many slots.
    pub fn answer(self: &Arc<Self>, query: Query) -> impl Future<Output = Result<Answer, Refusal>> + Send + use<> {
        let calendars = Arc::clone(self);
        async move {
            match &*calendars {
                Self::Folder(files) => files.answer(query).await,
                Self::Remote(server) => {
                    let slots = server.slots(&query.user, query.window()).await?;
                    if slots.len() > SLOTS_MAX {
                        let count = slots.len();
                        let why =
                            format!("the answer has {count} slots, the limit is {SLOTS_MAX}: ask for less at once");
                        return Err(Refusal::new(Code::BadQuery, why));
                    }
                    let Query { user, from, to } = query;
                    Ok(Answer { user, from, to, slots, source: Source::Live, age_secs: 0 })
                }
            }
        }
    }

    /// Looks for changes now, where they are not seen with each query.
    pub fn sync(&self) {
        match self {
            Self::Folder(files) => files.sync(),
            Self::Remote(_) => {}
        }
    }
}

/// Returns whether an outcome means that this side has no such user.
pub(crate) fn is_unknown(outcome: &Result<Answer, Refusal>) -> bool {
    matches!(outcome, Err(refusal) if refusal.code == Code::UnknownUser)
}
