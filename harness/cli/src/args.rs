//! The command line.

use clap::{Args as Arguments, Parser, Subcommand, ValueEnum};
use refrain_core::{protocol::Isolation, verdict::Class};
use std::{
    num::{NonZeroU64, NonZeroUsize},
    path::PathBuf,
    time::Duration,
};

/// A fixed width, so that the help does not depend on the terminal.
const HELP_WIDTH: usize = 100;

const EXIT_CODES: &str = "\
Exit codes; of several results, the one listed last counts:
  0  all passed; a seeded bug that was caught counts as passed
  4  nothing to run: no test matches
  5  a replay fails in a different way than the saved run
  6  a replay is stale: parts of its plan were not triggered
  1  a failure was found or reproduced, or a seeded bug was not caught
  3  the harness could not run, or was interrupted before it had an answer
  2  the command line is wrong";

/// Explores, replays, shrinks and shows the runs of tests written with refrain.
#[derive(Debug, Parser)]
#[command(name = "cargo-refrain", bin_name = "cargo refrain", version, term_width = HELP_WIDTH)]
#[command(after_help = EXIT_CODES)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
    /// What is printed: text, or one JSON object a line for programs, as harness/report/schema/messages.json describes
    #[arg(long, value_name = "FORM", global = true, default_value = "human", help_heading = "Output")]
    pub message_format: MessageFormat,
}

/// For whom the output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MessageFormat {
    Human,
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Let the tests of a tokio service simulate it with all its dependencies; a second time changes nothing
    Init(Init),
    /// Make `.refrain/` again, in a new clone or after `cargo update`
    Sync(Sync),
    /// Run tests with plans drawn from a new seed, and save the failures
    Explore(Explore),
    /// Run a test once and show everything that happens, whether it fails or not
    Run(Run),
    /// Run saved traces again and report whether they still fail
    Replay(Replay),
    /// Find the event after which a saved failure was inevitable: its run goes on in other ways from many of its events
    Cause(Cause),
    /// Look for a smaller plan that fails in the same way, and write it over the trace
    Shrink(Shrink),
    /// Print what happened in saved traces; nothing is built or run
    Show(Show),
    /// Write a model: what the tasks of a saved trace did to one resource, each on a thread; nothing is built or run
    Model(Model),
    /// List the refrain tests and their saved traces
    List(List),
}

#[derive(Debug, Arguments)]
pub struct Init {
    /// Packages whose tests use refrain; may be given several times [default: every one that names tokio]
    #[arg(long, short, value_name = "PACKAGE")]
    pub package: Vec<String>,
    /// Dependencies whose locks are part of models, `parking_lot,dashmap`; none: an empty text [default: as it is]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub models: Option<Vec<String>>,
    /// A clone of refrain's repository, to use in place of the registry's
    #[arg(long, value_name = "FOLDER")]
    pub clone: Option<PathBuf>,
    /// The Cargo.toml of the workspace [default: the one above the current directory]
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<PathBuf>,
}

#[derive(Debug, Arguments)]
pub struct Sync {
    /// The Cargo.toml of the workspace [default: the one above the current directory]
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<PathBuf>,
}

#[derive(Debug, Arguments)]
pub struct Explore {
    /// Explore only tests whose name contains this
    pub test: Option<String>,
    /// Explore tests with `#[ignore]`, too
    #[arg(long)]
    pub include_ignored: bool,
    /// Number of runs of each test [default: as the test specifies]
    #[arg(long, value_name = "N", conflicts_with = "duration")]
    pub runs: Option<NonZeroU64>,
    /// Time for all tests together, such as 30s, 10m or 8h
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub duration: Option<Duration>,
    /// Number of parallel runs [default: one per core]
    #[arg(long, short, value_name = "J")]
    pub jobs: Option<NonZeroUsize>,
    /// The base seed [default: a random one, which is printed]
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
    /// How runs are kept apart: `rewind` lets a process become again what it was after each, `fork` gives each a process of its own, and `both`
    /// compares the two: a run that is not the same in both is a failure
    #[arg(long, value_name = "HOW", default_value = "rewind", value_parser = isolation)]
    pub isolation: Isolation,
    /// Print what each engine searched of each model, not only the last one
    #[arg(long, short)]
    pub verbose: bool,
    /// Print one line of JSON for each test, and nothing else
    #[arg(long, conflicts_with = "verbose")]
    pub json: bool,
    /// Write a JUnit report to this file, too
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write the counters of source coverage of the runs with each kind of fault, and of those without any, to files in this folder. The tests
    /// must be built with `-Cinstrument-coverage`
    #[arg(long, value_name = "DIR")]
    pub fault_coverage: Option<PathBuf>,
    #[command(flatten)]
    pub build: Build,
    /// Only tests of this package; may be given several times [default: every package of the workspace]
    #[arg(long, short, value_name = "PACKAGE", help_heading = BUILD)]
    pub package: Vec<String>,
}

#[derive(Debug, Arguments)]
pub struct Replay {
    /// Saved traces, from anywhere
    #[arg(required = true, value_name = "TRACE")]
    pub traces: Vec<PathBuf>,
    /// Stop before this event, counted from 0, and show what every task waits for
    #[arg(long, value_name = "EVENT")]
    pub until: Option<usize>,
    /// Wait for a debugger, and stop in it; no limits on time
    #[arg(long, conflicts_with = "until")]
    pub debug: bool,
    /// Stop in the debugger before this event [default: the first one]
    #[arg(long, value_name = "EVENT", requires = "debug")]
    pub at: Option<usize>,
    #[command(flatten)]
    pub build: Build,
}

#[derive(Debug, Arguments)]
pub struct Run {
    /// The test: its name, or a part of it that no other test has
    pub test: String,
    /// Draw everything from this seed [default: a run without faults]
    #[arg(long, value_name = "N", conflicts_with = "plan")]
    pub seed: Option<u64>,
    /// Run the plan in this file: its sentences, as `show --plan` prints them, or a trace
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Put another run beside it: that of this plan or trace [default: if it fails, the passing run that differs last]
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    pub diff: Option<Option<PathBuf>>,
    #[command(flatten)]
    pub shown: Shown,
    #[command(flatten)]
    pub build: Build,
    /// Only tests of this package; may be given several times [default: every package of the workspace]
    #[arg(long, short, value_name = "PACKAGE", help_heading = BUILD)]
    pub package: Vec<String>,
}

#[derive(Debug, Arguments)]
pub struct Cause {
    /// A saved trace, which still fails
    #[arg(value_name = "TRACE")]
    pub trace: PathBuf,
    /// How to show it: a table, JSON for programs, or the page of the trace with a curve
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub format: CauseForm,
    /// Write to this file, not to standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Number of parallel runs [default: one per core]
    #[arg(long, short, value_name = "J")]
    pub jobs: Option<NonZeroUsize>,
    #[command(flatten)]
    pub build: Build,
}

/// A form in which the cause is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CauseForm {
    Text,
    Json,
    Html,
}

#[derive(Debug, Arguments)]
pub struct Shrink {
    /// A saved trace; it is overwritten if a smaller plan is found. Ctrl-C keeps the smallest so far
    #[arg(value_name = "TRACE")]
    pub trace: PathBuf,
    /// Number of parallel runs [default: one per core]
    #[arg(long, short, value_name = "J")]
    pub jobs: Option<NonZeroUsize>,
    #[command(flatten)]
    pub build: Build,
}

#[derive(Debug, Arguments)]
pub struct Show {
    /// Saved traces, from anywhere
    #[arg(required = true, value_name = "TRACE")]
    pub traces: Vec<PathBuf>,
    /// Print only the plan
    #[arg(long, conflicts_with = "format")]
    pub plan: bool,
    #[command(flatten)]
    pub shown: Shown,
}

/// In which form a run is shown, which of its events, and where.
#[derive(Debug, Arguments)]
pub struct Shown {
    /// How to show it: a table, JSON for programs, an HTML page, a trace for ui.perfetto.dev, a Mermaid sequence diagram, a capture for
    /// Wireshark
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub format: Form,
    /// Write to this file, not to standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub events: Events,
}

/// Which events are shown.
#[derive(Debug, Arguments)]
pub struct Events {
    /// Only events from this one on, counted from 0
    #[arg(long, value_name = "EVENT", help_heading = EVENTS)]
    pub from: Option<usize>,
    /// Only events up to this one
    #[arg(long, value_name = "EVENT", help_heading = EVENTS)]
    pub to: Option<usize>,
    /// Only the last N of the events that the other options let through
    #[arg(long, value_name = "N", help_heading = EVENTS)]
    pub tail: Option<usize>,
    /// Only events on this host, or of this thread of a model, `thread 1`; may be given several times
    #[arg(long, value_name = "HOST", help_heading = EVENTS)]
    pub host: Vec<String>,
    /// Only events of tasks whose name contains this
    #[arg(long, value_name = "TEXT", help_heading = EVENTS)]
    pub task: Option<String>,
    /// Only events of connections whose name contains this, such as notes:49152
    #[arg(long, value_name = "TEXT", help_heading = EVENTS)]
    pub conn: Option<String>,
    /// Only events that contain this text
    #[arg(long, value_name = "TEXT", help_heading = EVENTS)]
    pub grep: Option<String>,
}

const EVENTS: &str = "Which events to show";

/// A form in which a run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    Text,
    Json,
    Html,
    Perfetto,
    Mermaid,
    Pcapng,
}

#[derive(Debug, Arguments)]
pub struct Model {
    /// A saved trace of a simulation, whose service reports what it does to the resource that the failure is about
    #[arg(value_name = "TRACE")]
    pub trace: PathBuf,
    /// The file whose code the threads run; it imports its primitives from `super::sync`
    #[arg(long, value_name = "FILE")]
    pub core: PathBuf,
    /// The type in it whose methods have the names of what the service reports: `opened`, ..., and `at_rest`
    #[arg(long = "type", value_name = "NAME", value_parser = identifier)]
    pub name: String,
    /// The test file to write, such as tests/session_race.rs
    #[arg(long, short, value_name = "FILE")]
    pub output: PathBuf,
    /// The class of failure that the model must find, for a seeded bug
    #[arg(long, value_name = "CLASS", value_parser = class)]
    pub expect: Option<Class>,
}

#[derive(Debug, Arguments)]
pub struct List {
    #[command(flatten)]
    pub build: Build,
    /// Only this package; may be given several times [default: every package of the workspace]
    #[arg(long, short, value_name = "PACKAGE", help_heading = BUILD)]
    pub package: Vec<String>,
}

const BUILD: &str = "Build options, as in cargo";

/// How the tests are built.
#[derive(Debug, Default, Arguments)]
#[command(next_help_heading = BUILD)]
pub struct Build {
    /// Build with optimisations
    #[arg(long, short, conflicts_with = "profile")]
    pub release: bool,
    /// Build with this profile
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Features to enable, separated by spaces or commas; may be given several times
    #[arg(long, short = 'F', value_name = "FEATURES")]
    pub features: Vec<String>,
    /// Enable all features
    #[arg(long)]
    pub all_features: bool,
    /// Disable the default features
    #[arg(long)]
    pub no_default_features: bool,
    /// The Cargo.toml of the workspace [default: the one above the current directory, or above the trace]
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<PathBuf>,
}

fn identifier(text: &str) -> Result<String, String> {
    let is_valid = |c: char| c == '_' || c.is_ascii_alphanumeric();
    match text.chars().all(is_valid) && text.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic()) {
        true => Ok(text.to_owned()),
        false => Err("expected the name of a type, without its path and without parameters".into()),
    }
}

fn class(text: &str) -> Result<Class, String> {
    let names = || Class::ALL.iter().copied().map(Class::name).collect::<Vec<_>>().join(", ");
    text.parse().map_err(|_| format!("expected one of {}", names()))
}

fn isolation(text: &str) -> Result<Isolation, String> {
    match text {
        "rewind" => Ok(Isolation::Rewind),
        "fork" => Ok(Isolation::Fork),
        "both" => Ok(Isolation::Both),
        _ => Err("expected rewind, fork or both".into()),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if duration.as_secs() > 0 => Ok(duration),
        Ok(_) => Err("at least one second is needed".into()),
        Err(error) => Err(format!("{error}; write it as 30s, 10m or 1h 30m")),
    }
}
