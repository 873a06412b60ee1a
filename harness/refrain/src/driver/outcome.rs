//! Outcomes as snapshots: what the service logged in the fault-free run, and the timeline of each replay. Both are of runs
//! executed just now.

use super::{replay::makes_the_same_run, save};
use crate::{
    engine::Refusal,
    event::{Event, Kind, Level},
    job::Ran,
    package,
    report::{self, Filter, Style, timeline},
    test::Test,
};
use std::path::{Path, PathBuf};

/// A text for the caller to assert with `insta`.
#[derive(Debug)]
pub struct Snapshot {
    /// The directory of the package's snapshots.
    pub folder: PathBuf,
    /// The snapshot's name.
    pub name: String,
    /// The description stored with the snapshot.
    pub description: String,
    /// The content.
    pub text: String,
}

fn folder(test: &Test) -> Result<PathBuf, Refusal> {
    Ok(package::folder(test)?.join("tests").join("snapshots"))
}

/// Returns what the service and the test logged in the fault-free run, in order and without times.
pub(crate) fn outcome(test: &Test, ran: &Ran) -> Result<Snapshot, Refusal> {
    let lines = ran.events.iter().filter(|event| is_said(&event.kind)).map(line);
    Ok(Snapshot {
        folder: folder(test)?,
        name: format!("{}.outcome", test.name().replace("::", ".")),
        description: format!("what is said in the run of {} without faults", test.name()),
        text: lines.collect::<Vec<_>>().join("\n"),
    })
}

/// Returns whether the event is output of the service or the test. Debug logging does not count.
fn is_said(kind: &Kind) -> bool {
    match kind {
        Kind::Log(log) => log.level <= Level::Info,
        Kind::Resolve { .. } | Kind::Holds { .. } | Kind::Saw { .. } | Kind::PanicAllowed { .. } | Kind::Verdict => {
            true
        }
        _ => false,
    }
}

fn line(event: &Event) -> String {
    let host = if event.host.is_empty() { "test" } else { &event.host };
    format!("{host}: {}", report::event(event))
}

/// Returns the timeline of the run that a replay of a saved trace executed; only its name is from the trace. `None` if the run
/// passed, or if no two runs of such a plan are identical.
pub(crate) fn of_replay(test: &Test, path: &Path, run: &Ran) -> Result<Option<Snapshot>, Refusal> {
    let Some(failure) = run.verdict.failure().filter(|failure| makes_the_same_run(failure.class)) else {
        return Ok(None);
    };
    let name = path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    Ok(Some(Snapshot {
        folder: folder(test)?,
        description: format!("the timeline of a replay of traces/{name}.jsonl"),
        name: format!("{name}.timeline"),
        text: timeline(&save::trace(test, run, failure), &Filter::default(), Style::default()),
    }))
}
