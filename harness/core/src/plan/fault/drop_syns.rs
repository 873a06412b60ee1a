//! SYNs are dropped.

use super::{Draw, Effect, Faults, Kind, Lasts, Packets, RouteEffect, documented};
use crate::plan::{Direction, SentenceError, words::Words};
use std::fmt;

documented!("drop SYNs on a -> b", "connects get no answer and time out");

/// SYNs are dropped: a connect retransmits them and times out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropSyns {
    /// Where.
    pub on: Direction,
}

impl Faults {
    /// Allows dropped SYNs for a while.
    pub fn dropped_syns(self) -> Faults {
        self.and(DropSyns::NAME)
    }
}

impl Kind for DropSyns {
    const NAME: &'static str = "drop SYNs";
    const LASTS: Lasts = Lasts::For;
    const WEIGHT: u32 = 1;
    const ALLOW: fn(Faults) -> Faults = Faults::dropped_syns;

    fn parse(words: &mut Words<'_>) -> Result<DropSyns, SentenceError> {
        words.exactly("drop SYNs on")?;
        Ok(DropSyns { on: words.direction()? })
    }

    fn draw(draw: &mut Draw<'_>) -> Option<DropSyns> {
        Some(DropSyns { on: draw.direction()? })
    }

    fn simpler(&self) -> Vec<DropSyns> {
        vec![]
    }

    fn effects(&self) -> Vec<Effect> {
        Effect::on(&self.on, RouteEffect::Lose { packets: Packets::Syns, percent: 100 })
    }

    #[cfg(feature = "arbitrary")]
    fn any() -> proptest::strategy::BoxedStrategy<DropSyns> {
        use crate::plan::parts;
        use proptest::prelude::*;
        parts::directions().prop_map(|on| DropSyns { on }).boxed()
    }
}

impl fmt::Display for DropSyns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "drop SYNs on {}", self.on)
    }
}
