//! Latency spikes: some packets are delayed.

use super::{Draw, Effect, Faults, Kind, Lasts, RouteEffect, documented};
use crate::{
    plan::{Direction, DisplayDuration, SentenceError, words::Words},
    simpler,
};
use std::{fmt, time::Duration};

documented!("delay 10 % of a <-> b by 300 ms", "10 percent of the packets are delayed");

/// A percentage of the packets is delayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delay {
    /// The percentage, from 1 to 100.
    pub percent: u8,
    /// The packets of this direction.
    pub of: Direction,
    /// The added latency.
    pub by: Duration,
}

impl Faults {
    /// Allows latency spikes: some packets are delayed for a while.
    pub fn delays(self) -> Faults {
        self.and(Delay::NAME)
    }
}

impl Kind for Delay {
    const NAME: &'static str = "delay";
    const LASTS: Lasts = Lasts::For;
    const WEIGHT: u32 = 1;
    const ALLOW: fn(Faults) -> Faults = Faults::delays;

    fn parse(words: &mut Words<'_>) -> Result<Delay, SentenceError> {
        words.exactly("delay")?;
        let percent = words.percent()?;
        let of = words.direction()?;
        words.exactly("by")?;
        Ok(Delay { percent, of, by: words.duration()? })
    }

    fn draw(draw: &mut Draw<'_>) -> Option<Delay> {
        Some(Delay { of: draw.direction()?, percent: draw.percent(), by: draw.delay() })
    }

    fn simpler(&self) -> Vec<Delay> {
        let shorter = simpler::durations(self.by).map(|by| Delay { by, ..self.clone() });
        let fewer = simpler::percents(self.percent).map(|percent| Delay { percent, ..self.clone() });
        shorter.chain(fewer).collect()
    }

    fn effects(&self) -> Vec<Effect> {
        Effect::on(&self.of, RouteEffect::Delay { percent: self.percent, by: self.by })
    }

    #[cfg(feature = "arbitrary")]
    fn any() -> proptest::strategy::BoxedStrategy<Delay> {
        use crate::plan::parts;
        use proptest::prelude::*;
        (1..=100u8, parts::directions(), parts::durations())
            .prop_map(|(percent, of, by)| Delay { percent, of, by })
            .boxed()
    }
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "delay {} % of {} by {}", self.percent, self.of, DisplayDuration(self.by))
    }
}
