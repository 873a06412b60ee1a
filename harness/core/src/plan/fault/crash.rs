//! A host loses power.

use super::{Draw, Effect, Faults, HostEffect, Kind, Lasts, documented};
use crate::plan::{SentenceError, words::Words};
use std::fmt;

documented!("crash a", "it loses power and all connection state");

/// A host loses power: it sends nothing and forgets its connections. When the fault ends it boots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crash {
    /// The host.
    pub host: String,
}

impl Faults {
    /// Allows crashes: a host loses power, and boots after a while.
    pub fn crashes(self) -> Faults {
        self.and(Crash::NAME)
    }
}

impl Kind for Crash {
    const NAME: &'static str = "crash";
    const LASTS: Lasts = Lasts::And("reboot it after");
    const WEIGHT: u32 = 2;
    const ALLOW: fn(Faults) -> Faults = Faults::crashes;

    fn parse(words: &mut Words<'_>) -> Result<Crash, SentenceError> {
        words.exactly("crash")?;
        Ok(Crash { host: words.host()? })
    }

    fn draw(draw: &mut Draw<'_>) -> Option<Crash> {
        Some(Crash { host: draw.service()? })
    }

    fn simpler(&self) -> Vec<Crash> {
        vec![]
    }

    fn effects(&self) -> Vec<Effect> {
        Effect::host(&self.host, HostEffect::Crash)
    }

    #[cfg(feature = "arbitrary")]
    fn any() -> proptest::strategy::BoxedStrategy<Crash> {
        use crate::plan::parts;
        use proptest::prelude::*;
        parts::hosts().prop_map(|host| Crash { host }).boxed()
    }
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "crash {}", self.host)
    }
}
