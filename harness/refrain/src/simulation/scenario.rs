//! A scenario: a test in a simulated world, as the attribute macro generates it.

use super::workload::{Parameter, Workload, workload};
use crate::{
    shrink::values::{self, Shape},
    verdict::Outside,
};
use serde_json::Value;
use std::{future::Future, pin::Pin, time::Duration};

/// To learn the strategy of an argument: how many values are drawn, how many of them are simplified at each nesting
/// depth of lists, and up to which depth.
const LEARN_DRAWS: u64 = 64;
const LEARN_FROM: usize = 3;
const LEARN_DEPTH: usize = 3;

/// An async test in a simulated world.
#[derive(Debug)]
pub struct Scenario {
    /// The virtual time limit of a run, in milliseconds.
    pub time_limit_ms: u64,
    /// Whether holds are disabled.
    pub without_holds: bool,
    /// What its runs may reach for outside of the simulation.
    pub allow: &'static [Outside],
    /// Its workload parameters.
    pub parameters: fn() -> Vec<Parameter>,
    /// Creates the test's future from the workload's values; fails if they do not have the right types.
    pub body: fn(Vec<Value>) -> Result<Running, String>,
}

/// The future of a scenario.
pub type Running = Pin<Box<dyn Future<Output = ()>>>;

impl Scenario {
    /// Returns the virtual time limit of a run.
    pub(super) fn time_limit(&self) -> Duration {
        Duration::from_millis(self.time_limit_ms)
    }

    /// Returns the names of its workload arguments.
    pub(super) fn names(&self) -> Vec<&'static str> {
        (self.parameters)().iter().map(Parameter::name).collect()
    }

    /// Returns the possible shapes of the workload's arguments. They are learned by drawing values, because proptest
    /// does not expose its strategies.
    pub(super) fn shapes(&self) -> Vec<Shape> {
        (0..self.names().len()).map(|argument| self.shape(argument)).collect()
    }

    /// Draws values, then simplifies the smallest ones, both entirely and while keeping the lengths of lists down to
    /// some depth.
    fn shape(&self, argument: usize) -> Shape {
        let mut shape = Shape::default();
        let mut drawn = vec![];
        for seed in 0..LEARN_DRAWS {
            let Ok(workload) = self.workload(seed) else { continue };
            let value = workload.value(argument);
            shape.learn(&value);
            drawn.push((values::size(&value), values::depth(&value), seed));
        }
        drawn.sort_unstable();
        for depth in 0..=LEARN_DEPTH {
            for (.., seed) in drawn.iter().filter(|(_, nested, _)| *nested >= depth).take(LEARN_FROM) {
                if let Ok(mut workload) = self.workload(*seed) {
                    workload.simplify(argument, depth, &mut |value| shape.learn(value));
                }
            }
        }
        shape
    }

    /// Returns the workload of a seed.
    pub(super) fn workload(&self, seed: u64) -> Result<Workload, String> {
        workload((self.parameters)(), seed)
    }
}
