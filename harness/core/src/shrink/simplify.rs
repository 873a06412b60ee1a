//! Proposes simpler faults and holds: rounder and shorter durations, earlier occurrences.
//!
//! Every proposal is smaller in one part and equal in the others, the simplest first. Repeatedly taking the first one
//! that still fails terminates, because no part ever grows.

use crate::{
    plan::{Fault, Hold, HoldUntil, Trigger},
    simpler,
};
use std::time::Duration;

/// Returns simpler replacements of a fault: shorter, then earlier, then weaker.
pub fn simpler_faults(fault: &Fault) -> Vec<Fault> {
    let durations = fault.duration.into_iter().flat_map(simpler::durations);
    let durations = durations.map(|duration| Fault { duration: Some(duration), ..fault.clone() });
    let triggers = simpler_triggers(&fault.trigger).into_iter().map(|trigger| Fault { trigger, ..fault.clone() });
    let kinds = fault.kind.simpler().into_iter().map(|kind| Fault { kind, ..fault.clone() });
    durations.chain(triggers).chain(kinds).collect()
}

/// Returns simpler replacements of a hold: shorter, then at an earlier poll, then of an earlier task.
pub fn simpler_holds(hold: &Hold) -> Vec<Hold> {
    let untils = match hold.until {
        HoldUntil::Idle => vec![],
        // The hold then depends only on the schedule, not on the clock.
        HoldUntil::For(span) => {
            [HoldUntil::Idle].into_iter().chain(simpler::durations(span).map(HoldUntil::For)).collect()
        }
    };
    let untils = untils.into_iter().map(|until| Hold { until, ..hold.clone() });
    let polls = simpler::nths(hold.poll).into_iter().map(|poll| Hold { poll, ..hold.clone() });
    let nths = simpler::nths(hold.nth).into_iter().map(|nth| Hold { nth, ..hold.clone() });
    untils.chain(polls).chain(nths).collect()
}

fn simpler_triggers(trigger: &Trigger) -> Vec<Trigger> {
    match trigger {
        Trigger::At(Duration::ZERO) => vec![],
        Trigger::At(at) => [Duration::ZERO].into_iter().chain(simpler::durations(*at)).map(Trigger::At).collect(),
        // From the start is simpler than any later time.
        Trigger::On { event, nth } => [Trigger::At(Duration::ZERO)]
            .into_iter()
            .chain(simpler::nths(*nth).into_iter().map(|nth| Trigger::On { event: event.clone(), nth }))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{DisplayDuration, arbitrary};
    use proptest::prelude::*;

    fn faults(fault: &str) -> Vec<String> {
        simpler_faults(&fault.parse().unwrap()).iter().map(Fault::to_string).collect()
    }

    fn holds(hold: &str) -> Vec<String> {
        simpler_holds(&hold.parse().unwrap()).iter().map(Hold::to_string).collect()
    }

    /// More proposals than any fault needs: a search that exceeds this does not terminate.
    const TRIED_MAX: usize = 10_000;

    /// Takes the first accepted proposal until none is accepted, as shrinking does. Also returns how many were tried.
    fn simplest<T>(mut from: T, simpler: impl Fn(&T) -> Vec<T>, accepts: impl Fn(&T) -> bool) -> (T, usize) {
        let mut tried = 0;
        loop {
            let count = &mut tried;
            let next = simpler(&from).into_iter().find(|proposal| {
                *count += 1;
                assert!(*count < TRIED_MAX, "it comes to no end");
                accepts(proposal)
            });
            let Some(next) = next else { return (from, tried) };
            from = next;
        }
    }

    #[test]
    fn the_roundest_duration_that_still_fails_is_found() {
        let at_least = |least: &str| {
            let least = least.parse::<DisplayDuration>().unwrap().0;
            let (span, tried) = simplest(
                Duration::from_nanos(12_304_193_007),
                |span| simpler::durations(*span).collect(),
                |span| *span >= least,
            );
            assert!(tried < 120, "{tried}");
            DisplayDuration(span).to_string()
        };
        assert_eq!(at_least("12.25 s"), "12.3 s");
        assert_eq!(at_least("6.3 s"), "7 s");
        assert_eq!(at_least("1 ns"), "1 ms");
        assert_eq!(at_least("12.304193007 s"), "12.304193007 s");
    }

    #[test]
    fn a_fault_changes_in_one_part_at_a_time() {
        let (shorter, earlier) = (["100 ms"], ["0 s", "1 s", "2 s"]);
        let shorter = shorter.map(|lasts| format!("cut a <-> b at 3 s for {lasts}"));
        let earlier = earlier.map(|at| format!("cut a <-> b at {at} for 200 ms"));
        assert_eq!(faults("cut a <-> b at 3 s for 200 ms"), [&shorter[..], &earlier[..]].concat());
        assert_eq!(faults("slow a <-> b by 2 ms at 0 s"), ["slow a <-> b by 1 ms at 0 s"]);
        let fewer = ["1", "20", "12"].map(|percent| format!("lose {percent} % of a <-> b at 0 s"));
        assert_eq!(faults("lose 25 % of a <-> b at 0 s"), fewer);
        let smaller = ["1", "1000", "750"].map(|bytes| format!("shrink buffers on a -> b to {bytes} B at 0 s"));
        assert_eq!(faults("shrink buffers on a -> b to 1500 B at 0 s"), smaller);
        let rates = ["1", "50"].map(|rate| format!("limit a <-> b to {rate} B/s at 0 s"));
        assert_eq!(faults("limit a <-> b to 100 B/s at 0 s"), rates);
        let delays = ["delay 2 % of a -> b by 1 ms at 0 s", "delay 1 % of a -> b by 2 ms at 0 s"];
        assert_eq!(faults("delay 2 % of a -> b by 2 ms at 0 s"), delays);
        assert_eq!(faults("stall reads on a -> b at 0 s"), [""; 0]);
        assert_eq!(
            faults("kill a when b accepts its 7th connection"),
            ["at 0 s"]
                .into_iter()
                .map(str::to_owned)
                .chain(["1st", "3rd", "6th"].map(|nth| format!("when b accepts its {nth} connection")))
                .map(|when| format!("kill a {when}"))
                .collect::<Vec<_>>()
        );
        assert_eq!(faults("reset a <-> b when b accepts its 1st connection"), ["reset a <-> b at 0 s"]);
        assert_eq!(faults("reset a <-> b at 0 s"), [""; 0]);
    }

    #[test]
    fn a_hold_changes_in_one_part_at_a_time() {
        let hold = |nth: &str, poll: &str, until: &str| {
            format!("hold the {nth} task spawned on a at x at its {poll} poll {until}")
        };
        assert_eq!(
            holds(&hold("2nd", "3rd", "for 2 ms")),
            [
                hold("2nd", "3rd", "until nothing else can run"),
                hold("2nd", "3rd", "for 1 ms"),
                hold("2nd", "1st", "for 2 ms"),
                hold("2nd", "2nd", "for 2 ms"),
                hold("1st", "3rd", "for 2 ms"),
            ]
        );
        assert_eq!(holds(&hold("1st", "1st", "until nothing else can run")), [""; 0]);
    }

    proptest! {
        #[test]
        fn proposals_are_sentences_and_come_to_an_end(plan in arbitrary::plans(), salt in any::<u64>()) {
            // Any predicate will do: whether a proposal is accepted is a bit that depends only on the proposal.
            let accepts = |text: String| text.bytes().fold(salt, |hash, byte| hash.wrapping_mul(31) ^ u64::from(byte)) & 3 != 0;
            for fault in &plan.faults {
                prop_assert!(!simpler_faults(fault).contains(fault));
                let (fault, _) = simplest(fault.clone(), simpler_faults, |fault| accepts(fault.to_string()));
                prop_assert_eq!(fault.to_string().parse(), Ok(fault));
            }
            for hold in &plan.holds {
                prop_assert!(!simpler_holds(hold).contains(hold));
                let (hold, _) = simplest(hold.clone(), simpler_holds, |hold| accepts(hold.to_string()));
                prop_assert_eq!(hold.to_string().parse(), Ok(hold));
            }
        }
    }
}
