//! Prints in colour and with a progress bar on a terminal, and in plain lines elsewhere.

use crate::exit::{Exit, Problem};
use console::Term;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use refrain_core::{
    escape::{EscapedLines, escaped},
    protocol::Progress,
};
use refrain_report::{self as report, Message, Style, grouped};
use std::{
    env,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// How often progress is printed where there is no bar.
const PLAIN_EVERY: Duration = Duration::from_secs(5);

static COLOUR: LazyLock<bool> = LazyLock::new(|| io::stdout().is_terminal() && escapes_wanted());
static BARS: LazyLock<bool> = LazyLock::new(|| io::stderr().is_terminal() && escapes_wanted());
/// The progress bar, if there is one. It is hidden while anything else is printed.
static LINES: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

fn escapes_wanted() -> bool {
    env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// The style of reports on standard output.
pub fn style() -> Style {
    let width = COLOUR.then(|| Term::stdout().size_checked()).flatten().map(|(_, columns)| columns.into());
    Style { colour: *COLOUR, width, exact: false }
}

static FOR_PROGRAMS: AtomicBool = AtomicBool::new(false);

/// Has everything printed as messages for programs from now on.
pub fn speak_to_programs() {
    FOR_PROGRAMS.store(true, Relaxed);
}

/// Returns whether programs read the output.
pub fn is_for_programs() -> bool {
    FOR_PROGRAMS.load(Relaxed)
}

/// Prints what a command has to say: the message to programs, the text to people.
pub fn tell(message: &Message<'_>, text: impl FnOnce() -> String) {
    write(&if is_for_programs() { report::message_line(message) } else { text() });
}

/// Prints to standard output. Programs get it as a message without data.
pub fn print(text: &str) {
    tell(&Message::Text { text: console::strip_ansi_codes(text.trim_end()).into_owned() }, || text.to_owned());
}

/// Prints what may be a text or a binary format, which a terminal must not get.
pub fn print_bytes(bytes: &[u8]) -> Result<(), Problem> {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => print(text),
        _ if io::stdout().is_terminal() => {
            let message = "this format is binary, and standard output is a terminal: give a file with --output".into();
            return Err(Problem { exit: Exit::Usage, message });
        }
        // A closed pipe is no error; see `write`.
        _ => drop(io::stdout().lock().write_all(bytes)),
    }
    Ok(())
}

/// Tells programs that the command ends.
pub fn tell_end(exit: Exit) {
    if is_for_programs() {
        write(&report::message_line(&Message::Finished { exit_code: exit.code() }));
    }
}

/// A closed pipe is no error: the exit code still has the result.
fn write(text: &str) {
    let mut out = io::stdout().lock();
    let text = text.strip_suffix('\n').unwrap_or(text);
    let _ = LINES.suspend(|| writeln!(out, "{text}").and_then(|()| out.flush()));
}

/// Prints a line to standard error.
pub fn print_note(text: &str) {
    let _ = LINES.suspend(|| writeln!(io::stderr(), "{text}"));
}

/// Prints an error to standard error, and returns its exit code.
pub fn print_error(problem: &Problem) -> Exit {
    let text = EscapedLines(problem.message.trim_end()).to_string();
    if is_for_programs() {
        write(&report::message_line(&Message::Error { text }));
        return problem.exit;
    }
    let label =
        if *BARS { console::style("error").red().bold().force_styling(true).to_string() } else { "error".into() };
    print_note(&format!("{label}: {}", EscapedLines(&problem.message.trim_end().replace('\n', "\n  "))));
    problem.exit
}

/// The progress of one request, on standard error: a bar, or a line every few seconds.
pub struct ProgressLine {
    name: String,
    bar: Option<ProgressBar>,
    since: Instant,
    printed: Instant,
}

impl ProgressLine {
    pub fn new(name: &str) -> ProgressLine {
        let now = Instant::now();
        let bar = BARS.then(|| {
            let bar = LINES.add(ProgressBar::new_spinner().with_prefix(name.to_owned()));
            bar.enable_steady_tick(Duration::from_millis(100));
            bar.set_style(template("{spinner} {prefix}"));
            bar
        });
        ProgressLine { name: name.into(), bar, since: now, printed: now }
    }

    pub fn update(&mut self, progress: &Progress) {
        let seconds = self.since.elapsed().as_secs_f64().max(0.001);
        let rate = format!("{} runs/s", grouped((progress.runs as f64 / seconds) as u64));
        let (doing, best) = report::doing(&progress.doing);
        let text = best.map_or(rate.clone(), |best| format!("{rate}  {best}"));
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
            None if self.printed.elapsed() >= PLAIN_EVERY => {
                self.printed = Instant::now();
                let of = progress.of.map(|of| format!("/{}", grouped(of))).unwrap_or_default();
                print_note(&format!("  {}: {doing} {}{of} runs  {text}", self.name.trim_end(), grouped(progress.runs)));
            }
            None => {}
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn template(text: &str) -> ProgressStyle {
    ProgressStyle::with_template(text).expect("the templates are valid")
}

/// A heading, as cargo shows one.
pub fn heading(text: &str) -> String {
    console::style(text).bold().force_styling(*COLOUR).to_string()
}

/// A path relative to the current directory, if they have anything in common.
pub fn from_here(path: &Path) -> PathBuf {
    let here = env::current_dir().unwrap_or_default();
    let alike = path.components().zip(here.components()).take_while(|(a, b)| a == b).count() > 1;
    pathdiff::diff_paths(path, &here).filter(|_| alike).unwrap_or_else(|| path.to_owned())
}

/// A path relative to the current directory, escaped.
pub fn shown(path: &Path) -> String {
    escaped(&from_here(path).to_string_lossy())
}
