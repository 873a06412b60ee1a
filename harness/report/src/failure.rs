//! Formats a failure and its causes.

use super::{
    Style, history, origin,
    paint::{BOLD, ink, lines, paint},
    words::{actor, at, duration, raw},
};
use anstyle::AnsiColor;
use refrain_core::{
    escape::escaped,
    place::Place,
    verdict::{Access, Actor, Allocation, Cause, Detail, Failure, Frame, Origin, Outside, Property, Waiting},
};

/// Formats the first line of a failure: `stall: ...`, with `...` for further lines.
pub fn headline(failure: &Failure, style: Style) -> String {
    let message = message(failure);
    let (first, more) = message.split_once('\n').map_or((&*message, ""), |(first, _)| (first, " ..."));
    format!("{}: {}{more}", paint(failure.class.name(), ink(AnsiColor::Red), style), escaped(first))
}

/// Formats `FAILED stall: ...` and, indented below it, where and why. Ends with a newline.
pub fn failure(failure: &Failure, style: Style) -> String {
    let mut text = Vec::new();
    let head = format!("FAILED {}: ", failure.class);
    for (nth, line) in lines(&format!("{head}{}", message(failure)), 2, style).iter().enumerate() {
        text.push(match line.strip_prefix(&head) {
            Some(rest) if nth == 0 => {
                let head = head.trim_end_matches(": ");
                format!("{}: {}", paint(head, ink(AnsiColor::Red).bold(), style), paint(rest, BOLD, style))
            }
            _ => format!("{}{}", if nth == 0 { "" } else { "  " }, paint(line, BOLD, style)),
        });
    }
    for line in below(failure) {
        for (nth, line) in lines(&line, 4, style).iter().enumerate() {
            text.push(format!("{}{line}", if nth == 0 { "  " } else { "    " }));
        }
    }
    text.iter().map(|line| format!("{}\n", line.trim_end_matches(' '))).collect()
}

/// Formats what happened as a sentence; a panic's message may have several lines.
pub fn message(Failure { property, detail, .. }: &Failure) -> String {
    let named = property.kind().unwrap_or_default();
    match detail {
        Detail::Panicked { by: Actor::Task { host, .. }, message, .. } => format!("{host}: {message}"),
        Detail::Panicked { by, message, .. } => format!("{}: {message}", actor(by)),
        Detail::Killed { signal } => format!("the process was killed by {signal}"),
        Detail::StackOverflowed => "the stack overflowed".to_owned(),
        Detail::OutOfMemory { limit_bytes } => {
            format!("the run exceeded its memory limit of {} MiB", limit_bytes >> 20)
        }
        Detail::Exited { code } => format!("the process called exit({code}) in the middle of the run"),
        Detail::ProcessExited { host, error: Some(error) } => {
            format!("the process of {host} exited with an error: {error}")
        }
        Detail::ProcessExited { host, error: None } => {
            format!("the process of {host} exited by itself; if that is expected, call may_exit() on its host")
        }
        Detail::Hung { limit_ms, busy } => {
            let what = if *property == Property::ExecutionEnds { "execution" } else { "poll" };
            let (time, why) = match busy {
                true => ("processor time", "a loop that never ends"),
                false => ("real time", "a call that blocks the thread"),
            };
            format!("one {what} took more than {} of {time}: {why}", duration(limit_ms.saturating_mul(1_000_000)))
        }
        Detail::Escaped { call, to, outside, .. } => escape(call, to, *outside),
        Detail::Livelocked { .. } => "tasks wake each other without end while virtual time does not advance".to_owned(),
        Detail::NotReached { .. } => not_reached(property, detail),
        Detail::TimedOut { at } => format!("the test did not end within {} of virtual time", duration(*at)),
        Detail::Deadlocked => "no task can make progress: all of them wait".to_owned(),
        Detail::LockedTwice { thread } => format!("thread {thread} waits for a lock that it holds itself"),
        Detail::Broken { by } => match property {
            Property::Always(what) => format!("`{what}` does not hold after a poll of {}", actor(by)),
            _ => format!("a property does not hold after a poll of {}", actor(by)),
        },
        Detail::NotLinearizable { key, operations, .. } => history::message(property, key.as_deref(), operations),
        Detail::Disagrees { operations, expected, .. } => history::disagrees(property, operations, expected),
        Detail::Logged { target, message, .. } => match property {
            Property::Never(never) => {
                format!("`{}` must never be logged, and {target} logged: {message}", never.message)
            }
            Property::Invariant(what) => format!("the invariant `{what}` of {target} does not hold: {message}"),
            _ => format!("{target} logged: {message}"),
        },
        Detail::Leaked { open, limit, waited } => {
            format!("{open} `{named}` still open after {} (limit {limit})", duration(*waited))
        }
        Detail::ClosedTwice { id, .. } => format!("`{named}` {id} was closed although it was not open there"),
        Detail::Raced { said } => {
            format!("two threads access the same memory without synchronization: {said}")
        }
        Detail::CellRaced { cell, created, accesses } => {
            let does = |access: &Access| if access.writes { "writes" } else { "reads" };
            let [one, other] = &**accesses;
            format!(
                "thread {} {} cell{cell}{}, thread {} {} it{}, without synchronization; cell{cell} was created{}",
                one.thread,
                does(one),
                at(&one.place),
                other.thread,
                does(other),
                at(&other.place),
                at(created)
            )
        }
        Detail::FreedUsed { used, freed, after: true } => format!(
            "thread {} uses memory{} that thread {} freed{}",
            used.thread,
            at(&used.place),
            freed.thread,
            at(&freed.place)
        ),
        Detail::FreedUsed { used, freed, after: false } => format!(
            "thread {} frees memory{}, without synchronization with its use by thread {}{}",
            freed.thread,
            at(&freed.place),
            used.thread,
            at(&used.place)
        ),
        Detail::FreedAgain { by, before: Some(before), .. } => {
            format!("{} frees memory that thread {} freed before{}", actor(by), before.thread, at(&before.place))
        }
        Detail::NotAllocated | Detail::FreedAgain { .. } => {
            "memory was freed that is not allocated: it was freed before, or never allocated".to_owned()
        }
        Detail::UsedAfterFree { said } => said.clone(),
        Detail::NotFreed(what) => format!("{} is never freed", allocation(*what)),
        Detail::RunsDiffer { event, origin } => {
            let after = origin.as_deref().and_then(origin::first).map(|call| format!(", after {call}"));
            format!("two runs of the same plan differ from event {event} on{}", after.unwrap_or_default())
        }
        Detail::NotAsPlanned => "an execution of the model did not follow its plan".to_owned(),
        other => raw(other),
    }
}

fn not_reached(property: &Property, detail: &Detail) -> String {
    let (Property::Eventually(what), Detail::NotReached { within, healed, attempts, last, pending }) =
        (property, detail)
    else {
        return "a property did not hold in time".to_owned();
    };
    let after = if *healed { " after the network healed" } else { "" };
    let made = attempts.saturating_add(u32::from(*pending));
    let made = format!("{made} attempt{}", if made == 1 { "" } else { "s" });
    let attempts = match (pending, last) {
        (true, None) => format!("{made}, still pending"),
        (true, Some(why)) => format!("{made}, the last one still pending, the one before failed: {why}"),
        (false, Some(why)) => format!("{made}, the last one failed: {why}"),
        (false, None) => made,
    };
    format!("`{what}` did not hold within {}{after}: {attempts}", duration(*within))
}

/// Formats what a call reaches for.
fn escape(call: &str, to: &str, outside: Outside) -> String {
    let what = match outside {
        Outside::Network => "reaches out of the simulation",
        Outside::Processes => "reaches for another process",
        Outside::Threads => "waits for a thread that cannot go on",
        Outside::Files => "opens a file outside of the workspace",
        Outside::SystemCalls => "is a system call that no simulation has",
        _ => "leaves the simulation",
    };
    match (outside, to) {
        (_, "") => format!("`{call}` {what}"),
        (Outside::Network, to) => format!("`{call}` {what}, to {to}"),
        (_, to) => format!("`{call}` {what}: {to}"),
    }
}

/// Returns what to do instead of leaving the simulation.
fn instead(outside: Outside) -> &'static str {
    match outside {
        Outside::Network => "let it use tokio's sockets, or let a host of the test stand for what it talks to",
        Outside::Processes => "let a host of the test stand for the program",
        Outside::Threads => "let the destructor not wait for a lock that others hold while they block",
        Outside::Files => "keep the file in the package, and let the test pass its path",
        _ => "let the test configure the service without it",
    }
}

fn allocation(what: Allocation) -> String {
    let name = match what {
        Allocation::Arc => "an Arc",
        Allocation::Track => "a tracked value",
        Allocation::Memory => "memory",
        Allocation::Unknown => "something",
        other => return raw(&other),
    };
    name.to_owned()
}

/// Formats place, causes and advice, one text each.
fn below(failure: &Failure) -> Vec<String> {
    let Failure { property, place, detail, causes, .. } = failure;
    let at = place.as_ref().filter(|place| !causes.iter().any(|cause| names(cause, place)));
    let at = at.map(|place| match detail {
        Detail::NotFreed(_) => format!("allocated at {place}"),
        _ => format!("at {place}"),
    });
    let by = match detail {
        Detail::Panicked { by: by @ Actor::Task { .. }, .. } => Some(format!("in {}", actor(by))),
        Detail::Logged { by, .. } => Some(format!("logged by {}", actor(by))),
        Detail::ClosedTwice { by, .. } => Some(format!("closed by {}", actor(by))),
        Detail::Escaped { by, outside, .. } => Some(format!(
            "by {}: {}; or allow it with `allow = [\"{}\"]` in the test's attribute",
            actor(by),
            instead(*outside),
            outside.name()
        )),
        Detail::FreedAgain { by, .. } => Some(format!("freed by {}", actor(by))),
        Detail::Livelocked { last } => Some(format!("polled last: {}", actor(last))),
        _ => None,
    };
    let causes = super::cause::causes(causes, property);
    let differs = match detail {
        Detail::RunsDiffer { origin: Some(origin), .. } => origin::lines(origin),
        _ => vec![],
    };
    let operations = match detail {
        Detail::NotLinearizable { begins, operations, .. } => history::lines("before them", begins, operations),
        Detail::Disagrees { begin, operations, .. } => {
            history::lines("in the beginning", &[begin.to_string()], operations)
        }
        _ => vec![],
    };
    let more = differs.into_iter().chain(operations).chain(advice(failure)).chain(backtrace(detail));
    at.into_iter().chain(by).chain(causes).chain(more).collect()
}

/// Formats the backtrace, one line per frame.
fn backtrace(detail: &Detail) -> Vec<String> {
    let backtrace = match detail {
        Detail::Panicked { backtrace, .. }
        | Detail::Escaped { backtrace, .. }
        | Detail::FreedAgain { backtrace, .. } => &**backtrace,
        Detail::RunsDiffer { origin: Some(origin), .. } => match &**origin {
            Origin::Answers(answers) if !answers.is_empty() => &answers[0].backtrace,
            _ => return vec![],
        },
        _ => return vec![],
    };
    let frame = |Frame { function, place }: &Frame| format!("  {function}{}", at(place));
    let title = (!backtrace.frames.is_empty()).then(|| "backtrace, innermost first:".to_owned());
    title.into_iter().chain(backtrace.frames.iter().map(frame)).collect()
}

/// Returns whether a cause already contains the place.
fn names(cause: &Cause, place: &Place) -> bool {
    match cause {
        Cause::Waits(Waiting { task, main: false, .. }) => task.place == *place,
        Cause::ThreadWaits(waiting) => waiting.place.as_ref() == Some(place),
        Cause::LastPolled(last) | Cause::LastOperation(last) => last == place,
        _ => false,
    }
}

/// Returns advice on what to check, for failures that do not say it themselves.
fn advice(failure: &Failure) -> Option<String> {
    let of_model = failure.causes.iter().any(|cause| matches!(cause, Cause::LastOperation(_)));
    match &failure.detail {
        Detail::RunsDiffer { .. } if super::differs::is_of_model(&failure.causes) => Some(
            "the model depends on something other than its threads: the order of a HashMap, a clock, a random number, a static \
             that outlives an execution"
                .to_owned(),
        ),
        Detail::RunsDiffer { origin: Some(origin), .. } if !matches!(**origin, Origin::NotLogged(_)) => {
            Some(origin::advice(origin))
        }
        Detail::RunsDiffer { .. } => Some(
            "the service reads something from outside the simulation: a file, the environment, processor time, an instruction such as \
             rdtsc and rdrand; where a test allows processes, a process number, /dev/urandom"
                .to_owned(),
        ),
        Detail::Killed { signal } if signal == "SIGSYS" => Some(
            "it made a system call that no simulation has, while signals were blocked, as `system` and `popen` of libc do for another \
             program; or allow it with `allow = [\"processes\"]` in the test's attribute"
                .to_owned(),
        ),
        Detail::Killed { signal } if of_model && signal == "SIGSEGV" => Some(
            "a pointer leads to memory that is not mapped: it is null or was never set, or a block of more than 1 MiB was freed".to_owned(),
        ),
        _ => None,
    }
}
