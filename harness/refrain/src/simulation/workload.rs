//! The workload of a scenario: its parameters, the values drawn for a seed, and proptest's simplification of values.

use crate::plan::Argument;
use proptest::{
    strategy::{BoxedStrategy, Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::sync::LazyLock;

/// proptest reads its defaults from the environment, which is needed only once.
static CONFIG: LazyLock<Config> = LazyLock::new(|| Config { failure_persistence: None, ..Config::default() });

/// Maximum number of steps from a drawn value to the simplest one.
const SIMPLIFY_MAX: usize = 2_000;

/// The random stream of the workload, independent of the schedule.
const WORKLOAD_STREAM: u64 = 0x7077_6f72_6b6c_6f61;

/// A workload parameter: a name and a strategy for its values, as JSON.
#[derive(Debug)]
pub struct Parameter {
    name: &'static str,
    values: BoxedStrategy<Value>,
}

impl Parameter {
    /// Creates a parameter of a type that can be serialized to JSON and back.
    pub fn new<S>(name: &'static str, strategy: S) -> Parameter
    where
        S: Strategy + 'static,
        S::Value: Serialize + DeserializeOwned,
    {
        let to_json = move |value| match serde_json::to_value(value) {
            Ok(value) => value,
            Err(error) => panic!("the workload argument `{name}` does not go into a plan, which is JSON: {error}"),
        };
        Parameter { name, values: strategy.prop_map(to_json).boxed() }
    }

    /// Returns the parameter's name.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }
}

/// The workload drawn for a seed, and proptest's value trees for simplifying it.
pub(super) struct Workload {
    names: Vec<&'static str>,
    trees: Vec<Box<dyn ValueTree<Value = Value>>>,
}

/// Draws the workload of a seed.
pub(super) fn workload(parameters: Vec<Parameter>, seed: u64) -> Result<Workload, String> {
    let mut workload = Workload { names: vec![], trees: vec![] };
    if parameters.is_empty() {
        return Ok(workload);
    }
    let mut runner = runner(seed, WORKLOAD_STREAM);
    for parameter in parameters {
        let tree = parameter.values.new_tree(&mut runner);
        workload.names.push(parameter.name);
        workload.trees.push(tree.map_err(|why| format!("no value for `{}`: {why}", parameter.name))?);
    }
    Ok(workload)
}

/// Returns a generator of values from a seed and a separate random stream.
pub(super) fn runner(seed: u64, stream: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&stream.to_le_bytes());
    TestRunner::new_with_rng(CONFIG.clone(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

impl Workload {
    /// Returns the current values.
    pub fn current(&self) -> Vec<Argument> {
        let values = self.names.iter().zip(&self.trees);
        values.map(|(name, tree)| Argument { name: (*name).to_owned(), value: tree.current() }).collect()
    }

    /// Returns the value of one argument.
    pub fn value(&self, argument: usize) -> Value {
        self.trees[argument].current()
    }

    /// Simplifies one argument with proptest, and calls `visit` for every value on the way. Lists with fewer than
    /// `depth` lists around them keep their lengths, so that their contents are simplified.
    pub fn simplify(&mut self, argument: usize, depth: usize, visit: &mut dyn FnMut(&Value)) {
        let tree = &mut self.trees[argument];
        let kept = lengths(&tree.current(), depth);
        let mut is_valid = true;
        for _ in 0..SIMPLIFY_MAX {
            if !(if is_valid { tree.simplify() } else { tree.complicate() }) {
                return;
            }
            let value = tree.current();
            visit(&value);
            is_valid = lengths(&value, depth) == kept;
        }
    }
}

/// Returns the lengths of all lists that have fewer than `depth` lists around them.
fn lengths(value: &Value, depth: usize) -> Vec<usize> {
    match value {
        Value::Array(elements) if depth > 0 => {
            let inner = elements.iter().flat_map(|element| lengths(element, depth - 1));
            std::iter::once(elements.len()).chain(inner).collect()
        }
        Value::Object(fields) => fields.values().flat_map(|field| lengths(field, depth)).collect(),
        _ => vec![],
    }
}

/// Deserializes a workload argument of a plan.
///
/// # Errors
/// Fails if it does not have the test's type.
pub fn argument<T: DeserializeOwned>(name: &str, value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| {
        format!(
            "the plan's workload argument `{name}` does not match the test's type: {error}. The test has changed since the \
             trace was saved: delete the trace and explore again"
        )
    })
}
