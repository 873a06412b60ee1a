//! The route from one host to another is cut.

use super::{Draw, Effect, Faults, Kind, Lasts, RouteEffect, documented};
use crate::plan::{Direction, Route, SentenceError, words::Words};
use std::fmt;

documented!("cut a -> b", "no packet passes from `a` to `b`");

/// No packet passes from one host to another; the other direction works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneWayCut {
    /// The route.
    pub on: Route,
}

impl Faults {
    /// Allows one-way cuts for a while.
    pub fn one_way_cuts(self) -> Faults {
        self.and(OneWayCut::NAME)
    }
}

impl Kind for OneWayCut {
    const NAME: &'static str = "one-way cut";
    const LASTS: Lasts = Lasts::For;
    const WEIGHT: u32 = 2;
    const ALLOW: fn(Faults) -> Faults = Faults::one_way_cuts;

    fn parse(words: &mut Words<'_>) -> Result<OneWayCut, SentenceError> {
        words.exactly("cut")?;
        Ok(OneWayCut { on: words.route()? })
    }

    fn draw(draw: &mut Draw<'_>) -> Option<OneWayCut> {
        Some(OneWayCut { on: draw.route()? })
    }

    fn simpler(&self) -> Vec<OneWayCut> {
        vec![]
    }

    fn effects(&self) -> Vec<Effect> {
        Effect::on(&Direction::One(self.on.clone()), RouteEffect::Block)
    }

    #[cfg(feature = "arbitrary")]
    fn any() -> proptest::strategy::BoxedStrategy<OneWayCut> {
        use crate::plan::parts;
        use proptest::prelude::*;
        parts::routes().prop_map(|on| OneWayCut { on }).boxed()
    }
}

impl fmt::Display for OneWayCut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cut {}", self.on)
    }
}
