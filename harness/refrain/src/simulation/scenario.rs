//! A scenario: a test in a simulated world, as the attribute leaves it.

use super::workload::{Parameter, Workload, workload};
use serde_json::Value;
use std::{future::Future, pin::Pin, time::Duration};

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

    /// The workload of a seed.
    pub(super) fn workload(&self, seed: u64) -> Result<Workload, String> {
        workload((self.parameters)(), seed)
    }
}
