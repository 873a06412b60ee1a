//! The faults before a failure, taken from the events of its run.

use super::Cause;
use crate::{
    event::{Event, Kind},
    plan::fault::Lasts,
};

/// Maximum number of faults, or holds, that a verdict names.
const NAMED: usize = 3;

/// Returns the last faults that started, without those that the causes already name. If none started, returns the last
/// holds.
pub fn went_wrong(events: &[Event], named: &[Cause]) -> Vec<Cause> {
    let mut faults = vec![];
    let mut holds = vec![];
    for Event { at, kind, .. } in events {
        match kind {
            // A reset is instantaneous.
            Kind::FaultBegins(fault) => faults.push((fault, *at, (fault.kind.lasts() == Lasts::Not).then_some(*at))),
            Kind::FaultEnds(fault) => {
                let open = faults.iter_mut().rfind(|(other, _, ended)| *other == fault && ended.is_none());
                if let Some((_, _, ended)) = open {
                    *ended = Some(*at);
                }
            }
            Kind::Hold(hold) => holds.push(hold),
            _ => {}
        }
    }
    if faults.is_empty() {
        let last = holds.iter().skip(holds.len().saturating_sub(NAMED));
        return last.map(|hold| Cause::Held((*hold).clone())).collect();
    }
    let is_named = |began: u64| {
        named.iter().any(|cause| matches!(cause, Cause::LastFault { began: other, .. } if *other == began))
    };
    faults.retain(|(_, began, _)| !is_named(*began));
    let last = faults.iter().skip(faults.len().saturating_sub(NAMED));
    last.map(|&(fault, began, ended)| Cause::Fault { fault: fault.clone(), began, ended }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(at: u64, kind: Kind) -> Event {
        Event { at, host: String::new(), task: None, kind }
    }

    #[test]
    fn the_last_faults_are_named_and_none_twice() {
        let [cut, kill] =
            ["cut a <-> b at 1 s", "kill a at 2 s"].map(|fault| fault.parse::<crate::plan::Fault>().unwrap());
        let hold =
            "hold the 1st task spawned on a at x.rs:1 at its 3rd poll until nothing else can run".parse().unwrap();
        let begins = |at, fault: &crate::plan::Fault| event(at, Kind::FaultBegins(fault.clone()));
        let events =
            [event(0, Kind::Hold(hold)), begins(1, &cut), event(3, Kind::FaultEnds(cut.clone())), begins(5, &kill)];
        let first = Cause::Fault { fault: cut, began: 1, ended: Some(3) };
        let second = Cause::Fault { fault: kill.clone(), began: 5, ended: None };
        assert_eq!(went_wrong(&events, &[]), [first.clone(), second]);
        let named = Cause::LastFault { fault: kill, began: 5, ended: None };
        assert_eq!(went_wrong(&events, &[named]), [first]);
        let Kind::Hold(hold) = events[0].kind.clone() else { panic!("it is a hold") };
        assert_eq!(went_wrong(&events[..1], &[]), [Cause::Held(hold)]);
        assert_eq!(went_wrong(&[], &[]), []);
    }
}
