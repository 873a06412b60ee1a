//! Limited bandwidth.

use super::{Draw, Effect, Faults, Kind, Lasts, RouteEffect, documented};
use crate::{
    plan::{Direction, SentenceError, words::Words},
    simpler,
};
use std::fmt;

documented!("limit a <-> b to 1000 B/s", "bandwidth is limited to 1000 bytes per second");

/// At most this many bytes per second pass; excess packets queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// Where.
    pub on: Direction,
    /// Bytes per second, at least 1.
    pub bytes_per_s: u64,
}

impl Faults {
    /// Allows limited bandwidth for a while.
    pub fn limits(self) -> Faults {
        self.and(Limit::NAME)
    }
}

impl Kind for Limit {
    const NAME: &'static str = "limit";
    const LASTS: Lasts = Lasts::For;
    const WEIGHT: u32 = 1;
    const ALLOW: fn(Faults) -> Faults = Faults::limits;

    fn parse(words: &mut Words<'_>) -> Result<Limit, SentenceError> {
        words.exactly("limit")?;
        let on = words.direction()?;
        words.exactly("to")?;
        let bytes_per_s = words.count(u64::MAX)?;
        words.exactly("B/s")?;
        Ok(Limit { on, bytes_per_s })
    }

    fn draw(draw: &mut Draw<'_>) -> Option<Limit> {
        Some(Limit { on: draw.direction()?, bytes_per_s: 10u64.pow(draw.rng().u32(2..6)) })
    }

    fn simpler(&self) -> Vec<Limit> {
        simpler::counts(self.bytes_per_s).map(|bytes_per_s| Limit { bytes_per_s, ..self.clone() }).collect()
    }

    fn effects(&self) -> Vec<Effect> {
        Effect::on(&self.on, RouteEffect::LimitRate { bytes_per_s: self.bytes_per_s })
    }

    #[cfg(feature = "arbitrary")]
    fn any() -> proptest::strategy::BoxedStrategy<Limit> {
        use crate::plan::parts;
        use proptest::prelude::*;
        (parts::directions(), parts::counts()).prop_map(|(on, bytes_per_s)| Limit { on, bytes_per_s }).boxed()
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "limit {} to {} B/s", self.on, self.bytes_per_s)
    }
}
