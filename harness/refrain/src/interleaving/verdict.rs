//! Interprets a panic in an execution: a failure of the model, or a limit of an engine.

use super::{log, memory, stuck::Waiting, threads};
use crate::{
    place::Place,
    protocol::EngineLimit,
    verdict::{Actor, Allocation, Cause, Class, Detail, Failure, Property, ThreadWait, ThreadWaiting},
};

/// The meaning of a panic.
pub(super) enum Meaning {
    /// The model is wrong.
    Failure(Failure),
    /// The engine has reached a limit.
    Limit(EngineLimit),
    /// The model uses the engine in an unsupported way.
    Misuse(String),
}

impl Meaning {
    /// Returns whether an engine reports that the model does not have the execution that it should make.
    pub fn is_another_execution(&self) -> bool {
        match self {
            Meaning::Failure(failure) => failure.class == Class::Nondeterminism,
            Meaning::Limit(limit) => matches!(limit, EngineLimit::Panicked { .. }),
            Meaning::Misuse(_) => false,
        }
    }
}

/// Interprets a panic by its message and place. An engine reports its errors only as panic messages.
pub(super) fn of_panic(message: &str, place: Option<Place>) -> Meaning {
    if !place.as_ref().is_some_and(|place| is_of_an_engine(&place.file)) {
        let detail = Detail::Panicked {
            by: Actor::Thread(log::last()),
            message: message.to_owned(),
            backtrace: Default::default(),
        };
        return Meaning::Failure(failure(Class::Panic, Property::NoPanic, place, detail, vec![]));
    }
    let says = |text: &str| message.contains(text);
    if says("deadlock") {
        let (waits, first) = log::waits();
        let detail = match says("already holds") {
            true => Detail::LockedTwice { thread: threads::running() },
            false => Detail::Deadlocked,
        };
        return Meaning::Failure(failure(Class::Deadlock, Property::Progress, first, detail, waits));
    }
    if says("Causality violation") && memory::is_probed() {
        let detail = Detail::UsedAfterFree { said: first_line(message).to_owned() };
        return Meaning::Failure(failure(Class::UseAfterFree, Property::NotUsedAfterFree, None, detail, vec![]));
    }
    if says("Causality violation") || says("to cell") || says("from cell") || says("in `with_mut` call") {
        let detail = Detail::Raced { said: first_line(message).to_owned() };
        return Meaning::Failure(failure(Class::DataRace, Property::AccessesOrdered, None, detail, vec![]));
    }
    if says("leaked") {
        let (what, place) =
            memory::first_live().map_or((Allocation::Unknown, None), |(what, place)| (what, log::shown(place)));
        return Meaning::Failure(leak(what, place));
    }
    if says("already released") || says("is released") || says("not tracked") {
        let detail = Detail::UsedAfterFree { said: first_line(message).to_owned() };
        return Meaning::Failure(failure(Class::DoubleFree, Property::NotUsedAfterFree, None, detail, vec![]));
    }
    if says("fully deterministic") || says("wasn't deterministic") || says("possible nondeterminism") {
        return Meaning::Failure(nondeterminism(vec![]));
    }
    if says("maximum number of branches") || says("max_steps") {
        return Meaning::Limit(EngineLimit::TooManySteps);
    }
    if says("did not exercise any concurrency") {
        return Meaning::Limit(EngineLimit::OneThread);
    }
    if says("self.max()") || says("self.max_threads") {
        return Meaning::Limit(EngineLimit::TooManyThreads { most: threads::THREADS_MAX });
    }
    if says("outside a Loom model") || says("outside of a Shuttle test") || says("outside a Shuttle test") {
        return Meaning::Misuse(format!(
            "an object of refrain::sync is used outside of an execution ({message}): create it inside the model, not in a \
             static, and use it in no destructor that runs after the model"
        ));
    }
    Meaning::Limit(EngineLimit::Panicked { place, message: first_line(message).to_owned() })
}

/// Returns the failure of an execution that is not a function of its plan.
pub(super) fn nondeterminism(causes: Vec<Cause>) -> Failure {
    failure(Class::Nondeterminism, Property::Deterministic, None, Detail::NotAsPlanned, causes)
}

/// Returns the failure of an execution in which these threads wait for ever, in loops that yield.
pub(super) fn never_ends(waiting: &[Waiting]) -> Failure {
    let loops: Vec<ThreadWaiting> = waiting
        .iter()
        .map(|Waiting { thread, place, atomic }| ThreadWaiting {
            thread: *thread,
            waits: ThreadWait::Loop { atomic: *atomic },
            place: log::shown(place),
        })
        .collect();
    let place = loops.iter().filter_map(|waiting| waiting.place.clone()).min();
    let is_blocked = |cause: &Cause| !matches!(cause, Cause::ThreadWaits(blocked) if waiting.iter().any(|waiting| waiting.thread == blocked.thread));
    let blocked: Vec<Cause> = log::waits().0.into_iter().filter(is_blocked).collect();
    let causes = loops.into_iter().map(Cause::ThreadWaits).chain(blocked).collect();
    failure(Class::Deadlock, Property::Progress, place, Detail::Deadlocked, causes)
}

/// Returns the failure that something of this kind, allocated at this place, outlives its execution.
pub(super) fn leak(what: Allocation, place: Option<Place>) -> Failure {
    failure(Class::Leak, Property::Freed, place, Detail::NotFreed(what), vec![])
}

fn failure(class: Class, property: Property, place: Option<Place>, detail: Detail, causes: Vec<Cause>) -> Failure {
    Failure { class, property, place, detail, causes }
}

fn first_line(message: &str) -> &str {
    message.lines().next().unwrap_or_default()
}

/// Returns whether a file belongs to the source of an engine: a registry directory named after the package and its
/// version.
pub(super) fn is_of_an_engine(file: &str) -> bool {
    let is_version = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let folder = |name: &str| {
        file.split('/').any(|part| {
            part.strip_prefix(name)
                .and_then(|rest| rest.rsplit_once('-'))
                .is_some_and(|(_, version)| is_version(version))
        })
    };
    file.contains("/src/") && (folder("loom") || folder("shuttle") || folder("generator"))
}

#[cfg(test)]
mod tests {
    use super::is_of_an_engine;

    #[test]
    fn a_file_is_an_engines_by_the_version_of_its_package() {
        let registry = "cargo/registry/src/index-1949cf8c6b5b557f";
        for package in ["loom-0.7.3", "shuttle-0.9.10", "shuttle-engine-0.1.8", "generator-0.8.11"] {
            assert!(is_of_an_engine(&format!("{registry}/{package}/src/rt/execution.rs")), "{package}");
        }
        for service in ["src/loom.rs", "loom-core/src/lib.rs", "shuttle/src/bus.rs", "generator-power/src/lib.rs"] {
            assert!(!is_of_an_engine(service), "{service}");
        }
    }
}
