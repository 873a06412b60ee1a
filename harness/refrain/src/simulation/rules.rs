//! The rules that a test has written: what each is called, what it is made from, and how it is made.

use super::workload::runner;
use proptest::strategy::{BoxedStrategy, Strategy, ValueTree};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::collections::BTreeMap;
use tokio::control::Rule;

/// The random stream of the rules' arguments: never the schedule's.
const RULE_STREAM: u64 = 0x7275_6c65_735f_5f5f;

/// The rules of a test, by their names.
#[derive(Default)]
pub(crate) struct Rules {
    known: BTreeMap<String, Entry>,
}

struct Entry {
    arguments: BoxedStrategy<Value>,
    make: Box<Make>,
}

/// Makes a rule of its arguments.
type Make = dyn Fn(Value) -> Result<Box<dyn Rule>, serde_json::Error>;

impl Rules {
    /// Adds a rule; `false` if there is one of this name.
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

    /// Whether there is a rule of this name.
    pub fn knows(&self, name: &str) -> bool {
        self.known.contains_key(name)
    }

    /// What a rule is made from in the run of a seed.
    pub fn draw(&self, name: &str, seed: u64) -> Value {
        let tree = self.known[name].arguments.new_tree(&mut runner(seed, RULE_STREAM));
        tree.unwrap_or_else(|why| panic!("no value for the arguments of the rule `{name}`: {why}")).current()
    }

    /// Makes a rule that a plan names, or says why it cannot be made.
    pub fn make(&self, name: &str, arguments: &Value) -> Result<Box<dyn Rule>, String> {
        let Some(entry) = self.known.get(name) else {
            return Err(format!(
                "the plan names the rule `{name}`, which the test has not added with world.rule(); {}",
                self.names()
            ));
        };
        (entry.make)(arguments.clone()).map_err(|error| {
            format!("the plan makes the rule `{name}` from `{arguments}`, which does not fit its type: {error}")
        })
    }

    /// The rules that there are, for an error message.
    pub fn names(&self) -> String {
        match self.known.is_empty() {
            true => "it has added none".into(),
            false => format!("it has added {}", self.known.keys().cloned().collect::<Vec<_>>().join(", ")),
        }
    }
}
