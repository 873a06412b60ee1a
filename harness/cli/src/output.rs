//! Prints: in colour and with bars on a terminal, plain lines elsewhere.

use crate::exit::{Exit, Problem};
use console::Term;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use refrain_core::{
    escape::{EscapedLines, escaped},
    protocol::Progress,
};
use refrain_report::{Style, grouped};
use std::{
    env,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    sync::LazyLock,
    time::{Duration, Instant},
};

/// How often a plain line tells how far long work is.
const PLAIN_EVERY: Duration = Duration::from_secs(5);

static COLOUR: LazyLock<bool> = LazyLock::new(|| io::stdout().is_terminal() && escapes_wanted());
static BARS: LazyLock<bool> = LazyLock::new(|| io::stderr().is_terminal() && escapes_wanted());
/// The bar that moves, if there is one: whatever else is printed gets out of its way.
static LINES: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

fn escapes_wanted() -> bool {
    env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// How `refrain_report` shall show what is printed to standard output.
pub fn style() -> Style {
    let width = COLOUR.then(|| Term::stdout().size_checked()).flatten().map(|(_, columns)| columns.into());
    Style { colour: *COLOUR, width, exact: false }
}

/// Prints to standard output. A reader that has gone is no error: the exit code still tells the result.
pub fn say(text: &str) {
    let mut out = io::stdout().lock();
    let text = text.strip_suffix('\n').unwrap_or(text);
    let _ = LINES.suspend(|| writeln!(out, "{text}").and_then(|()| out.flush()));
}

/// Prints a line to standard error that is no result.
pub fn note(text: &str) {
    let _ = LINES.suspend(|| writeln!(io::stderr(), "{text}"));
}

/// Prints a problem to standard error; the exit code that it asks for.
pub fn complain(problem: &Problem) -> Exit {
    let label =
        if *BARS { console::style("error").red().bold().force_styling(true).to_string() } else { "error".into() };
    note(&format!("{label}: {}", EscapedLines(&problem.message.trim_end().replace('\n', "\n  "))));
    problem.exit
}

/// One line about long work, on standard error: a bar that moves, or a plain line now and then.
pub struct Working {
    name: String,
    bar: Option<ProgressBar>,
    since: Instant,
    told: Instant,
}

impl Working {
    pub fn on(name: &str) -> Working {
        let now = Instant::now();
        let bar = BARS.then(|| {
            let bar = LINES.add(ProgressBar::new_spinner().with_prefix(name.to_owned()));
            bar.enable_steady_tick(Duration::from_millis(100));
            bar.set_style(template("{spinner} {prefix}"));
            bar
        });
        Working { name: name.into(), bar, since: now, told: now }
    }

    pub fn tell(&mut self, progress: &Progress) {
        let seconds = self.since.elapsed().as_secs_f64().max(0.001);
        let rate = format!("{} runs/s", grouped((progress.runs as f64 / seconds) as u64));
        let text = if progress.note.is_empty() { rate } else { format!("{rate}  {}", escaped(&progress.note)) };
        let doing = escaped(&progress.doing);
        match &self.bar {
            Some(bar) => {
                match progress.of {
                    Some(of) => bar.set_length(of),
                    None => bar.unset_length(),
                }
                bar.set_style(template(match progress.of {
                    Some(_) => "{spinner} {prefix}  {bar:20} {human_pos}/{human_len} runs  {wide_msg}",
                    None => "{spinner} {prefix}  {human_pos} runs  {wide_msg}",
                }));
                bar.set_position(progress.runs);
                bar.set_message(format!("{doing}, {text}"));
            }
            None if self.told.elapsed() >= PLAIN_EVERY => {
                self.told = Instant::now();
                let of = progress.of.map(|of| format!("/{}", grouped(of))).unwrap_or_default();
                note(&format!("  {}: {doing} {}{of} runs  {text}", self.name.trim_end(), grouped(progress.runs)));
            }
            None => {}
        }
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn template(text: &str) -> ProgressStyle {
    ProgressStyle::with_template(text).expect("our templates are right")
}

/// A heading, as cargo shows one.
pub fn heading(text: &str) -> String {
    console::style(text).bold().force_styling(*COLOUR).to_string()
}

/// A path as seen from the current directory, unless they have nothing in common.
pub fn from_here(path: &Path) -> PathBuf {
    let here = env::current_dir().unwrap_or_default();
    let alike = path.components().zip(here.components()).take_while(|(a, b)| a == b).count() > 1;
    pathdiff::diff_paths(path, &here).filter(|_| alike).unwrap_or_else(|| path.to_owned())
}

/// A path as seen from the current directory, fit to be printed.
pub fn shown(path: &Path) -> String {
    escaped(&from_here(path).to_string_lossy())
}
