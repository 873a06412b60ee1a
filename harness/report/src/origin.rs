//! Formats where a difference between two runs came from.

use super::words::{at, counted, grouped, raw};
use refrain_core::verdict::{
    Answer, Backtrace, Difference, MadeCall, Metadata, NotLogged, Origin, OtherAnswer, OtherCall, Unseen,
};
use std::io;

/// Formats the first call that had another answer: `` `read` of data/count ``.
pub(super) fn first(origin: &Origin) -> Option<String> {
    let Origin::Answers(answers) = origin else { return None };
    answers.first().map(|first| format!("{} gave another answer", call(first)))
}

/// Formats what the logs say, one text each.
pub(super) fn lines(origin: &Origin) -> Vec<String> {
    match origin {
        Origin::Answers(answers) => (0..).zip(answers).flat_map(|(nth, answer)| other_answer(nth, answer)).collect(),
        Origin::SameAnswers { calls, unseen, other } => {
            let compared = counted(*calls, "calls");
            let none = format!("no call has another answer before that in the logs of both runs: {compared} compared");
            let title = (!unseen.is_empty()).then(|| "what remains, as no log shows it:".to_owned());
            let remains = unseen.iter().map(|what| format!("  {}", not_seen(*what)));
            let other = other.iter().flat_map(|other| other_call(other));
            [none].into_iter().chain(other).chain(title).chain(remains).collect()
        }
        Origin::NotLogged(why) => vec![not_logged(*why)],
        other => vec![raw(other)],
    }
}

/// Says what to do.
pub(super) fn advice(origin: &Origin) -> String {
    let first = match origin {
        Origin::Answers(answers) => answers.first().map(|first| &*first.call),
        _ => None,
    };
    let what = match first {
        Some("rdtsc" | "rdtscp") => {
            "take the time from `tokio::time` or `std::time::Instant`, which a plan decides, rather than from the processor"
        }
        Some("getrusage" | "times") => "let nothing that the service does depend on the processor time that it used",
        Some("getdents64") => "sort the entries of a folder before their order has an effect",
        Some("statx" | "stat" | "lstat" | "fstat" | "fstatat") => {
            "let the test make the file anew in each run, and let nothing depend on its times and its number"
        }
        Some(_) => {
            "let the test make what is read anew in each run, such as in a temporary folder, or pass it as an argument"
        }
        None if remains(origin, Unseen::Threads) => {
            "let the service use `tokio::task::spawn_blocking`, and test what threads share with `#[refrain::model]`"
        }
        None => "let nothing that the service does depend on what remains",
    };
    what.to_owned()
}

/// Returns whether it may be what no log shows.
fn remains(origin: &Origin, what: Unseen) -> bool {
    matches!(origin, Origin::SameAnswers { unseen, .. } if unseen.contains(&what))
}

/// Formats the first call that is another one in each run.
fn other_call(OtherCall { nth, calls }: &OtherCall) -> Vec<String> {
    let title = format!("call {} is the first that is another one in each run:", grouped(*nth + 1));
    let of_run = |(run, made): (u8, &Option<MadeCall>)| match made {
        Some(made) => format!("  run {run}: {}{}", named(&made.call, &made.about), place(&made.backtrace)),
        None => format!("  run {run}: none"),
    };
    [title].into_iter().chain((1..).zip(calls).map(of_run)).collect()
}

fn call(OtherAnswer { call, about, .. }: &OtherAnswer) -> String {
    named(call, about)
}

fn named(call: &str, about: &str) -> String {
    match about {
        "" => format!("`{call}`"),
        about => format!("`{call}` of {about}"),
    }
}

fn other_answer(nth: usize, other: &OtherAnswer) -> Vec<String> {
    let place = place(&other.backtrace);
    let [one, two] = &other.answers;
    let title = match nth {
        0 => format!("the first call with another answer: {}{place}", call(other)),
        _ if one.difference(two) == Some(Difference::Content) => format!("the next: {}{place}", call(other)),
        _ => format!("another answer only in the times of a file, or in which file it is: {}{place}", call(other)),
    };
    let of_run = |(run, this, that)| format!("  run {run}: {}", answer(this, that));
    [title].into_iter().chain([(1, one, two), (2, two, one)].map(of_run)).collect()
}

/// Formats the innermost place of a call.
fn place(backtrace: &Backtrace) -> String {
    let frame = backtrace.frames.iter().find(|frame| frame.place.is_some());
    frame.map(|frame| at(&frame.place)).unwrap_or_default()
}

/// Formats an answer; of a file, what differs from the other answer.
pub(super) fn answer(answer: &Answer, other: &Answer) -> String {
    match answer {
        Answer::Failed(errno) => io::Error::from_raw_os_error(*errno).to_string(),
        Answer::Number(number) => number.to_string(),
        Answer::Bytes { length, hash, begins } => {
            let text = format!("{}, {begins:?}{}", counted(*length, "bytes"), more(begins.len() as u64, *length));
            let reads_the_same =
                matches!(other, Answer::Bytes { length: l, begins: b, .. } if l == length && b == begins);
            if reads_the_same { format!("{text}, hash {hash:016x}") } else { text }
        }
        Answer::File(file) => match other {
            Answer::File(other) => metadata(file, other),
            _ => counted(file.size, "bytes"),
        },
        Answer::Entries { count, hash, begins } => {
            let text =
                format!("{}: {}{}", counted(*count, "names"), begins.join(", "), more(begins.len() as u64, *count));
            let reads_the_same =
                matches!(other, Answer::Entries { count: c, begins: b, .. } if c == count && b == begins);
            if reads_the_same { format!("{text}, hash {hash:016x}") } else { text }
        }
        Answer::ProcessorTime(nanos) => format!("{} ns of processor time", grouped(*nanos)),
        other => raw(other),
    }
}

/// Marks that there is more.
fn more(shown: u64, of: u64) -> &'static str {
    if shown < of { " ..." } else { "" }
}

/// Formats what another answer says differently of a file.
fn metadata(file: &Metadata, other: &Metadata) -> String {
    let fields = [
        (file.size != other.size, counted(file.size, "bytes")),
        (file.mode != other.mode, format!("mode {:o}", file.mode)),
        (file.inode != other.inode, format!("inode {}", file.inode)),
        (file.links != other.links, counted(file.links, "links")),
        (file.owner != other.owner, format!("owner {}", file.owner)),
        (file.created != other.created, format!("created {}", time(file.created))),
        (file.modified != other.modified, format!("modified {}", time(file.modified))),
        (file.changed != other.changed, format!("changed {}", time(file.changed))),
        (file.accessed != other.accessed, format!("accessed {}", time(file.accessed))),
    ];
    let differing: Vec<String> = fields.into_iter().filter(|(differs, _)| *differs).map(|(_, text)| text).collect();
    differing.join(", ")
}

/// A time of a file in seconds since 1970, as `stat --format=%.9Y` prints it.
fn time(nanos: i64) -> String {
    format!("at {}.{:09}", nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000))
}

fn not_seen(unseen: Unseen) -> &'static str {
    match unseen {
        Unseen::Addresses => "addresses, which are random on this system",
        Unseen::Threads => "the order of threads, which the test allows, and the data races between them",
        Unseen::LaterCalls => "the calls after those that were compared, as a log has a limit",
        Unseen::TimeStamps => "the instruction rdtsc, which this machine does not trap",
        Unseen::ProcessorsChance => "the instruction rdrand",
        Unseen::Memory => "memory that another process writes",
        _ => "something else",
    }
}

fn not_logged(why: NotLogged) -> String {
    let why = match why {
        NotLogged::NoFilters => "this system has no seccomp filters",
        NotLogged::ProcessesAllowed => "a test that allows processes has no guard",
        _ => "the engine has none",
    };
    format!("which call gave another answer is unknown, as the guard's log is missing: {why}")
}
