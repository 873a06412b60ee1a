//! What commands say to programs: one JSON object a line, as `schema/messages.json` describes.

#![allow(missing_docs, reason = "the schema describes every field")]

use super::{Standing, Style, View, failure, headline, standing, view::ascii};
use refrain_core::{
    escape::escaped,
    plan::Plan,
    protocol::{Caught, Compared, Exploration, Inevitable, Replay, SavedAt, Shrunk},
    verdict::Failure,
};
use serde::Serialize;
use std::path::Path;

/// The format of the messages, of which the number grows whenever a reader of an older one would misunderstand it.
const FORMAT: &str = "refrain-message/1";

/// What a command says. The data of the protocol is in `data`, as it is there; the rest does not change within a format.
#[derive(Debug, Serialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum Message<'a> {
    /// What has no data of its own.
    Text { text: String },
    /// Something could not be done.
    Error { text: String },
    /// A test, and its saved traces.
    Test { test: Named<'a>, place: String, expects: Option<&'static str>, ignored: bool, traces: Vec<ListedTrace> },
    /// A trace of no test.
    Orphan { test: Named<'a>, trace: ListedTrace },
    /// A test was explored.
    Explored { test: Named<'a>, result: &'static str, runs: u64, failure: Option<Failed>, data: &'a Exploration },
    /// A test could not be explored.
    NotExplored { test: Named<'a>, text: String },
    /// A run was executed.
    Ran { run: Box<View<'a>> },
    /// A run was executed, and compared with another one.
    Compared { parts_at: Option<usize>, data: &'a Compared },
    /// A saved run was executed again.
    Replayed { trace: String, test: String, result: &'static str, failure: Option<Failed>, data: &'a Replay },
    /// A run waits for a debugger in a process of this executable.
    AwaitsDebugger { process: u32, event: usize, executable: String },
    /// A saved run was continued in other ways.
    Cause {
        trace: String,
        test: String,
        saved_until: Option<usize>,
        none_saved_from: Option<usize>,
        data: &'a Inevitable,
    },
    /// A smaller plan was looked for.
    Shrunk { trace: String, test: String, before: Vec<String>, after: Vec<String>, data: &'a Shrunk },
    /// A trace is shown.
    Shown { trace: String, run: Box<View<'a>> },
    /// The plan of a trace.
    Plan { trace: String, plan: Vec<String> },
    /// A file was written.
    Written { path: String },
    /// The command ends, with this exit code. The last message.
    Finished { exit_code: u8 },
}

/// A test.
#[derive(Debug, Serialize)]
pub struct Named<'a> {
    pub package: &'a str,
    /// `test/link`.
    pub target: &'a str,
    pub name: &'a str,
}

/// A saved trace, and how its run failed.
#[derive(Debug, Serialize)]
pub struct ListedTrace {
    pub path: String,
    pub headline: String,
}

/// A failure.
#[derive(Debug, Serialize)]
pub struct Failed {
    /// The class, such as `stall`.
    class: &'static str,
    /// Its first line.
    headline: String,
    /// All its lines, as they are printed.
    text: String,
    /// The source file, relative to the workspace, if there is one.
    file: Option<String>,
    /// The line in it.
    line: Option<u32>,
    /// The sentences of the plan; empty where the trace has it.
    plan: Vec<String>,
    /// The saved trace.
    trace: Option<String>,
    /// The page that shows the run.
    page: Option<String>,
}

/// Formats a message as one line of printable ASCII.
pub fn message_line(message: &Message<'_>) -> String {
    #[derive(Serialize)]
    struct Line<'a> {
        format: &'static str,
        #[serde(flatten)]
        message: &'a Message<'a>,
    }
    ascii(&serde_json::to_string(&Line { format: FORMAT, message }).expect("its keys are strings")) + "\n"
}

/// Returns the message of an explored test.
pub fn explored<'a>(test: Named<'a>, exploration: &'a Exploration) -> Message<'a> {
    let (result, caught) = match standing(exploration) {
        Standing::Passed => ("passed", None),
        Standing::CaughtAsExpected(caught) => ("caught-as-expected", Some(caught)),
        Standing::Failed(caught) => ("failed", Some(caught)),
        Standing::Unreached => ("unreached", None),
        Standing::NotCaught(_) => ("not-caught", None),
    };
    Message::Explored { test, result, runs: exploration.runs, failure: caught.map(of_caught), data: exploration }
}

fn of_caught(caught: &Caught) -> Failed {
    let trace = match &caught.saved {
        SavedAt::Traces(path) | SavedAt::Already(path) | SavedAt::Elsewhere { path, .. } => Some(text_of(path)),
        SavedAt::Nowhere { .. } => None,
    };
    let page = caught.page.as_deref().map(text_of);
    Failed { plan: sentences(&caught.plan), trace, page, ..failed(&caught.failure) }
}

fn failed(of: &Failure) -> Failed {
    let place = of.place.as_ref();
    Failed {
        class: of.class.name(),
        headline: headline(of, Style::default()),
        text: failure(of, Style::default()),
        file: place.map(|place| escaped(&place.file)),
        line: place.map(|place| place.line),
        plan: vec![],
        trace: None,
        page: None,
    }
}

/// Returns the message of a replay.
pub fn replayed<'a>(trace: String, test: &str, replay: &'a Replay) -> Message<'a> {
    let (result, failure) = match replay {
        Replay::Reproduced { failure, .. } => ("reproduced", Some(failure)),
        Replay::PassesNow => ("passes-now", None),
        Replay::Stale { .. } => ("stale", None),
        Replay::Differs { failure, .. } => ("differs", Some(failure)),
        Replay::Stopped { .. } => ("stopped", None),
        Replay::Ended { failure, .. } => ("ended", failure.as_ref()),
    };
    Message::Replayed { trace, test: escaped(test), result, failure: failure.map(failed), data: replay }
}

/// Returns the message of a trace whose run was continued in other ways.
pub fn cause_found<'a>(trace: String, test: &str, found: &'a Inevitable) -> Message<'a> {
    let (saved, none) = found.turning_point();
    let [saved_until, none_saved_from] = [saved, none].map(|beginning| beginning.map(|beginning| beginning.events));
    Message::Cause { trace, test: escaped(test), saved_until, none_saved_from, data: found }
}

/// Returns the sentences of a plan, escaped.
pub fn sentences(plan: &Plan) -> Vec<String> {
    plan.sentences().iter().map(|sentence| escaped(sentence)).collect()
}

fn text_of(path: &Path) -> String {
    escaped(&path.to_string_lossy())
}
