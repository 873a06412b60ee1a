//! Collects the messages of a run. Of a run with more events than a trace may have, the last ones are kept.

use super::{verdict, watch::End};
use crate::{
    engine::{Terms, call_places},
    event::{Event, Kind, Tcp, Udp, Unix},
    job::{CALLS_MAX, Call, Ended, Ran, RunMessage, Searched},
    place::Place,
    plan::{NotTriggered, Plan},
    report::engine_limit,
    seed::seed_of,
    trace::EVENTS_MAX,
    verdict::{Cause, Verdict, went_wrong},
};
use std::collections::VecDeque;

/// How many bytes of events are kept, counted as encoded messages.
const EVENTS_BYTES_MAX: usize = 64 << 20;

/// What a run has sent so far.
pub struct RunCollector {
    plan: Plan,
    /// Each with the length of its line.
    events: VecDeque<(Event, usize)>,
    bytes: usize,
    left_out: usize,
    calls: Vec<Call>,
    ended: Option<Ended>,
    /// What is left of its plan, if it does not end after its code has.
    over: Option<NotTriggered>,
    stopped: Option<Vec<Cause>>,
    refused: Option<String>,
    /// Why the first line that is no message is none.
    torn: Option<serde_json::Error>,
    record: bool,
    until: Option<usize>,
}

impl RunCollector {
    /// Of a run of this plan that has sent nothing yet. Events are counted up to `until`.
    pub fn new(plan: Plan, record: bool, until: Option<usize>) -> RunCollector {
        let (events, bytes, left_out, calls) = Default::default();
        let (ended, over, stopped, refused, torn) = Default::default();
        RunCollector { plan, events, bytes, left_out, calls, ended, over, stopped, refused, torn, record, until }
    }

    /// Takes one line.
    pub fn receive(&mut self, line: &[u8]) {
        match serde_json::from_slice(line) {
            Ok(RunMessage::Plan(plan)) => self.plan = plan,
            Ok(RunMessage::Event(event)) => self.keep(event, line.len()),
            Ok(RunMessage::Called(call)) if self.calls.len() < CALLS_MAX => {
                self.calls.push(Call { after: (self.left_out + self.events.len()) as u64, ..call });
            }
            Ok(RunMessage::Called(_)) => {}
            Ok(RunMessage::CallPlace { path, place }) => drop(call_places::learn(path, place)),
            Ok(RunMessage::Stopped(waits)) => self.stopped = Some(waits),
            Ok(RunMessage::Over(left)) => self.over = Some(left),
            Ok(RunMessage::Ended(ended)) => self.ended = Some(*ended),
            Ok(RunMessage::Deviates(deviation)) => self.plan.deviate(deviation),
            Ok(RunMessage::Refused(why)) => self.refused = self.refused.take().or(Some(why)),
            Ok(RunMessage::Searched(Searched { limit: Some(limit), .. })) => {
                self.refused = self.refused.take().or_else(|| Some(engine_limit(&limit)));
            }
            Ok(RunMessage::Searched(_) | RunMessage::AwaitsDebugger(_)) => {}
            Err(error) => self.torn = self.torn.take().or(Some(error)),
        }
    }

    fn keep(&mut self, event: Event, bytes: usize) {
        // A run stops before its event, if it is not killed before.
        if self.until.is_some_and(|until| self.left_out + self.events.len() >= until) {
            return;
        }
        self.events.push_back((event, bytes));
        self.bytes += bytes;
        while self.events.len() > EVENTS_MAX || self.bytes > EVENTS_BYTES_MAX {
            let Some((_, bytes)) = self.events.pop_front() else { break };
            self.bytes -= bytes;
            self.left_out += 1;
        }
    }

    /// Whether the run ended without saying how.
    pub fn has_died(&self) -> bool {
        self.ended.is_none() && self.stopped.is_none()
    }

    /// What another run of the plan must be asked to locate.
    pub fn wants(&self) -> Option<u64> {
        self.ended.as_ref().and_then(|ended| ended.locate)
    }

    /// Why the run could not be made. One that dies may die within a line; of one that ended well every line is whole.
    pub fn refusal(&mut self, end: End) -> Option<String> {
        let torn = self.torn.take().filter(|_| end == End::Exited(0) && self.ended.is_none());
        let torn = torn.map(|error| format!("protocol error: a run sent its worker what is no message: {error}"));
        self.refused.take().or(torn)
    }

    /// What came of the run, from how it ended, what it printed last, the place that it reached last, and its memory limit.
    pub fn conclude(self, end: End, printed: &str, place: Option<Place>, terms: &Terms, memory_max: u64) -> Ran {
        let printed = terms.without_own_lines(printed);
        let events: Vec<Event> = self.events.into_iter().map(|(event, _)| event).collect();
        let left = self.over.filter(|_| matches!(end, End::Hung(..)));
        let mut ended = match (self.ended, left) {
            (Some(ended), _) => ended,
            (None, _) if self.stopped.is_some() => Ended::at(Verdict::Passed, 0),
            (None, Some(left)) => Ended { not_triggered: vec![left], ..Ended::at(Verdict::Passed, 0) },
            (None, None) => {
                let failure = verdict::of_death(end, &printed, place, terms, memory_max);
                let digest = events.iter().fold(0, |digest, event| seed_of(digest, hash_of(event)));
                Ended::at(Verdict::Failed(failure), digest)
            }
        };
        if let Verdict::Failed(failure) = &mut ended.verdict {
            let causes = went_wrong(&events, &failure.causes);
            // What did not happen comes last.
            let is_last = |cause: &Cause| matches!(cause, Cause::NotTriggered(_));
            let at = failure.causes.iter().position(is_last).unwrap_or(failure.causes.len());
            failure.causes.splice(at..at, causes);
        }
        Ran {
            plan: self.plan,
            verdict: ended.verdict,
            digest: ended.digest,
            events,
            left_out: self.left_out,
            calls: self.calls,
            coverage: ended.coverage,
            not_triggered: ended.not_triggered,
            sockets: ended.sockets,
            waits: self.stopped,
            printed: if self.record { printed } else { String::new() },
            made_again: 0,
        }
    }
}

/// What stays the same when lines of the source move.
fn hash_of(event: &Event) -> u64 {
    event.host.bytes().fold(event.at ^ digest_kind(&event.kind), |hash, byte| seed_of(hash, u64::from(byte)))
}

/// A number for a kind of event: the digests of saved runs depend on it.
fn digest_kind(kind: &Kind) -> u64 {
    match kind {
        Kind::Start | Kind::Spawn(_) => 0,
        Kind::End(_) | Kind::NotRestarted => 1,
        Kind::Listen { .. } | Kind::Udp { what: Udp::Open, .. } => 2,
        Kind::NotResolved { .. } => 3,
        Kind::NotAccepted => 4,
        Kind::Tcp { what, .. } => match what {
            Tcp::Connect | Tcp::ConnectNowhere | Tcp::Connected => 3,
            Tcp::Accept => 4,
            Tcp::Write(_) => 5,
            Tcp::Read(_) | Tcp::ReadEnd => 6,
            Tcp::Shutdown | Tcp::Close => 7,
            _ => 8,
        },
        Kind::Udp { what: Udp::Send { .. }, .. } => 5,
        Kind::Udp { what: Udp::Receive { .. }, .. } => 6,
        Kind::Udp { what: Udp::Close, .. } => 7,
        Kind::Unix { what, .. } => match what {
            Unix::Listen | Unix::Open => 2,
            Unix::Connect | Unix::Pair => 3,
            Unix::Accept => 4,
            Unix::Write(_) | Unix::Send { .. } => 5,
            Unix::Read(_) | Unix::ReadEnd | Unix::Receive { .. } => 6,
            Unix::Shutdown | Unix::Close | Unix::Remove => 7,
            _ => 8,
        },
        Kind::FaultBegins(_) | Kind::FaultEnds(_) | Kind::Heal | Kind::Signal { .. } => 9,
        Kind::Hold(_) => 10,
        Kind::Log(_) => 11,
        Kind::Resolve { .. } | Kind::Holds { .. } | Kind::Saw { .. } | Kind::PanicAllowed { .. } | Kind::Verdict => 12,
        _ => 13,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Property;

    const TERMS: Terms = Terms { ends: Property::TimeAdvances, last: Cause::LastPolled, passes_alone: "", prints: &[] };

    fn event(at: u64, value: String) -> Event {
        Event { at, host: String::new(), task: None, kind: Kind::Saw { value } }
    }

    #[track_caller]
    fn check(sent: impl Iterator<Item = Event>, until: Option<usize>, kept: usize, left_out: usize) {
        let mut collector = RunCollector::new(Plan::default(), true, until);
        for event in sent {
            collector.receive(serde_json::to_string(&RunMessage::Event(event)).unwrap().as_bytes());
            assert!(collector.events.len() <= EVENTS_MAX && collector.bytes <= EVENTS_BYTES_MAX);
        }
        let ran = collector.conclude(End::Exited(0), "", None, &TERMS, 0);
        assert_eq!((ran.events.len(), ran.left_out), (kept, left_out));
    }

    #[test]
    fn the_last_events_are_kept() {
        check((0..10).map(|at| event(at, String::new())), None, 10, 0);
        check((0..100_010).map(|at| event(at, String::new())), None, EVENTS_MAX, 10);
        check((0..10).map(|at| event(at, String::new())), Some(4), 4, 0);
    }

    #[test]
    fn large_events_are_bounded_by_their_bytes() {
        check((0..100).map(|at| event(at, "x".repeat(1 << 20))), None, 63, 37);
    }
}
