//! Writes accept a single byte.

use super::{Draw, Effect, Faults, Kind, Lasts, RouteEffect, documented};
use crate::plan::{Direction, SentenceError, words::Words};
use std::fmt;

documented!("stretch writes on a -> b", "every write of `a` accepts a single byte");

/// Every write accepts a single byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StretchWrites {
    /// Where.
    pub on: Direction,
}

impl Faults {
    /// Allows stretched writes: they accept a single byte for a while.
    pub fn stretched_writes(self) -> Faults {
        self.and(StretchWrites::NAME)
    }
}

impl Kind for StretchWrites {
    const NAME: &'static str = "stretch writes";
    const LASTS: Lasts = Lasts::For;
    const WEIGHT: u32 = 1;
    const ALLOW: fn(Faults) -> Faults = Faults::stretched_writes;

    fn parse(words: &mut Words<'_>) -> Result<StretchWrites, SentenceError> {
        words.exactly("stretch writes on")?;
        Ok(StretchWrites { on: words.direction()? })
    }

    fn draw(draw: &mut Draw<'_>) -> Option<StretchWrites> {
        Some(StretchWrites { on: draw.direction()? })
    }

    fn simpler(&self) -> Vec<StretchWrites> {
        vec![]
    }

    fn effects(&self) -> Vec<Effect> {
        Effect::on(&self.on, RouteEffect::LimitWrites(1))
    }

    #[cfg(feature = "arbitrary")]
    fn any() -> proptest::strategy::BoxedStrategy<StretchWrites> {
        use crate::plan::parts;
        use proptest::prelude::*;
        parts::directions().prop_map(|on| StretchWrites { on }).boxed()
    }
}

impl fmt::Display for StretchWrites {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stretch writes on {}", self.on)
    }
}
