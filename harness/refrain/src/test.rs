//! What `#[refrain::test]` leaves of a test: its name, its limits, its workload and its body.

use crate::{verdict::Class, world::World};
use proptest::{
    strategy::{BoxedStrategy, Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::{future::Future, pin::Pin, sync::LazyLock, time::Duration};

use crate::plan::Argument;

/// proptest reads its defaults from the environment, but once.
static CONFIG: LazyLock<Config> = LazyLock::new(|| Config { failure_persistence: None, ..Config::default() });

/// The workload's stream of chance: never the schedule's.
const WORKLOAD_STREAM: u64 = 0x7077_6f72_6b6c_6f61;

/// A test. Made by the macro; plain data but for its two functions.
#[derive(Debug)]
pub struct Test {
    /// What announces it in its executable.
    pub announcement: &'static str,
    /// Its path with its crate: `link::recovery::queries_recover`.
    pub path: &'static str,
    /// Its package.
    pub package: &'static str,
    /// Its package's folder, where `traces/` is.
    pub folder: &'static str,
    /// Its crate.
    pub krate: &'static str,
    /// What cargo tells a crate that it compiles as an integration test, and as a program or an example.
    pub built_as: (Option<&'static str>, Option<&'static str>),
    /// How many runs `cargo test` makes, or how many executions of a model.
    pub runs: u64,
    /// The virtual time at which a run is stopped, in seconds.
    pub time_limit_s: u64,
    /// How long one poll, or one execution of a model, may take in real time, in seconds.
    pub poll_limit_s: u64,
    /// What must be caught, if it is a seeded bug.
    pub expect: Option<Class>,
    /// Whether no task is kept back.
    pub without_holds: bool,
    /// Whether its outcome and its traces' timelines are snapshots.
    pub snapshot: bool,
    /// Its workload arguments.
    pub parameters: fn() -> Vec<Parameter>,
    /// What it does.
    pub body: Body,
}

/// What a test does.
#[derive(Debug)]
pub enum Body {
    /// An async fn, in a simulated world.
    Scenario(fn(World, Vec<Value>) -> Running),
    /// A fn with threads, in every order of their operations.
    Model(Model),
}

/// The future of a scenario.
pub type Running = Pin<Box<dyn Future<Output = ()>>>;

/// A model: a fn with threads, and how it is searched.
#[derive(Debug)]
pub struct Model {
    /// What it does.
    pub body: fn(),
    /// The one engine that searches it; `None`: both do.
    pub engine: Option<&'static str>,
    /// The most preemptions that are tried; `None`: first none, then more and more, at last any number.
    pub preemptions: Option<u8>,
    /// Whether the exhaustive search goes on until it is complete.
    pub complete: bool,
}

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
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }
}

/// The workload that a seed draws, and proptest's way to simpler ones.
pub(crate) struct Workload {
    names: Vec<&'static str>,
    trees: Vec<Box<dyn ValueTree<Value = Value>>>,
}

impl Test {
    /// Its name as libtest's `--exact` takes it: the path without the crate.
    pub fn name(&self) -> &'static str {
        self.path.split_once("::").map_or(self.path, |(_, name)| name)
    }

    /// What `cargo test --test NAME` and its like call the executable: `test/link`, `lib/calcon`, `example/echo`.
    pub fn target(&self) -> String {
        let example =
            std::env::current_exe().is_ok_and(|exe| exe.parent().is_some_and(|dir| dir.ends_with("examples")));
        match self.built_as {
            (Some(_), _) => format!("test/{}", self.krate),
            (None, Some(name)) if example => format!("example/{name}"),
            (None, Some(name)) => format!("bin/{name}"),
            (None, None) => format!("lib/{}", self.krate),
        }
    }

    /// The virtual time at which a run is stopped.
    pub fn time_limit(&self) -> Duration {
        Duration::from_secs(self.time_limit_s)
    }

    /// The model, if it is one.
    pub(crate) fn model(&self) -> Option<&Model> {
        match &self.body {
            Body::Scenario(_) => None,
            Body::Model(model) => Some(model),
        }
    }

    /// How long one poll, or one execution of a model, may take, in real time.
    pub fn poll_limit(&self) -> Duration {
        Duration::from_secs(self.poll_limit_s)
    }

    /// The workload of a seed.
    pub(crate) fn workload(&self, seed: u64) -> Result<Workload, String> {
        let parameters = (self.parameters)();
        let mut workload = Workload { names: vec![], trees: vec![] };
        if parameters.is_empty() {
            return Ok(workload);
        }
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&WORKLOAD_STREAM.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let mut runner = TestRunner::new_with_rng(CONFIG.clone(), rng);
        for parameter in parameters {
            let tree = parameter.values.new_tree(&mut runner);
            workload.names.push(parameter.name);
            workload.trees.push(tree.map_err(|why| format!("no value for `{}`: {why}", parameter.name))?);
        }
        Ok(workload)
    }
}

impl Workload {
    /// The values now.
    pub fn current(&self) -> Vec<Argument> {
        let values = self.names.iter().zip(&self.trees);
        values.map(|(name, tree)| Argument { name: (*name).to_owned(), value: tree.current() }).collect()
    }

    /// How many arguments there are.
    pub fn len(&self) -> usize {
        self.trees.len()
    }

    /// Makes one argument simpler, if it can be.
    pub fn simplify(&mut self, argument: usize) -> bool {
        self.trees[argument].simplify()
    }

    /// Takes the last step back, part of the way.
    pub fn complicate(&mut self, argument: usize) -> bool {
        self.trees[argument].complicate()
    }
}

/// Reads one workload argument of a plan.
///
/// # Panics
/// If it is not of the test's type; the caller has checked the plan's names and the panic becomes a refusal.
pub fn argument<T: DeserializeOwned>(name: &str, value: Value) -> T {
    match serde_json::from_value(value) {
        Ok(value) => value,
        Err(error) => crate::simulation::refuse(&format!(
            "the plan's workload argument `{name}` does not fit the test's type: {error}. The test has changed since the \
             trace was saved: delete the trace and explore again"
        )),
    }
}
