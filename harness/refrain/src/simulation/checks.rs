//! Checks the test's properties, during the run and at its end: each failed check is a verdict.

use super::{
    HIDDEN,
    actor::actor,
    conserved::{Conserved, LogEvent, Opened, SOCKET, TASK},
    stall,
    state::{self, Panicked, fail},
};
use crate::{
    engine::frames::frames,
    place::Place,
    verdict::{Backtrace, Cause, Class, Detail, Failure, Property},
};
use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};
use tokio::control::{self, HostId, Stamp};

/// How long the hosts may take to become quiescent after the test's body.
pub(super) const QUIESCENCE: Duration = Duration::from_secs(120);
/// How long packets in flight at the end of the body may take to arrive.
const IN_FLIGHT: Duration = Duration::from_secs(1);

/// Maximum number of leaked resources that a verdict names.
const CAUSES_MAX: usize = 5;

/// Handles an event that the service has logged.
pub(crate) fn said(said: &LogEvent, stamp: &Stamp) {
    let failure = state::try_with(|state| {
        for sometimes in &mut state.properties.sometimes {
            sometimes.reached |=
                said.log.target.starts_with(&sometimes.target) && said.log.message.contains(&sometimes.message);
        }
        if let Some(property) = state.properties.violated_by(said) {
            return Some(logged(property, said, stamp));
        }
        let kind = said.log.fields.get("kind")?.as_str()?;
        if said.log.fields.contains_key("id") && !state.properties.reported.contains(kind) {
            state.properties.reported.insert(kind.to_owned());
        }
        let conserved = state.properties.conserved.iter_mut().find(|conserved| conserved.kind == kind)?;
        let id = conserved.report(said, stamp)?;
        Some(closed_twice(kind.to_owned(), stamp, id))
    });
    if let Some(Some(failure)) = failure {
        fail(failure);
    }
}

fn logged(property: Property, LogEvent { log, place }: &LogEvent, stamp: &Stamp) -> Failure {
    let (target, message) = (log.target.clone(), log.message.clone());
    Failure {
        class: Class::Safety,
        property,
        place: Some(place.clone()),
        detail: Detail::Logged { by: Box::new(actor(stamp)), target, message },
        causes: vec![],
    }
}

fn closed_twice(kind: String, stamp: &Stamp, id: String) -> Failure {
    Failure {
        class: Class::DoubleClose,
        property: Property::ClosedOnce(kind),
        place: stamp.task.as_ref().map(|task| task.place.clone()),
        detail: Detail::ClosedTwice { id, by: actor(stamp) },
        causes: vec![],
    }
}

/// Checks every `always` property, after a poll.
pub(crate) fn check_always() {
    thread_local!(static CHECKING: Cell<bool> = const { Cell::new(false) });
    if CHECKING.replace(true) {
        return;
    }
    let all = state::with(|state| (state.properties.always.clone(), state.properties.seen(&state.hosts)));
    for always in &all.0 {
        // A panic in the closure is the test's failure, not the harness's.
        let holds = catch_unwind(AssertUnwindSafe(|| (always.holds)(&all.1)));
        let holds = holds.unwrap_or_else(|_| fail_of_panic(state::last_panic()));
        if !holds {
            let level = |(kind, open): (&String, &usize)| Cause::Level { kind: kind.clone(), open: *open as u64 };
            fail(Failure {
                class: Class::Safety,
                property: Property::Always(always.what.clone()),
                place: Some(Place::from(always.place)),
                detail: Detail::Broken { by: actor(&control::stamp()) },
                causes: all.1.live.iter().map(level).collect(),
            });
        }
    }
    CHECKING.set(false);
}

/// After the test's body: waits until all conserved resources are back at their limits, or fails.
pub(crate) async fn quiescent() {
    if state::with(|state| state.properties.conserved.is_empty()) {
        return;
    }
    // Packets in flight may still open resources.
    tokio::time::sleep(IN_FLIGHT).await;
    let deadline = control::now() + QUIESCENCE.as_nanos() as u64;
    loop {
        let leak = state::with(|state| {
            state.properties.conserved.iter().find_map(|conserved| leaked(conserved, &state.hosts))
        });
        let Some(leak) = leak else { return };
        if control::now() >= deadline {
            fail(leak);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Returns a verdict if more resources are open than allowed: how many, how the number rose, and where they were
/// opened.
fn leaked(conserved: &Conserved, hosts: &[(String, HostId)]) -> Option<Failure> {
    let (kind, limit) = (&conserved.kind, conserved.limit);
    let open = conserved.count(hosts);
    if open <= limit {
        return None;
    }
    let mut causes = match kind.as_str() {
        SOCKET => control::sockets().into_iter().map(|(host, socket)| Cause::OpenSocket { host, socket }).collect(),
        TASK => stall::waits(),
        _ => vec![],
    };
    causes.truncate(CAUSES_MAX);
    let mut left: Vec<_> = conserved.open(hosts).collect();
    left.sort_by_key(|(_, _, opened)| opened.at);
    let oldest = left.first().map(|(_, _, oldest)| *oldest);
    for (host, id, Opened { at, place, task }) in left.iter().take(1) {
        let (host, id, place) = (host.to_string(), id.to_string(), place.clone());
        causes.push(Cause::Open { host, id, since: *at, place, task: task.clone() });
        causes.push(Cause::Rose(left.iter().map(|(_, _, opened)| opened.at).take(CAUSES_MAX).collect()));
        causes.push(Cause::Totals { opened: conserved.opened, closed: conserved.closed });
    }
    Some(Failure {
        class: Class::Leak,
        property: Property::Conserved(kind.clone()),
        place: oldest.and_then(|oldest| oldest.task.as_ref()).map(|task| task.place.clone()),
        detail: Detail::Leaked { open: open as u64, limit: limit as u64, waited: QUIESCENCE.as_nanos() as u64 },
        causes,
    })
}

/// Fails the run with the verdict of a panic that the test does not allow.
pub(super) fn fail_unless_allowed(panic: Panicked) {
    if !state::with(|state| state.may_panic(&panic.message)) {
        fail_of_panic(panic)
    }
    control::panic_allowed(panic.place, panic.message);
}

/// Fails the run with the verdict of a panic, of a task or of a property's closure. The place of a panic in a dependency is the
/// innermost line of the service on the stack.
pub(super) fn fail_of_panic(Panicked { message, place, is_elsewhere, stack }: Panicked) -> ! {
    let by = actor(&control::stamp());
    let property = if control::current_host() == 0 { Property::TestAssertions } else { Property::NoPanic };
    let told = state::with(|state| state.backtrace);
    let (frames, nearest) = stack.map(|stack| frames(&stack, HIDDEN)).unwrap_or_default();
    let backtrace = Box::new(Backtrace { frames: if told { frames } else { vec![] } });
    let place = nearest.filter(|_| is_elsewhere).or(place);
    fail(Failure {
        class: Class::Panic,
        property,
        place,
        detail: Detail::Panicked { by, message, backtrace },
        causes: vec![],
    })
}
