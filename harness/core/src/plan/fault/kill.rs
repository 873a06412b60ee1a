//! A process is killed.

use super::{Draw, Effect, Faults, HostEffect, Kind, Lasts, documented};
use crate::plan::{SentenceError, words::Words};
use std::fmt;

documented!("kill a", "its process dies, its kernel closes the sockets");

/// The process dies as if by `SIGKILL`; its kernel closes its sockets. When the fault ends it is restarted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kill {
    /// The host.
    pub host: String,
}

impl Faults {
    /// Allows kills: a process is killed, and restarted after a while.
    pub fn kills(self) -> Faults {
        self.and(Kill::NAME)
    }
}

impl Kind for Kill {
    const NAME: &'static str = "kill";
    const LASTS: Lasts = Lasts::And("restart it after");
    const WEIGHT: u32 = 2;
    const ALLOW: fn(Faults) -> Faults = Faults::kills;

    fn parse(words: &mut Words<'_>) -> Result<Kill, SentenceError> {
        words.exactly("kill")?;
        Ok(Kill { host: words.host()? })
    }

    fn draw(draw: &mut Draw<'_>) -> Option<Kill> {
        Some(Kill { host: draw.service()? })
    }

    fn simpler(&self) -> Vec<Kill> {
        vec![]
    }

    fn effects(&self) -> Vec<Effect> {
        Effect::host(&self.host, HostEffect::Kill)
    }

    #[cfg(feature = "arbitrary")]
    fn any() -> proptest::strategy::BoxedStrategy<Kill> {
        use crate::plan::parts;
        use proptest::prelude::*;
        parts::hosts().prop_map(|host| Kill { host }).boxed()
    }
}

impl fmt::Display for Kill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kill {}", self.host)
    }
}
