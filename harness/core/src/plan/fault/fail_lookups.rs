//! A host's name lookups fail.

use super::{Draw, Effect, Faults, HostEffect, Kind, Lasts, documented};
use crate::plan::{SentenceError, words::Words};
use std::fmt;

documented!("fail lookups on a", "its name lookups fail");

/// The host's name lookups fail: its resolver does not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailLookups {
    /// The host.
    pub host: String,
}

impl Faults {
    /// Allows failing name lookups on a host for a while.
    pub fn failed_lookups(self) -> Faults {
        self.and(FailLookups::NAME)
    }
}

impl Kind for FailLookups {
    const NAME: &'static str = "fail lookups";
    const LASTS: Lasts = Lasts::For;
    const WEIGHT: u32 = 1;
    const ALLOW: fn(Faults) -> Faults = Faults::failed_lookups;

    fn parse(words: &mut Words<'_>) -> Result<FailLookups, SentenceError> {
        words.exactly("fail lookups on")?;
        Ok(FailLookups { host: words.host()? })
    }

    fn draw(draw: &mut Draw<'_>) -> Option<FailLookups> {
        Some(FailLookups { host: draw.host() })
    }

    fn simpler(&self) -> Vec<FailLookups> {
        vec![]
    }

    fn effects(&self) -> Vec<Effect> {
        Effect::host(&self.host, HostEffect::FailLookups)
    }

    #[cfg(feature = "arbitrary")]
    fn any() -> proptest::strategy::BoxedStrategy<FailLookups> {
        use crate::plan::parts;
        use proptest::prelude::*;
        parts::hosts().prop_map(|host| FailLookups { host }).boxed()
    }
}

impl fmt::Display for FailLookups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fail lookups on {}", self.host)
    }
}
