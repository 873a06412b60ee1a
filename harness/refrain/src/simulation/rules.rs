//! The rules that a test registers: their names, arguments and constructors.

use super::workload::runner;
use proptest::strategy::{BoxedStrategy, Strategy, ValueTree};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::collections::BTreeMap;
use tokio::control::Rule;

/// The random stream of the rules' arguments, independent of the schedule.
const RULE_STREAM: u64 = 0x7275_6c65_735f_5f5f;

/// The rules of a test, by name.
#[derive(Default)]
pub(crate) struct Rules {
    known: BTreeMap<String, Entry>,
}

struct Entry {
    arguments: BoxedStrategy<Value>,
    make: Box<Make>,
}

/// Constructs a rule from its arguments.
type Make = dyn Fn(Value) -> Result<Box<dyn Rule>, serde_json::Error>;

impl Rules {
    /// Adds a rule. Returns `false` if the name is taken.
    pub fn add<S, R>(&mut self, name: &str, arguments: S, make: impl Fn(S::Value) -> R + 'static) -> bool
    where
        S: Strategy + 'static,
        S::Value: Serialize + DeserializeOwned,
        R: Rule + 'static,
    {
        let to_json = |value| serde_json::to_value(value).unwrap_or_else(|why| panic!("a plan is JSON: {why}"));
        let arguments = arguments.prop_map(to_json).boxed();
        let make = move |value| Ok(Box::new(make(serde_json::from_value(value)?)) as Box<dyn Rule>);
        self.known.insert(name.to_owned(), Entry { arguments, make: Box::new(make) }).is_none()
    }

    /// Returns whether a rule has this name.
    pub fn knows(&self, name: &str) -> bool {
        self.known.contains_key(name)
    }

    /// Draws a rule's arguments for a seed.
    pub fn draw(&self, name: &str, seed: u64) -> Value {
        let tree = self.known[name].arguments.new_tree(&mut runner(seed, RULE_STREAM));
        tree.unwrap_or_else(|why| panic!("no value for the arguments of the rule `{name}`: {why}")).current()
    }

    /// Constructs a rule that a plan names, or returns why that is impossible.
    pub fn make(&self, name: &str, arguments: &Value) -> Result<Box<dyn Rule>, String> {
        let Some(entry) = self.known.get(name) else {
            return Err(format!(
                "the plan names the rule `{name}`, which the test has not added with world.rule(); {}",
                self.names()
            ));
        };
        (entry.make)(arguments.clone()).map_err(|error| {
            format!("the plan makes the rule `{name}` from `{arguments}`, which does not match its type: {error}")
        })
    }

    /// Returns the names of all rules, for an error message.
    pub fn names(&self) -> String {
        match self.known.is_empty() {
            true => "it has added none".into(),
            false => format!("it has added {}", self.known.keys().cloned().collect::<Vec<_>>().join(", ")),
        }
    }
}
