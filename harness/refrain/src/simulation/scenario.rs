//! A scenario: a test in a simulated world, as the attribute leaves it.

use super::workload::{Parameter, Workload, workload};
use crate::shrink::values::{self, Shape};
use serde_json::Value;
use std::{future::Future, pin::Pin, time::Duration};

/// How many values of an argument are drawn to learn its strategy, and how many of them are made simpler at each depth of
/// lists in lists, to what depth.
const LEARN_DRAWS: u64 = 64;
const LEARN_FROM: usize = 3;
const LEARN_DEPTH: usize = 3;

/// An async fn in a simulated world.
#[derive(Debug)]
pub struct Scenario {
    /// The virtual time at which a run is stopped, in seconds.
    pub time_limit_s: u64,
    /// Whether no task is kept back.
    pub without_holds: bool,
    /// Its workload arguments.
    pub parameters: fn() -> Vec<Parameter>,
    /// What it does with the values of these; an error if they do not fit.
    pub body: fn(Vec<Value>) -> Result<Running, String>,
}

/// The future of a scenario.
pub type Running = Pin<Box<dyn Future<Output = ()>>>;

impl Scenario {
    /// The virtual time at which a run is stopped.
    pub(super) fn time_limit(&self) -> Duration {
        Duration::from_secs(self.time_limit_s)
    }

    /// The names of its workload arguments.
    pub(super) fn names(&self) -> Vec<&'static str> {
        (self.parameters)().iter().map(Parameter::name).collect()
    }

    /// What the workload's arguments may be. It is learned: only proptest knows their strategies, and does not tell.
    pub(super) fn shapes(&self) -> Vec<Shape> {
        (0..self.names().len()).map(|argument| self.shape(argument)).collect()
    }

    /// Draws some values; then makes the smallest ones simpler, whole and with lists down to some depth as they are.
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

    /// The workload of a seed.
    pub(super) fn workload(&self, seed: u64) -> Result<Workload, String> {
        workload((self.parameters)(), seed)
    }
}
