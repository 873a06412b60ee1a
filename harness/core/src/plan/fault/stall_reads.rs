//! An application does not read.

use super::{Draw, Effect, Faults, Kind, Lasts, RouteEffect, documented};
use crate::plan::{Direction, SentenceError, words::Words};
use std::fmt;

documented!("stall reads on a -> b", "`b` does not read");

/// The application does not read: its receive buffer fills, then the writer's send buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StallReads {
    /// Where.
    pub on: Direction,
}

impl Faults {
    /// Allows stalled reads: an application does not read for a while.
    pub fn stalls(self) -> Faults {
        self.and(StallReads::NAME)
    }
}

impl Kind for StallReads {
    const NAME: &'static str = "stall reads";
    const LASTS: Lasts = Lasts::For;
    const WEIGHT: u32 = 1;
    const ALLOW: fn(Faults) -> Faults = Faults::stalls;

    fn parse(words: &mut Words<'_>) -> Result<StallReads, SentenceError> {
        words.exactly("stall reads on")?;
        Ok(StallReads { on: words.direction()? })
    }

    fn draw(draw: &mut Draw<'_>) -> Option<StallReads> {
        Some(StallReads { on: draw.direction()? })
    }

    fn simpler(&self) -> Vec<StallReads> {
        vec![]
    }

    fn effects(&self) -> Vec<Effect> {
        Effect::on(&self.on, RouteEffect::LimitReads(0))
    }

    #[cfg(feature = "arbitrary")]
    fn any() -> proptest::strategy::BoxedStrategy<StallReads> {
        use crate::plan::parts;
        use proptest::prelude::*;
        parts::directions().prop_map(|on| StallReads { on }).boxed()
    }
}

impl fmt::Display for StallReads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stall reads on {}", self.on)
    }
}
