//! Reads return a single byte.

use super::{Draw, Effect, Faults, Kind, Lasts, RouteEffect, documented};
use crate::plan::{Direction, SentenceError, words::Words};
use std::fmt;

documented!("stretch reads on a -> b", "every read of `b` returns a single byte");

/// Every read returns a single byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StretchReads {
    /// Where.
    pub on: Direction,
}

impl Faults {
    /// Allows stretched reads: they return a single byte for a while.
    pub fn stretched_reads(self) -> Faults {
        self.and(StretchReads::NAME)
    }
}

impl Kind for StretchReads {
    const NAME: &'static str = "stretch reads";
    const LASTS: Lasts = Lasts::For;
    const WEIGHT: u32 = 1;
    const ALLOW: fn(Faults) -> Faults = Faults::stretched_reads;

    fn parse(words: &mut Words<'_>) -> Result<StretchReads, SentenceError> {
        words.exactly("stretch reads on")?;
        Ok(StretchReads { on: words.direction()? })
    }

    fn draw(draw: &mut Draw<'_>) -> Option<StretchReads> {
        Some(StretchReads { on: draw.direction()? })
    }

    fn simpler(&self) -> Vec<StretchReads> {
        vec![]
    }

    fn effects(&self) -> Vec<Effect> {
        Effect::on(&self.on, RouteEffect::LimitReads(1))
    }

    #[cfg(feature = "arbitrary")]
    fn any() -> proptest::strategy::BoxedStrategy<StretchReads> {
        use crate::plan::parts;
        use proptest::prelude::*;
        parts::directions().prop_map(|on| StretchReads { on }).boxed()
    }
}

impl fmt::Display for StretchReads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stretch reads on {}", self.on)
    }
}
