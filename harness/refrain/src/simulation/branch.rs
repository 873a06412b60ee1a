//! Leaves a plan at an event: from then on the schedule, the holds and the faults are drawn from another seed.

use super::state::{Branch, PlanSource, State};
use crate::{plan::fault, seed::seed_of};
use tokio::control::{self, Holds};

/// Every second continuation has faults; and every second one holds, one task in this many.
const FAULTS_ONE_IN: u64 = 2;
const HOLDS_ONE_IN: u64 = 2;
const HELD_ONE_IN: u64 = 4;
/// The streams of a continuation's own decisions.
const FAULTS_STREAM: u64 = 0xb4a7;
const HOLDS_STREAM: u64 = 0xb4a8;

impl State {
    /// Leaves the plan, if the run has come to that point, and returns whether it does so now. Called between two polls: within one nothing
    /// is decided.
    pub(super) fn leave_plan_if_due(&mut self) -> bool {
        let events = self.events();
        let Some(Branch { seed, holds, .. }) = self.branch.take_if(|branch| events >= branch.after) else {
            return false;
        };
        // Nobody looks at its events any more.
        self.record = false;
        control::stop_recording();
        let held = holds && seed_of(seed, HOLDS_STREAM).is_multiple_of(HOLDS_ONE_IN);
        control::branch(seed, if held { Holds::Random(HELD_ONE_IN) } else { Holds::Listed(vec![]) });
        let scripted = &self.scripted;
        control::cancel_faults(|fault| !scripted.contains(fault));
        if !seed_of(seed, FAULTS_STREAM).is_multiple_of(FAULTS_ONE_IN) {
            self.given = PlanSource::Planned(vec![]);
            return true;
        }
        // What the test requests later is drawn from the other seed, too.
        self.plan.seed = seed;
        self.given = PlanSource::Drawn;
        // A healed network stays so.
        if let (Some(allowed), None) = (&self.allowed, self.healed_at) {
            let arguments = |rule: &str, seed| self.rules.draw(rule, seed);
            let drawn = fault::draw(allowed, &self.services(), &arguments, seed);
            let from_now_on = drawn.into_iter().map(|fault| fault.after(control::now())).collect();
            // One that cannot start any more is no fault.
            let _: Result<(), String> = self.decide_faults(from_now_on);
        }
        true
    }
}
