//! SYNs are answered with a reset.

use super::{Draw, Effect, Faults, Kind, Lasts, RouteEffect, documented};
use crate::plan::{Direction, SentenceError, words::Words};
use std::fmt;

documented!("refuse SYNs on a -> b", "connects are refused");

/// SYNs are answered with a reset: connects are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefuseSyns {
    /// Where.
    pub on: Direction,
}

impl Faults {
    /// Allows refused connects for a while.
    pub fn refusals(self) -> Faults {
        self.and(RefuseSyns::NAME)
    }
}

impl Kind for RefuseSyns {
    const NAME: &'static str = "refuse SYNs";
    const LASTS: Lasts = Lasts::For;
    const WEIGHT: u32 = 1;
    const ALLOW: fn(Faults) -> Faults = Faults::refusals;

    fn parse(words: &mut Words<'_>) -> Result<RefuseSyns, SentenceError> {
        words.exactly("refuse SYNs on")?;
        Ok(RefuseSyns { on: words.direction()? })
    }

    fn draw(draw: &mut Draw<'_>) -> Option<RefuseSyns> {
        Some(RefuseSyns { on: draw.direction()? })
    }

    fn simpler(&self) -> Vec<RefuseSyns> {
        vec![]
    }

    fn effects(&self) -> Vec<Effect> {
        Effect::on(&self.on, RouteEffect::RefuseSyns)
    }

    #[cfg(feature = "arbitrary")]
    fn any() -> proptest::strategy::BoxedStrategy<RefuseSyns> {
        use crate::plan::parts;
        use proptest::prelude::*;
        parts::directions().prop_map(|on| RefuseSyns { on }).boxed()
    }
}

impl fmt::Display for RefuseSyns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refuse SYNs on {}", self.on)
    }
}
