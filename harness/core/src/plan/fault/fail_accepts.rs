//! A process runs out of file descriptors for connections to accept.

use super::{Draw, Effect, Faults, HostEffect, Kind, Lasts, documented};
use crate::plan::{SentenceError, words::Words};
use std::fmt;

documented!("fail accepts on a", "accepting fails for lack of file descriptors: `EMFILE`");

/// The host's process cannot accept for lack of file descriptors: `EMFILE`. New connections wait in the backlog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailAccepts {
    /// The host.
    pub host: String,
}

impl Faults {
    /// Allows failing accepts: a host is out of file descriptors for a while.
    pub fn failed_accepts(self) -> Faults {
        self.and(FailAccepts::NAME)
    }
}

impl Kind for FailAccepts {
    const NAME: &'static str = "fail accepts";
    const LASTS: Lasts = Lasts::For;
    const WEIGHT: u32 = 1;
    const ALLOW: fn(Faults) -> Faults = Faults::failed_accepts;

    fn parse(words: &mut Words<'_>) -> Result<FailAccepts, SentenceError> {
        words.exactly("fail accepts on")?;
        Ok(FailAccepts { host: words.host()? })
    }

    fn draw(draw: &mut Draw<'_>) -> Option<FailAccepts> {
        Some(FailAccepts { host: draw.service()? })
    }

    fn simpler(&self) -> Vec<FailAccepts> {
        vec![]
    }

    fn effects(&self) -> Vec<Effect> {
        Effect::host(&self.host, HostEffect::FailAccepts)
    }

    #[cfg(feature = "arbitrary")]
    fn any() -> proptest::strategy::BoxedStrategy<FailAccepts> {
        use crate::plan::parts;
        use proptest::prelude::*;
        parts::hosts().prop_map(|host| FailAccepts { host }).boxed()
    }
}

impl fmt::Display for FailAccepts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fail accepts on {}", self.host)
    }
}
