//! Proposes simpler faults and holds: rounder and shorter durations, earlier occurrences.
//!
//! Every proposal is smaller in one part and equal in the others, the simplest first. Taking the first one that still
//! fails, again and again, comes to an end: no part ever grows.

use crate::plan::{Fault, Hold, HoldUntil, Impairment, Trigger, What};
use std::time::Duration;

/// What may stand in place of a fault: shorter, then earlier, then weaker.
pub fn simpler_faults(fault: &Fault) -> Vec<Fault> {
    let lasts = fault.lasts.iter().flat_map(|lasts| simpler_spans(*lasts));
    let lasts = lasts.map(|lasts| Fault { lasts: Some(lasts), ..fault.clone() });
    let whens = simpler_whens(&fault.when).into_iter().map(|when| Fault { when, ..fault.clone() });
    let whats = simpler_whats(&fault.what).into_iter().map(|what| Fault { what, ..fault.clone() });
    lasts.chain(whens).chain(whats).collect()
}

/// What may stand in place of a hold: shorter, then at an earlier poll, then of an earlier task.
pub fn simpler_holds(hold: &Hold) -> Vec<Hold> {
    let untils = match hold.until {
        HoldUntil::Idle => vec![],
        // The schedule alone decides then, and no clock.
        HoldUntil::For(span) => {
            [HoldUntil::Idle].into_iter().chain(simpler_spans(span).into_iter().map(HoldUntil::For)).collect()
        }
    };
    let untils = untils.into_iter().map(|until| Hold { until, ..hold.clone() });
    let polls = simpler_nths(hold.poll).into_iter().map(|poll| Hold { poll, ..hold.clone() });
    let nths = simpler_nths(hold.nth).into_iter().map(|nth| Hold { nth, ..hold.clone() });
    untils.chain(polls).chain(nths).collect()
}

fn simpler_whens(when: &Trigger) -> Vec<Trigger> {
    match when {
        Trigger::At(Duration::ZERO) => vec![],
        Trigger::At(at) => [Duration::ZERO].into_iter().chain(simpler_spans(*at)).map(Trigger::At).collect(),
        // From the start on is simpler than any moment of the run.
        Trigger::On { trigger, nth } => [Trigger::At(Duration::ZERO)]
            .into_iter()
            .chain(simpler_nths(*nth).into_iter().map(|nth| Trigger::On { trigger: trigger.clone(), nth }))
            .collect(),
    }
}

fn simpler_whats(what: &What) -> Vec<What> {
    let What::Impair(way, how) = what else { return vec![] };
    simpler_impairments(*how).into_iter().map(|how| What::Impair(way.clone(), how)).collect()
}

fn simpler_impairments(how: Impairment) -> Vec<Impairment> {
    let percents = |percent: u8, of: fn(u8) -> Impairment| {
        simpler_counts(percent.into()).into_iter().filter_map(|percent| percent.try_into().ok()).map(of).collect()
    };
    match how {
        Impairment::Slow(by) => simpler_spans(by).into_iter().map(Impairment::Slow).collect(),
        Impairment::Delay(percent, by) => {
            let shorter = simpler_spans(by).into_iter().map(|by| Impairment::Delay(percent, by));
            let fewer = simpler_counts(percent.into()).into_iter().filter_map(|percent| percent.try_into().ok());
            shorter.chain(fewer.map(|percent| Impairment::Delay(percent, by))).collect()
        }
        Impairment::Lose(percent) => percents(percent, Impairment::Lose),
        Impairment::Duplicate(percent) => percents(percent, Impairment::Duplicate),
        Impairment::Reorder(percent) => percents(percent, Impairment::Reorder),
        Impairment::Limit(rate) => simpler_counts(rate).into_iter().map(Impairment::Limit).collect(),
        Impairment::ShrinkBuffers(bytes) => simpler_counts(bytes).into_iter().map(Impairment::ShrinkBuffers).collect(),
        Impairment::Cut
        | Impairment::DropSyns
        | Impairment::RefuseSyns
        | Impairment::StretchWrites
        | Impairment::StretchReads
        | Impairment::StallReads => vec![],
    }
}

/// 1234 -> 1, 1000, 617: the least, with one digit, half.
fn simpler_counts(count: u64) -> Vec<u64> {
    let digit = count.checked_ilog10().map_or(0, |power| count / 10u64.pow(power) * 10u64.pow(power));
    let mut simpler = vec![1, digit, count / 2];
    simpler.retain(|simpler| (1..count).contains(simpler));
    simpler.dedup();
    simpler
}

/// 12.304 s -> 10 s, 12 s, 12.3 s; 6 s; 12.303 s: with fewer digits, then about half, then the last digit one less.
/// None is below a millisecond, the shortest that is drawn: 1 ns is smaller and means nothing to a reader.
fn simpler_spans(span: Duration) -> Vec<Duration> {
    let nanos = span.as_nanos();
    let mut simpler: Vec<u128> = powers_of_ten(nanos).map(|unit| nanos / unit * unit).collect();
    let half = nanos / 2;
    simpler.extend(powers_of_ten(half).next().map(|unit| half / unit * unit));
    let last_digit = powers_of_ten(nanos).find(|unit| nanos.is_multiple_of(*unit));
    simpler.extend(last_digit.map(|unit| nanos - if unit == nanos { unit / 10 } else { unit }));
    let mut proposed: Vec<u128> = Vec::new();
    for span in simpler {
        if (SHORTEST..nanos).contains(&span) && !proposed.contains(&span) {
            proposed.push(span);
        }
    }
    proposed.into_iter().map(|nanos| Duration::new((nanos / NANOS) as u64, (nanos % NANOS) as u32)).collect()
}

const NANOS: u128 = 1_000_000_000;
/// A millisecond.
const SHORTEST: u128 = 1_000_000;

/// The powers of ten that are not larger, the largest first.
fn powers_of_ten(number: u128) -> impl Iterator<Item = u128> {
    let largest = number.checked_ilog10();
    largest.into_iter().flat_map(|largest| (0..=largest).rev()).map(|power| 10u128.pow(power))
}

/// The first one, the middle one, the one before.
fn simpler_nths(nth: u32) -> Vec<u32> {
    let mut simpler = vec![1, nth / 2, nth.saturating_sub(1)];
    simpler.retain(|simpler| (1..nth).contains(simpler));
    simpler.dedup();
    simpler
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{DisplayDuration, arbitrary};
    use proptest::prelude::*;

    fn spans(span: &str) -> String {
        let spans: Vec<String> = simpler_spans(span.parse::<DisplayDuration>().unwrap().0)
            .into_iter()
            .map(|span| DisplayDuration(span).to_string())
            .collect();
        spans.join(", ")
    }

    fn faults(fault: &str) -> Vec<String> {
        simpler_faults(&fault.parse().unwrap()).iter().map(Fault::to_string).collect()
    }

    fn holds(hold: &str) -> Vec<String> {
        simpler_holds(&hold.parse().unwrap()).iter().map(Hold::to_string).collect()
    }

    /// More proposals than any fault needs: a search that tries so many does not end.
    const TRIED_MAX: usize = 10_000;

    /// Takes the first proposal that fits until none does, as shrinking does; also how many were tried.
    fn simplest<T>(mut from: T, simpler: impl Fn(&T) -> Vec<T>, fits: impl Fn(&T) -> bool) -> (T, usize) {
        let mut tried = 0;
        loop {
            let count = &mut tried;
            let next = simpler(&from).into_iter().find(|proposal| {
                *count += 1;
                assert!(*count < TRIED_MAX, "it comes to no end");
                fits(proposal)
            });
            let Some(next) = next else { return (from, tried) };
            from = next;
        }
    }

    #[test]
    fn durations_lose_their_last_digits_then_half() {
        assert_eq!(spans("12.304193 s"), "10 s, 12 s, 12.3 s, 12.304 s, 12.3041 s, 12.30419 s, 6 s, 12.304192 s");
        assert_eq!(spans("1.5 ms"), "1 ms, 1.4 ms");
        assert_eq!(spans("12 s"), "10 s, 6 s, 11 s");
        assert_eq!(spans("100 ms"), "50 ms, 90 ms");
        assert_eq!(spans("2 ms"), "1 ms");
        assert_eq!(spans("1 ms"), "");
        assert_eq!(spans("1 ns"), "");
        assert_eq!(spans("0 s"), "");
        assert!(spans("18446744073709551615 s").starts_with("10000000000000000000 s, 18000000000000000000 s"));
    }

    #[test]
    fn the_roundest_duration_that_still_fails_is_found() {
        let at_least = |least: &str| {
            let least = least.parse::<DisplayDuration>().unwrap().0;
            let (span, tried) =
                simplest(Duration::from_nanos(12_304_193_007), |span| simpler_spans(*span), |span| *span >= least);
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
            // Any predicate does: a proposal fits or not by a bit that depends on it alone.
            let fits = |text: String| text.bytes().fold(salt, |hash, byte| hash.wrapping_mul(31) ^ u64::from(byte)) & 3 != 0;
            for fault in &plan.faults {
                prop_assert!(!simpler_faults(fault).contains(fault));
                let (fault, _) = simplest(fault.clone(), simpler_faults, |fault| fits(fault.to_string()));
                prop_assert_eq!(fault.to_string().parse(), Ok(fault));
            }
            for hold in &plan.holds {
                prop_assert!(!simpler_holds(hold).contains(hold));
                let (hold, _) = simplest(hold.clone(), simpler_holds, |hold| fits(hold.to_string()));
                prop_assert_eq!(hold.to_string().parse(), Ok(hold));
            }
        }

        #[test]
        fn durations_only_get_shorter(span in arbitrary::spans()) {
            let simpler = simpler_spans(span);
            prop_assert!(simpler.iter().all(|simpler| *simpler < span && *simpler >= Duration::from_millis(1)));
            prop_assert!(simpler.len() <= 32);
        }
    }
}
