//! Packets are reordered.

use super::{Draw, Effect, Faults, Kind, Lasts, RouteEffect, documented};
use crate::{
    plan::{Direction, SentenceError, words::Words},
    simpler,
};
use std::fmt;

documented!("reorder 10 % of a <-> b", "10 percent of the packets are overtaken by later ones");

/// A percentage of the packets is overtaken by later ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reorder {
    /// The percentage, from 1 to 100.
    pub percent: u8,
    /// The packets of this direction.
    pub of: Direction,
}

impl Faults {
    /// Allows reordered packets for a while.
    pub fn reorderings(self) -> Faults {
        self.and(Reorder::NAME)
    }
}

impl Kind for Reorder {
    const NAME: &'static str = "reorder";
    const LASTS: Lasts = Lasts::For;
    const WEIGHT: u32 = 1;
    const ALLOW: fn(Faults) -> Faults = Faults::reorderings;

    fn parse(words: &mut Words<'_>) -> Result<Reorder, SentenceError> {
        words.exactly("reorder")?;
        let percent = words.percent()?;
        Ok(Reorder { percent, of: words.direction()? })
    }

    fn draw(draw: &mut Draw<'_>) -> Option<Reorder> {
        Some(Reorder { of: draw.direction()?, percent: draw.percent() })
    }

    fn simpler(&self) -> Vec<Reorder> {
        simpler::percents(self.percent).map(|percent| Reorder { percent, ..self.clone() }).collect()
    }

    fn effects(&self) -> Vec<Effect> {
        Effect::on(&self.of, RouteEffect::Reorder { percent: self.percent })
    }

    #[cfg(feature = "arbitrary")]
    fn any() -> proptest::strategy::BoxedStrategy<Reorder> {
        use crate::plan::parts;
        use proptest::prelude::*;
        (1..=100u8, parts::directions()).prop_map(|(percent, of)| Reorder { percent, of }).boxed()
    }
}

impl fmt::Display for Reorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reorder {} % of {}", self.percent, self.of)
    }
}
