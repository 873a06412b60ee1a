//! Added latency for every packet.

use super::{Draw, Effect, Faults, Kind, Lasts, RouteEffect, documented};
use crate::{
    plan::{Direction, DisplayDuration, SentenceError, words::Words},
    simpler,
};
use std::{fmt, time::Duration};

documented!("slow a <-> b by 300 ms", "every packet is delayed");

/// Every packet is delayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slow {
    /// Where.
    pub on: Direction,
    /// The added latency.
    pub by: Duration,
}

impl Faults {
    /// Allows added latency for a while.
    pub fn slowdowns(self) -> Faults {
        self.and(Slow::NAME)
    }
}

impl Kind for Slow {
    const NAME: &'static str = "slow";
    const LASTS: Lasts = Lasts::For;
    const WEIGHT: u32 = 1;
    const ALLOW: fn(Faults) -> Faults = Faults::slowdowns;

    fn parse(words: &mut Words<'_>) -> Result<Slow, SentenceError> {
        words.exactly("slow")?;
        let on = words.direction()?;
        words.exactly("by")?;
        Ok(Slow { on, by: words.duration()? })
    }

    fn draw(draw: &mut Draw<'_>) -> Option<Slow> {
        Some(Slow { on: draw.direction()?, by: draw.delay() })
    }

    fn simpler(&self) -> Vec<Slow> {
        simpler::durations(self.by).map(|by| Slow { by, ..self.clone() }).collect()
    }

    fn effects(&self) -> Vec<Effect> {
        Effect::on(&self.on, RouteEffect::Delay { percent: 100, by: self.by })
    }

    #[cfg(feature = "arbitrary")]
    fn any() -> proptest::strategy::BoxedStrategy<Slow> {
        use crate::plan::parts;
        use proptest::prelude::*;
        (parts::directions(), parts::durations()).prop_map(|(on, by)| Slow { on, by }).boxed()
    }
}

impl fmt::Display for Slow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "slow {} by {}", self.on, DisplayDuration(self.by))
    }
}
