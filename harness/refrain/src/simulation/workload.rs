//! The workload of a scenario: what its parameters are, what a seed draws for them, and proptest's way to simpler values.

use crate::plan::Argument;
use proptest::{
    strategy::{BoxedStrategy, Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::sync::LazyLock;

/// proptest reads its defaults from the environment, but once.
static CONFIG: LazyLock<Config> = LazyLock::new(|| Config { failure_persistence: None, ..Config::default() });

/// How many steps are taken at most from what a seed draws to the simplest value.
const SIMPLIFY_MAX: usize = 2_000;

/// The workload's stream of chance: never the schedule's.
const WORKLOAD_STREAM: u64 = 0x7077_6f72_6b6c_6f61;

/// One workload argument: a name and a strategy for its values, as JSON.
#[derive(Debug)]
pub struct Parameter {
    name: &'static str,
    values: BoxedStrategy<Value>,
}

impl Parameter {
    /// A parameter of a type that goes to JSON and back.
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

    /// The parameter's name.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }
}

/// The workload that a seed draws, and proptest's way to simpler ones.
pub(super) struct Workload {
    names: Vec<&'static str>,
    trees: Vec<Box<dyn ValueTree<Value = Value>>>,
}

/// The workload of a seed.
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

/// What draws values from a seed, on a random stream of its own.
pub(super) fn runner(seed: u64, stream: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&stream.to_le_bytes());
    TestRunner::new_with_rng(CONFIG.clone(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

impl Workload {
    /// The values now.
    pub fn current(&self) -> Vec<Argument> {
        let values = self.names.iter().zip(&self.trees);
        values.map(|(name, tree)| Argument { name: (*name).to_owned(), value: tree.current() }).collect()
    }

    /// The value of one argument.
    pub fn value(&self, argument: usize) -> Value {
        self.trees[argument].current()
    }

    /// Makes one argument simpler, as proptest does, and tells every value on the way. Lists that have fewer than `depth`
    /// lists around them keep their lengths: what is in them gets simpler then.
    pub fn simplify(&mut self, argument: usize, depth: usize, tell: &mut dyn FnMut(&Value)) {
        let tree = &mut self.trees[argument];
        let kept = lengths(&tree.current(), depth);
        let mut fits = true;
        for _ in 0..SIMPLIFY_MAX {
            if !(if fits { tree.simplify() } else { tree.complicate() }) {
                return;
            }
            let value = tree.current();
            tell(&value);
            fits = lengths(&value, depth) == kept;
        }
    }
}

/// The lengths of all lists that have fewer than `depth` lists around them.
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

/// Reads one workload argument of a plan.
///
/// # Errors
/// If it is not of the test's type.
pub fn argument<T: DeserializeOwned>(name: &str, value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| {
        format!(
            "the plan's workload argument `{name}` does not fit the test's type: {error}. The test has changed since the \
             trace was saved: delete the trace and explore again"
        )
    })
}
