//! Acknowledgements are lost: data arrives, and its sender does not learn of it.

use super::{Draw, Effect, Faults, Kind, Lasts, Packets, RouteEffect, documented};
use crate::{
    plan::{Direction, SentenceError, words::Words},
    simpler,
};
use std::fmt;

documented!("lose 10 % of acknowledgements on a -> b", "data from `b` arrives, but the acknowledgements are lost");

/// A percentage of the acknowledgements is lost. The peer has the data, yet it is retransmitted; if all
/// acknowledgements are lost, the sender times out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoseAcknowledgements {
    /// The percentage of the acknowledgements, from 1 to 100.
    pub percent: u8,
    /// The direction of the acknowledgements.
    pub on: Direction,
}

impl Faults {
    /// Allows lost acknowledgements for a while: a connection may time out although its data has arrived.
    pub fn lost_acknowledgements(self) -> Faults {
        self.and(LoseAcknowledgements::NAME)
    }
}

impl Kind for LoseAcknowledgements {
    const NAME: &'static str = "lose acknowledgements";
    const LASTS: Lasts = Lasts::For;
    const WEIGHT: u32 = 1;
    const ALLOW: fn(Faults) -> Faults = Faults::lost_acknowledgements;

    fn parse(words: &mut Words<'_>) -> Result<LoseAcknowledgements, SentenceError> {
        words.exactly("lose")?;
        let percent = words.percent()?;
        words.exactly("acknowledgements on")?;
        Ok(LoseAcknowledgements { percent, on: words.direction()? })
    }

    // Losing only some has no effect: later acknowledgements cover for them.
    fn draw(draw: &mut Draw<'_>) -> Option<LoseAcknowledgements> {
        Some(LoseAcknowledgements { on: draw.direction()?, percent: 100 })
    }

    fn simpler(&self) -> Vec<LoseAcknowledgements> {
        simpler::percents(self.percent).map(|percent| LoseAcknowledgements { percent, ..self.clone() }).collect()
    }

    fn effects(&self) -> Vec<Effect> {
        Effect::on(&self.on, RouteEffect::Lose { packets: Packets::Acknowledgements, percent: self.percent })
    }

    #[cfg(feature = "arbitrary")]
    fn any() -> proptest::strategy::BoxedStrategy<LoseAcknowledgements> {
        use crate::plan::parts;
        use proptest::prelude::*;
        (1..=100u8, parts::directions()).prop_map(|(percent, on)| LoseAcknowledgements { percent, on }).boxed()
    }
}

impl fmt::Display for LoseAcknowledgements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lose {} % of acknowledgements on {}", self.percent, self.on)
    }
}
