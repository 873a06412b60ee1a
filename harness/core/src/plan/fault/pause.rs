//! A process is stopped for a while.

use super::{Draw, Effect, Faults, HostEffect, Kind, Lasts, documented};
use crate::plan::{SentenceError, words::Words};
use std::fmt;

documented!("pause a", "its process is stopped");

/// The process is stopped as if by `SIGSTOP`; its kernel continues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// The host.
    pub host: String,
}

impl Faults {
    /// Allows pauses: a process is stopped for a while.
    pub fn pauses(self) -> Faults {
        self.and(Pause::NAME)
    }
}

impl Kind for Pause {
    const NAME: &'static str = "pause";
    const LASTS: Lasts = Lasts::For;
    const WEIGHT: u32 = 1;
    const ALLOW: fn(Faults) -> Faults = Faults::pauses;

    fn parse(words: &mut Words<'_>) -> Result<Pause, SentenceError> {
        words.exactly("pause")?;
        Ok(Pause { host: words.host()? })
    }

    fn draw(draw: &mut Draw<'_>) -> Option<Pause> {
        Some(Pause { host: draw.service()? })
    }

    fn simpler(&self) -> Vec<Pause> {
        vec![]
    }

    fn effects(&self) -> Vec<Effect> {
        Effect::host(&self.host, HostEffect::Pause)
    }

    #[cfg(feature = "arbitrary")]
    fn any() -> proptest::strategy::BoxedStrategy<Pause> {
        use crate::plan::parts;
        use proptest::prelude::*;
        parts::hosts().prop_map(|host| Pause { host }).boxed()
    }
}

impl fmt::Display for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pause {}", self.host)
    }
}
