//! The command line: parses arguments and settings, and runs a daemon or sends it a request.
#![forbid(unsafe_code)]

use calcon::console;
use calcon::error::Error;
use calcon::query::{Code, Query};
use calcon::settings::{ExchangeOptions, NOTES_PORT, NotesOptions};
use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use tracing_subscriber::filter::LevelFilter;

const EXIT_CODES: &str = "\
Exit codes: 0 all is well, 1 the daemon could not run, 2 wrong usage or settings, 3 the daemon could not be asked, \
4 nobody has a calendar of this user, 5 the daemon has no answer (its reason is on stderr), 6 a check failed.";

/// Free/busy time between an Exchange-like and a Notes-like system.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// What is logged to stderr: off, error, warn, info, debug or trace [default: info of a daemon, error of the others]
    #[arg(long, global = true, value_name = "LEVEL")]
    log: Option<LevelFilter>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the Exchange side: its users, and the Notes users through a cache
    #[command(after_help = EXIT_CODES)]
    Exchange {
        #[command(flatten)]
        file: SettingsFile,
        #[command(flatten)]
        options: ExchangeOptions,
    },
    /// Serve the Notes side: its users, and the Exchange users over the add-in's link
    #[command(after_help = EXIT_CODES)]
    Notes {
        #[command(flatten)]
        file: SettingsFile,
        #[command(flatten)]
        options: NotesOptions,
    },
    /// Ask a daemon when a user is free
    #[command(after_help = EXIT_CODES)]
    Query(QueryArgs),
    /// Ask the Notes side what goes on there
    #[command(after_help = EXIT_CODES)]
    Show {
        #[command(subcommand)]
        what: Show,
    },
    /// Check what a daemon needs before it starts: its settings, profile, calendars and server
    #[command(after_help = EXIT_CODES)]
    Check {
        #[command(subcommand)]
        side: Side,
        /// Print JSON
        #[arg(long, global = true)]
        json: bool,
    },
    /// Close somebody's session, once the questions that use it now are answered
    #[command(after_help = EXIT_CODES)]
    Drop {
        /// The session or its holder, as `calcon show users` lists them
        session: String,
        #[command(flatten)]
        at: NotesSide,
    },
    /// Start a task of the Notes side
    #[command(after_help = EXIT_CODES)]
    Load {
        /// The task: excalcon
        task: String,
        #[command(flatten)]
        at: NotesSide,
    },
    /// Tell a task of the Notes side to quit
    #[command(after_help = EXIT_CODES)]
    Tell {
        /// The task: excalcon
        task: String,
        /// What to do
        what: Tell,
        #[command(flatten)]
        at: NotesSide,
    },
    /// Have a daemon read its calendars
    #[command(after_help = EXIT_CODES)]
    Sync {
        /// When
        when: When,
        #[command(flatten)]
        at: NotesSide,
    },
}

#[derive(Debug, Subcommand)]
enum Side {
    /// Check what `calcon exchange` needs
    Exchange {
        #[command(flatten)]
        file: SettingsFile,
        #[command(flatten)]
        options: ExchangeOptions,
    },
    /// Check what `calcon notes` needs
    Notes {
        #[command(flatten)]
        file: SettingsFile,
        #[command(flatten)]
        options: NotesOptions,
    },
}

#[derive(Debug, Subcommand)]
enum Show {
    /// List who holds which session
    Users {
        #[command(flatten)]
        at: NotesSide,
    },
    /// List the tasks, and the state of their links
    Tasks {
        #[command(flatten)]
        at: NotesSide,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Tell {
    Quit,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum When {
    Now,
}

#[derive(Debug, Args)]
struct NotesSide {
    /// The daemon to ask, `calcon notes`
    #[arg(long, value_name = "HOST:PORT", default_value_t = format!("127.0.0.1:{NOTES_PORT}"))]
    at: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct SettingsFile {
    /// Settings in TOML, by the names of the flags with `_` for `-`; a flag wins over the file
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct QueryArgs {
    /// The daemon to ask
    #[arg(long, value_name = "HOST:PORT")]
    at: String,
    /// Whose time: a mail address
    user: String,
    /// Start of the window [default: now, to the minute]
    #[arg(long, value_name = "RFC3339")]
    from: Option<DateTime<Utc>>,
    /// End of the window
    #[arg(long, value_name = "RFC3339", conflicts_with = "days")]
    to: Option<DateTime<Utc>>,
    /// Length of the window
    #[arg(long, default_value_t = 60)]
    days: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl QueryArgs {
    fn query(&self) -> Query {
        let now = Utc::now();
        let this_minute = DateTime::from_timestamp(now.timestamp() / 60 * 60, 0).unwrap_or(now);
        let query = Query::days(&self.user, self.from.unwrap_or(this_minute), self.days);
        Query { to: self.to.unwrap_or(query.to), ..query }
    }
}

#[tokio::main]
async fn main() {
    let cli = Cli::parse();
    let serves = matches!(cli.command, Command::Exchange { .. } | Command::Notes { .. });
    let usual = if serves { LevelFilter::INFO } else { LevelFilter::ERROR };
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_max_level(cli.log.unwrap_or(usual))
        .init();
    let code = match run(cli.command).await {
        Ok(()) => 0,
        Err(error) => {
            // Not `eprintln!`, which panics if stderr is closed.
            let _ = writeln!(std::io::stderr(), "calcon: {error}");
            exit_code(&error)
        }
    };
    // The runtime would wait for a thread that reads a file, which takes forever if the file system hangs.
    std::process::exit(code);
}

async fn run(command: Command) -> Result<(), Error> {
    match command {
        Command::Exchange { file, options } => {
            calcon::exchange::serve(options.settings(file.settings.as_deref())?).await
        }
        Command::Notes { file, options } => calcon::notes::serve(options.settings(file.settings.as_deref())?).await,
        Command::Query(args) => query(&args).await,
        Command::Show { what: Show::Users { at } } => give(&at, console::Command::ShowUsers).await,
        Command::Show { what: Show::Tasks { at } } => give(&at, console::Command::ShowTasks).await,
        Command::Load { task, at } => give(&at, console::Command::Load { task }).await,
        Command::Tell { task, what: Tell::Quit, at } => give(&at, console::Command::Quit { task }).await,
        Command::Sync { when: When::Now, at } => give(&at, console::Command::SyncNow).await,
        Command::Check { side, json } => check(side, json).await,
        Command::Drop { session, at } => give(&at, console::Command::Drop { session }).await,
    }
}

async fn query(args: &QueryArgs) -> Result<(), Error> {
    let answer = calcon::query::ask(&args.at, &args.query()).await?;
    print(&if args.json { as_json(&answer) } else { calcon::show::answer(&answer) });
    Ok(())
}

async fn check(side: Side, json: bool) -> Result<(), Error> {
    let checks = match side {
        Side::Exchange { file: SettingsFile { settings: file }, options } => match options.settings(file.as_deref()) {
            Ok(settings) => calcon::check::exchange(&settings, file.as_deref()),
            Err(error) => vec![calcon::check::settings(&error, file)],
        },
        Side::Notes { file: SettingsFile { settings: file }, options } => match options.settings(file.as_deref()) {
            Ok(settings) => calcon::check::notes(&settings, file.as_deref()).await,
            Err(error) => vec![calcon::check::settings(&error, file)],
        },
    };
    print(&if json { as_json(&checks) } else { calcon::show::checks(&checks) });
    match checks.iter().filter(|check| !check.problems.is_empty()).count() {
        0 => Ok(()),
        count => Err(Error::Check { count, checks: checks.len() }),
    }
}

/// Gives a daemon a command, and prints its report. Lists are printed as such.
async fn give(at: &NotesSide, command: console::Command) -> Result<(), Error> {
    let report = calcon::query::command(&at.at, command).await?;
    let text = match &report {
        console::Report::Users { users, .. } if at.json => as_json(users),
        console::Report::Tasks { tasks } if at.json => as_json(tasks),
        report if at.json => as_json(report),
        report => calcon::show::report(report, std::io::stdout().is_terminal()),
    };
    print(&text);
    Ok(())
}

/// Serializes plain data as JSON, which cannot fail.
fn as_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).map(|json| json + "\n").unwrap_or_default()
}

/// Prints, ignoring a closed pipe, as with `head`.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn exit_code(error: &Error) -> i32 {
    match error {
        Error::Calendars { .. } | Error::Audit { .. } | Error::Listen { .. } | Error::Signals(_) => 1,
        Error::Settings(_) => 2,
        Error::Connect { .. } | Error::TimedOut { .. } | Error::Connection(_) => 3,
        Error::Refused(refusal) if refusal.code == Code::UnknownUser => 4,
        Error::Refused(_) => 5,
        Error::Check { .. } => 6,
    }
}
