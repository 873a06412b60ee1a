//! The link between two hosts is cut.

use super::{Draw, Effect, Faults, Kind, Lasts, RouteEffect, documented};
use crate::plan::{Direction, Link, SentenceError, words::Words};
use std::fmt;

documented!("cut a <-> b", "no packet passes in either direction");

/// No packet passes between two hosts, in either direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The link.
    pub on: Link,
}

impl Faults {
    /// Allows cuts: no packet passes a link for a while.
    pub fn cuts(self) -> Faults {
        self.and(Cut::NAME)
    }
}

impl Kind for Cut {
    const NAME: &'static str = "cut";
    const LASTS: Lasts = Lasts::For;
    const WEIGHT: u32 = 2;
    const ALLOW: fn(Faults) -> Faults = Faults::cuts;

    fn parse(words: &mut Words<'_>) -> Result<Cut, SentenceError> {
        words.exactly("cut")?;
        Ok(Cut { on: words.link()? })
    }

    fn draw(draw: &mut Draw<'_>) -> Option<Cut> {
        Some(Cut { on: draw.link()? })
    }

    fn simpler(&self) -> Vec<Cut> {
        vec![]
    }

    fn effects(&self) -> Vec<Effect> {
        Effect::on(&Direction::Both(self.on.clone()), RouteEffect::Block)
    }

    #[cfg(feature = "arbitrary")]
    fn any() -> proptest::strategy::BoxedStrategy<Cut> {
        use crate::plan::parts;
        use proptest::prelude::*;
        parts::links().prop_map(|on| Cut { on }).boxed()
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cut {}", self.on)
    }
}
