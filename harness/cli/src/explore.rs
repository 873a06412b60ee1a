//! `cargo refrain explore`: runs tests with plans drawn from a seed, and reports what was caught and covered.

use crate::{
    args::Explore,
    cargo::{self, Executable, Selection},
    coverage,
    exit::{Exit, Problem},
    interrupt,
    output::{self, ProgressLine},
    reports, session,
};
use refrain_core::{
    escape::EscapedLines,
    find::Found,
    protocol::{Budget, Coverage, Exploration, Isolation, Machine, Outcome, Request, Searched},
};
use refrain_report as report;
use refrain_report::{Message, Named, Standing, Style, counted, grouped};
use serde_json::json;
use std::{
    env,
    hash::{BuildHasher, Hasher, RandomState},
    num::NonZeroUsize,
    path::Path,
    time::{Duration, Instant},
};

pub fn explore(args: &Explore) -> Result<Exit, Problem> {
    let project = cargo::project_here(&args.build)?;
    let executables = cargo::build(&project, &args.build, Selection::Packages(&args.package))?;
    let mut tests = matching(&executables, args.test.as_deref())?;
    let all = tests.len();
    tests.retain(|(_, test)| args.include_ignored || !test.ignored);
    if tests.is_empty() {
        return Err(Problem::nothing_to_run("all of these tests are ignored: explore them with --include-ignored"));
    }
    let seed = args.seed.unwrap_or_else(fresh_seed);
    let is_quiet = args.json || output::is_for_programs();
    if !is_quiet {
        output::print(&format!(
            "exploring {} from seed {seed}; repeat with: {}\n\n",
            counted(tests.len() as u64, "tests"),
            repeat(args, seed)
        ));
    }
    let coverage = args.fault_coverage.as_deref().map(coverage::folder).transpose()?;
    let started = Instant::now();
    let width = tests.iter().map(|(_, test)| test.name.len()).max().unwrap_or(0);
    let (ignored, compares) = (all - tests.len(), args.isolation == Isolation::Both);
    let mut total =
        Total { width, verbose: args.verbose, json: args.json, is_quiet, compares, ignored, ..Total::default() };
    let mut last = None;
    let mut tested = Vec::new();
    for (index, (executable, test)) in tests.iter().enumerate() {
        if !is_quiet && last != Some(&executable.path) {
            output::print(&output::heading(&format!("{} {}", executable.package.name, executable.target)));
            last = Some(&executable.path);
        }
        let budget = budget(args, started.elapsed(), tests.len() - index);
        let request = Request::Explore {
            seed,
            budget,
            jobs: args.jobs.map(NonZeroUsize::get),
            isolation: args.isolation,
            coverage: coverage.clone(),
        };
        let explored = explore_one(executable, test, request, width);
        tested.push((*executable, *test, explored));
        let (executable, test, explored) = tested.last().expect("it was just added");
        total.add(executable, test, explored);
        if interrupt::count() > 0 {
            total.not_started = tests.len() - index - 1;
            break;
        }
    }
    if !is_quiet {
        output::print(&total.text(started.elapsed()));
    }
    reports::write(args.junit.as_deref(), &tested)?;
    coverage.as_deref().map(coverage::check).transpose()?;
    Ok(total.exit())
}

fn explore_one(executable: &Executable, test: &Found, request: Request, width: usize) -> Result<Exploration, Problem> {
    let mut line = ProgressLine::new(&format!("{:width$}", test.name));
    match session::ask(executable, &test.name, &request, |progress| line.update(progress))? {
        Outcome::Explored(exploration) => Ok(exploration),
        other => Err(session::unexpected(&test.name, "an exploration", &other)),
    }
}

/// The tests whose name contains the filter, with their executables.
fn matching<'a>(
    executables: &'a [Executable],
    filter: Option<&str>,
) -> Result<Vec<(&'a Executable, &'a Found)>, Problem> {
    let all: Vec<_> = executables.iter().flat_map(|exe| exe.tests.iter().map(move |test| (exe, test))).collect();
    let Some(filter) = filter else {
        let none = "these packages have no #[refrain::test]";
        return if all.is_empty() { Err(Problem::nothing_to_run(none)) } else { Ok(all) };
    };
    let matching: Vec<_> = all.iter().copied().filter(|(_, test)| test.name.contains(filter)).collect();
    if matching.is_empty() {
        let near = crate::saved::near(filter, all.iter().map(|(_, test)| test.name.as_str()));
        return Err(Problem::nothing_to_run(format!("no refrain test matches {filter:?}{near}")));
    }
    Ok(matching)
}

/// The budget of one test. Of a time for all tests it gets its share of what is left, so that time saved by one goes to the others.
fn budget(args: &Explore, elapsed: Duration, tests_left: usize) -> Budget {
    match (args.runs, args.duration) {
        (Some(runs), _) => Budget::Runs(runs.get()),
        (None, Some(all)) => {
            let share = all.saturating_sub(elapsed).as_secs_f64() / tests_left as f64;
            Budget::Seconds(share.round().max(1.0) as u64)
        }
        (None, None) => Budget::OfTest,
    }
}

/// A seed that is short enough to type.
fn fresh_seed() -> u64 {
    RandomState::new().build_hasher().finish() % 1_000_000_000
}

/// The command that repeats the exploration.
fn repeat(args: &Explore, seed: u64) -> String {
    let given = crate::without_subcommand(env::args_os());
    let mut words: Vec<String> = given[1..].iter().map(|arg| report::shell_word(Path::new(arg))).collect();
    if args.seed.is_none() {
        words.push(format!("--seed {seed}"));
    }
    format!("cargo refrain {}", words.join(" "))
}

/// The results of all tests.
#[derive(Default)]
struct Total {
    width: usize,
    verbose: bool,
    json: bool,
    is_quiet: bool,
    /// Whether the two ways to keep runs apart are compared.
    compares: bool,
    exits: Vec<Exit>,
    /// The failures, repeated at the end: nobody reads hundreds of lines to find one.
    wrong: String,
    runs: u64,
    coverage: Coverage,
    machine: Machine,
    engines: Vec<Searched>,
    not_started: usize,
    ignored: usize,
}

impl Total {
    /// Prints the result of one test, and counts it.
    fn add(&mut self, executable: &Executable, test: &Found, explored: &Result<Exploration, Problem>) {
        if self.json {
            output::print(&json_line(executable, test, explored));
        } else if output::is_for_programs() {
            output::tell(&message(executable, test, explored), String::new);
        }
        let whole_name = || format!("{} {} {}", executable.package.name, executable.target, test.name);
        let exploration = match explored {
            Ok(exploration) => exploration,
            Err(problem) => {
                self.wrong += &format!("{}  did not run\n", whole_name());
                self.wrong += &below(|_| problem.message.clone());
                let exit = if output::is_for_programs() { problem.exit } else { output::print_error(problem) };
                return self.exits.push(exit);
            }
        };
        let standing = report::standing(exploration);
        // An interrupted test proves nothing by what it did not catch.
        let stopped = interrupt::count() > 0
            && matches!(standing, Standing::Passed | Standing::Unreached | Standing::NotCaught(_));
        let exit = match standing {
            _ if stopped => Exit::CouldNotRun,
            _ if self.compares && exploration.machine.differ > 0 => Exit::Failed,
            Standing::Passed | Standing::CaughtAsExpected(_) => Exit::Passed,
            Standing::Failed(_) | Standing::Unreached | Standing::NotCaught(_) => Exit::Failed,
        };
        let result = report::result(exploration, output::style());
        let note = if stopped { "interrupted".into() } else { report::last_engine(&exploration.engines) };
        let details = self.details(exploration, exit);
        if !self.is_quiet {
            output::print(&report::named_result(&test.name, self.width, exploration, &note, output::style()));
            if !details.is_empty() {
                output::print(&details);
            }
        }
        if exit == Exit::Failed {
            self.wrong += &format!("{}  {result}\n{details}", whole_name());
        }
        self.exits.push(exit);
        self.runs += exploration.runs;
        self.coverage.add(&exploration.coverage);
        self.machine = self.machine.and(exploration.machine);
        self.engines.extend(exploration.engines.iter().cloned());
    }

    /// The lines below a test's result.
    fn details(&self, exploration: &Exploration, exit: Exit) -> String {
        let mut details = String::new();
        if self.verbose || exit == Exit::Failed {
            details += &below(|style| report::engines(&exploration.engines, style));
        }
        details += &below(|style| report::unreached(exploration, style));
        if self.compares {
            details +=
                &below(|_| report::machine(Machine { differ: exploration.machine.differ, ..Machine::default() }));
        }
        if let Standing::Failed(caught) = report::standing(exploration) {
            let mut caught = caught.clone();
            if let Some(path) = caught.saved.path_mut() {
                *path = output::from_here(path);
            }
            caught.page = caught.page.map(|page| output::from_here(&page));
            details += &below(|style| report::caught(&caught, style));
        }
        details
    }

    fn text(&self, elapsed: Duration) -> String {
        let of = |exit| self.exits.iter().filter(|&&one| one == exit).count();
        let mut parts = vec![counted(self.exits.len() as u64, "tests"), format!("{} passed", of(Exit::Passed))];
        let less_good = [
            (of(Exit::Failed), "failed"),
            (of(Exit::CouldNotRun), "did not run"),
            (self.not_started, "not started"),
            (self.ignored, "ignored"),
        ];
        parts.extend(less_good.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
        parts.push(counted(self.runs, "runs"));
        let seconds = elapsed.as_secs_f64();
        parts.push(format!("{} runs/s", grouped((self.runs as f64 / seconds.max(0.001)) as u64)));
        let engines = report::all_engines(&self.engines, output::style());
        let coverage = report::coverage(&self.coverage, output::style());
        let [gap, gap_before] = [&coverage, &engines].map(|table| if table.is_empty() { "" } else { "\n" });
        let wrong =
            if self.exits.len() > 1 && !self.wrong.is_empty() { format!("{}\n", self.wrong) } else { String::new() };
        let machine = report::machine(self.machine);
        format!("\n{engines}{gap_before}{coverage}{gap}{wrong}{machine}{}, {seconds:.1} s", parts.join(", "))
    }

    fn exit(&self) -> Exit {
        let not_started = if self.not_started > 0 { Exit::CouldNotRun } else { Exit::Passed };
        self.exits.iter().copied().fold(not_started, Exit::max)
    }
}

/// What came of one test, as a message.
fn message<'a>(executable: &'a Executable, test: &'a Found, explored: &'a Result<Exploration, Problem>) -> Message<'a> {
    let test = Named { package: &executable.package.name, target: &executable.target, name: &test.name };
    match explored {
        Ok(exploration) => report::explored(test, exploration),
        Err(problem) => Message::NotExplored { test, text: EscapedLines(&problem.message).to_string() },
    }
}

/// What came of one test, as a line of `--json`.
fn json_line(executable: &Executable, test: &Found, explored: &Result<Exploration, Problem>) -> String {
    let mut line = json!({
        "package": executable.package.name,
        "target": executable.target.to_string(),
        "test": test.name,
    });
    match explored {
        Ok(exploration) => line["explored"] = json!(exploration),
        Err(problem) => line["refused"] = json!(problem.message),
    }
    line.to_string()
}

/// A text, indented below a test's result.
fn below(text: impl FnOnce(Style) -> String) -> String {
    const INDENT: &str = "    ";
    let style = output::style();
    let width = style.width.map(|width| width.saturating_sub(INDENT.len()));
    text(Style { width, ..style }).lines().map(|line| format!("{INDENT}{line}\n")).collect()
}
