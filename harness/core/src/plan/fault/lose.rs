//! Packet loss.

use super::{Draw, Effect, Faults, Kind, Lasts, Packets, RouteEffect, documented};
use crate::{
    plan::{Direction, SentenceError, words::Words},
    simpler,
};
use std::fmt;

documented!("lose 10 % of a <-> b", "10 percent of the packets are lost");

/// A percentage of the packets is lost. A TCP connection loses no data: it retransmits, which takes time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lose {
    /// The percentage, from 1 to 100.
    pub percent: u8,
    /// The packets of this direction.
    pub of: Direction,
}

impl Faults {
    /// Allows packet loss for a while. A TCP connection retransmits, which takes time.
    pub fn losses(self) -> Faults {
        self.and(Lose::NAME)
    }
}

impl Kind for Lose {
    const NAME: &'static str = "lose";
    const LASTS: Lasts = Lasts::For;
    const WEIGHT: u32 = 1;
    const ALLOW: fn(Faults) -> Faults = Faults::losses;

    fn parse(words: &mut Words<'_>) -> Result<Lose, SentenceError> {
        words.exactly("lose")?;
        let percent = words.percent()?;
        Ok(Lose { percent, of: words.direction()? })
    }

    fn draw(draw: &mut Draw<'_>) -> Option<Lose> {
        Some(Lose { of: draw.direction()?, percent: draw.percent() })
    }

    fn simpler(&self) -> Vec<Lose> {
        simpler::percents(self.percent).map(|percent| Lose { percent, ..self.clone() }).collect()
    }

    fn effects(&self) -> Vec<Effect> {
        Effect::on(&self.of, RouteEffect::Lose { packets: Packets::All, percent: self.percent })
    }

    #[cfg(feature = "arbitrary")]
    fn any() -> proptest::strategy::BoxedStrategy<Lose> {
        use crate::plan::parts;
        use proptest::prelude::*;
        (1..=100u8, parts::directions()).prop_map(|(percent, of)| Lose { percent, of }).boxed()
    }
}

impl fmt::Display for Lose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lose {} % of {}", self.percent, self.of)
    }
}
