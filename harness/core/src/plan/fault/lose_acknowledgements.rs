//! Loses some acknowledgements: what was sent has arrived, and its sender does not know.

use super::{Draw, Effect, Faults, Kind, Lasts, Packets, RouteEffect, documented};
use crate::{
    plan::{Direction, SentenceError, words::Words},
    simpler,
};
use std::fmt;

documented!("lose 10 % of acknowledgements on a -> b", "`b` does not learn that what it sent has arrived");

/// Some percent of the acknowledgements are lost. Their peer has the bytes, and yet they are sent again; when all are lost,
/// the sender times out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoseAcknowledgements {
    /// How many percent of the acknowledgements, from 1 to 100.
    pub percent: u8,
    /// The way that the acknowledgements take.
    pub on: Direction,
}

impl Faults {
    /// Some acknowledgements are lost for a while: a connection times out though its bytes have arrived.
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

    // A few that are lost are made up for by the next ones.
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
