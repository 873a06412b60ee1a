//! A rule written by the test.

use super::{Draw, Effect, Faults, Kind, Lasts, NamedRule, documented};
use crate::{
    plan::{Direction, SentenceError, words::Words},
    simpler,
};
use serde_json::Value;
use std::{borrow::Cow, fmt};

documented!(
    "rule lose_nth 3 on a -> b",
    "the rule `lose_nth` of the test, with the JSON argument `3`, decides what happens to each packet"
);

/// A rule written by the test decides what happens to each packet and each operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomRule {
    /// The name under which the test registered it: letters, digits and `_`.
    pub name: String,
    /// Its arguments; `null` is not printed.
    pub arguments: Value,
    /// Where it applies.
    pub on: Direction,
}

impl Faults {
    /// Allows the rule that the test has registered under this name.
    pub fn rule(mut self, name: &str) -> Faults {
        if !self.rules.iter().any(|known| known == name) {
            self.rules.push(name.to_owned());
        }
        self.and(CustomRule::NAME)
    }
}

impl Kind for CustomRule {
    const NAME: &'static str = "rule";
    const LASTS: Lasts = Lasts::For;
    const WEIGHT: u32 = 1;
    // Only the test knows which rules exist.
    const ALLOW: fn(Faults) -> Faults = |faults| faults;

    fn name(&self) -> Cow<'static, str> {
        format!("rule {}", self.name).into()
    }

    fn parse(words: &mut Words<'_>) -> Result<CustomRule, SentenceError> {
        words.exactly("rule")?;
        let name = words.name()?;
        let arguments = if words.peek() == "on" { Value::Null } else { words.json()? };
        words.exactly("on")?;
        Ok(CustomRule { name, arguments, on: words.direction()? })
    }

    fn draw(draw: &mut Draw<'_>) -> Option<CustomRule> {
        let (name, arguments) = draw.rule()?;
        Some(CustomRule { on: draw.direction()?, name, arguments })
    }

    fn simpler(&self) -> Vec<CustomRule> {
        simpler::values(&self.arguments).map(|arguments| CustomRule { arguments, ..self.clone() }).collect()
    }

    fn effects(&self) -> Vec<Effect> {
        Effect::rule(&self.on, &NamedRule { name: self.name.clone(), arguments: self.arguments.clone() })
    }

    #[cfg(feature = "arbitrary")]
    fn any() -> proptest::strategy::BoxedStrategy<CustomRule> {
        use crate::plan::parts;
        use proptest::prelude::*;
        (parts::names(), parts::values(), parts::directions())
            .prop_map(|(name, arguments, on)| CustomRule { name, arguments, on })
            .boxed()
    }
}

impl fmt::Display for CustomRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CustomRule { name, arguments, on } = self;
        match arguments {
            Value::Null => write!(f, "rule {name} on {on}"),
            arguments => write!(f, "rule {name} {arguments} on {on}"),
        }
    }
}
