//! Some packets are duplicated.

use super::{Draw, Effect, Faults, Kind, Lasts, RouteEffect, documented};
use crate::{
    plan::{Direction, SentenceError, words::Words},
    simpler,
};
use std::fmt;

documented!("duplicate 10 % of a <-> b", "10 percent of the packets are duplicated");

/// A percentage of the packets is duplicated. TCP discards the duplicates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// The percentage, from 1 to 100.
    pub percent: u8,
    /// The packets of this direction.
    pub of: Direction,
}

impl Faults {
    /// Allows duplicated packets for a while.
    pub fn duplicates(self) -> Faults {
        self.and(Duplicate::NAME)
    }
}

impl Kind for Duplicate {
    const NAME: &'static str = "duplicate";
    const LASTS: Lasts = Lasts::For;
    const WEIGHT: u32 = 1;
    const ALLOW: fn(Faults) -> Faults = Faults::duplicates;

    fn parse(words: &mut Words<'_>) -> Result<Duplicate, SentenceError> {
        words.exactly("duplicate")?;
        let percent = words.percent()?;
        Ok(Duplicate { percent, of: words.direction()? })
    }

    fn draw(draw: &mut Draw<'_>) -> Option<Duplicate> {
        Some(Duplicate { of: draw.direction()?, percent: draw.percent() })
    }

    fn simpler(&self) -> Vec<Duplicate> {
        simpler::percents(self.percent).map(|percent| Duplicate { percent, ..self.clone() }).collect()
    }

    fn effects(&self) -> Vec<Effect> {
        Effect::on(&self.of, RouteEffect::Duplicate { percent: self.percent })
    }

    #[cfg(feature = "arbitrary")]
    fn any() -> proptest::strategy::BoxedStrategy<Duplicate> {
        use crate::plan::parts;
        use proptest::prelude::*;
        (1..=100u8, parts::directions()).prop_map(|(percent, of)| Duplicate { percent, of }).boxed()
    }
}

impl fmt::Display for Duplicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "duplicate {} % of {}", self.percent, self.of)
    }
}
