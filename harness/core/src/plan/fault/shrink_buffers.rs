//! Socket buffers are small.

use super::{Draw, Effect, Faults, Kind, Lasts, RouteEffect, documented};
use crate::{
    plan::{Direction, SentenceError, words::Words},
    simpler,
};
use std::fmt;

documented!("shrink buffers on a -> b to 16 B", "socket buffers hold 16 bytes");

/// The send and receive buffers hold at most this many bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShrinkBuffers {
    /// Where.
    pub on: Direction,
    /// Bytes, at least 1.
    pub bytes: u64,
}

impl Faults {
    /// Allows small socket buffers for a while.
    pub fn small_buffers(self) -> Faults {
        self.and(ShrinkBuffers::NAME)
    }
}

impl Kind for ShrinkBuffers {
    const NAME: &'static str = "shrink buffers";
    const LASTS: Lasts = Lasts::For;
    const WEIGHT: u32 = 1;
    const ALLOW: fn(Faults) -> Faults = Faults::small_buffers;

    fn parse(words: &mut Words<'_>) -> Result<ShrinkBuffers, SentenceError> {
        words.exactly("shrink buffers on")?;
        let on = words.direction()?;
        words.exactly("to")?;
        let bytes = words.count(u64::MAX)?;
        words.exactly("B")?;
        Ok(ShrinkBuffers { on, bytes })
    }

    fn draw(draw: &mut Draw<'_>) -> Option<ShrinkBuffers> {
        Some(ShrinkBuffers { on: draw.direction()?, bytes: 1 << draw.rng().u32(..10) })
    }

    fn simpler(&self) -> Vec<ShrinkBuffers> {
        simpler::counts(self.bytes).map(|bytes| ShrinkBuffers { bytes, ..self.clone() }).collect()
    }

    fn effects(&self) -> Vec<Effect> {
        Effect::on(&self.on, RouteEffect::LimitBuffers(self.bytes))
    }

    #[cfg(feature = "arbitrary")]
    fn any() -> proptest::strategy::BoxedStrategy<ShrinkBuffers> {
        use crate::plan::parts;
        use proptest::prelude::*;
        (parts::directions(), parts::counts()).prop_map(|(on, bytes)| ShrinkBuffers { on, bytes }).boxed()
    }
}

impl fmt::Display for ShrinkBuffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shrink buffers on {} to {} B", self.on, self.bytes)
    }
}
