//! Prints: in colour and with bars on a terminal, plain lines elsewhere.

use crate::exit::{Exit, Problem};
use console::Term;
use indicatif::{ProgressBar, ProgressStyle};
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
    let _ = writeln!(out, "{}", text.strip_suffix('\n').unwrap_or(text)).and_then(|()| out.flush());
}

/// Prints a line to standard error that is no result.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
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
            let bar = ProgressBar::new_spinner().with_prefix(name.to_owned());
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
        match &self.bar {
            Some(bar) => {
                match progress.of {
                    Some(of) => bar.set_length(of),
                    None => bar.unset_length(),
                }
                bar.set_style(template(match progress.of {
                    Some(_) => "{spinner} {prefix}  {bar:20} {human_pos}/{human_len}  {msg}",
                    None => "{spinner} {prefix}  {human_pos} runs  {msg}",
                }));
                bar.set_position(progress.runs);
                bar.set_message(text);
            }
            None if self.told.elapsed() >= PLAIN_EVERY => {
                self.told = Instant::now();
                let of = progress.of.map(|of| format!("/{}", grouped(of))).unwrap_or_default();
                note(&format!(
                    "{}: {} {}{of} runs  {text}",
                    self.name,
                    escaped(&progress.doing),
                    grouped(progress.runs)
                ));
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
