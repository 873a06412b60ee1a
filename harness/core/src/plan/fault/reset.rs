//! Every connection between two hosts is reset.

use super::{Draw, Effect, Faults, Kind, Lasts, documented};
use crate::plan::{Link, SentenceError, words::Words};
use std::fmt;

documented!("reset a <-> b", "every connection is reset, once");

/// Every established connection between two hosts is reset, as by a firewall that has lost its state. Instantaneous.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reset {
    /// The link.
    pub on: Link,
}

impl Faults {
    /// Allows resets of connections.
    pub fn resets(self) -> Faults {
        self.and(Reset::NAME)
    }
}

impl Kind for Reset {
    const NAME: &'static str = "reset";
    const LASTS: Lasts = Lasts::Not;
    const WEIGHT: u32 = 2;
    const ALLOW: fn(Faults) -> Faults = Faults::resets;

    fn parse(words: &mut Words<'_>) -> Result<Reset, SentenceError> {
        words.exactly("reset")?;
        Ok(Reset { on: words.link()? })
    }

    fn draw(draw: &mut Draw<'_>) -> Option<Reset> {
        Some(Reset { on: draw.link()? })
    }

    fn simpler(&self) -> Vec<Reset> {
        vec![]
    }

    fn effects(&self) -> Vec<Effect> {
        vec![Effect::Reset(self.on.0.clone(), self.on.1.clone())]
    }

    #[cfg(feature = "arbitrary")]
    fn any() -> proptest::strategy::BoxedStrategy<Reset> {
        use crate::plan::parts;
        use proptest::prelude::*;
        parts::links().prop_map(|on| Reset { on }).boxed()
    }
}

impl fmt::Display for Reset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reset {}", self.on)
    }
}
