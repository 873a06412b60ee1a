//! The command line: parses arguments and settings, and runs a daemon or sends it a request.
#![forbid(unsafe_code)]

#[path = "main/arguments.rs"]
mod arguments;
#[path = "main/watchdog.rs"]
mod watchdog;

use arguments::{Cli, Command, Console, DaemonName, KeysArgs, QueryArgs, SettingsFile, Show, Side, Tell, When};
use calcon::browse_log::{BrowseLog, NUMBERS, Rotation};
use calcon::console;
use calcon::credentials::{Credentials, Files, OwnFiles};
use calcon::error::Error;
use calcon::keys::{self, Wanted};
use calcon::query::{Code, Query, Server};
use calcon::secret::Secret;
use chrono::{DateTime, Utc};
use clap::Parser;
use std::io::{IsTerminal, Write};
use tracing_subscriber::filter::LevelFilter;

impl QueryArgs {
    fn query(&self) -> Query {
        let now = Utc::now();
        let this_minute = DateTime::from_timestamp(now.timestamp() / 60 * 60, 0).unwrap_or(now);
        let query = Query::days(&self.user, self.from.unwrap_or(this_minute), self.days);
        Query { to: self.to.unwrap_or(query.to), ..query }
    }

    fn server(&self) -> Result<Server, Error> {
        let unusable = |problem: &dyn std::fmt::Display| Error::Settings(problem.to_string());
        let mut server = Server::from(&self.at);
        if let Some(ca) = &self.ca {
            let own = self.certificate.clone().zip(self.key.clone());
            let files = Files { ca: ca.clone(), own: own.map(|(certificate, key)| OwnFiles { certificate, key }) };
            let credentials = Credentials::read(&files);
            let credentials = credentials.map_err(|problems| {
                Error::Settings(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
            })?;
            let host = self.at.rsplit_once(':').map_or(self.at.as_str(), |(host, _)| host);
            let name = self.peer.as_deref().unwrap_or(host);
            server = Server::secured(&self.at, name, &credentials).map_err(|error| unusable(&error))?;
        }
        match &self.token {
            Some(file) => Ok(server.with_token(Secret::read(file).map_err(|problem| unusable(&problem))?)),
            None => Ok(server),
        }
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
    if serves {
        watchdog::start();
    }
    let json = cli.command.prints_json();
    let code = match run(cli.command).await {
        Ok(()) => 0,
        Err(error) => {
            // What a check has found is printed.
            if json && !matches!(error, Error::Check { .. }) {
                print(&as_json(&serde_json::json!({"error": {"code": error.code(), "text": error.to_string()}})));
            }
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
            let settings = options.settings(file.settings.as_deref())?;
            let _log = browse_log(settings.browse_log.as_ref())?;
            calcon::exchange::serve(settings).await
        }
        Command::Notes { file, options } => {
            let settings = options.settings(file.settings.as_deref())?;
            let _log = browse_log(settings.browse_log.as_ref())?;
            calcon::notes::serve(settings).await
        }
        Command::Events { json } => {
            print(&if json { as_json(&NUMBERS) } else { calcon::show::numbers(&NUMBERS) });
            Ok(())
        }
        Command::Query(args) => query(&args).await,
        Command::Keys(args) => make_keys(args),
        Command::Show { what: Show::Users { at } } => give(&at, console::Command::ShowUsers).await,
        Command::Show { what: Show::Tasks { at } } => give(&at, console::Command::ShowTasks).await,
        Command::Load { task, at } => give(&at, console::Command::Load { task }).await,
        Command::Tell { task, what: Tell::Quit, at } => give(&at, console::Command::Quit { task }).await,
        Command::Sync { when: When::Now, at } => give(&at, console::Command::SyncNow).await,
        Command::Reload { at } => give(&at, console::Command::Reload).await,
        Command::Check { side, json } => check(side, json).await,
        Command::Drop { session, at } => give(&at, console::Command::Drop { session }).await,
    }
}

/// Has the events written into a file, if there is to be one.
fn browse_log(rotation: Option<&Rotation>) -> Result<Option<BrowseLog>, Error> {
    let start = |rotation: &Rotation| {
        let failed = |source| Error::BrowseLog { file: rotation.file.clone(), source };
        BrowseLog::start(rotation.clone()).map_err(failed)
    };
    rotation.map(start).transpose()
}

async fn query(args: &QueryArgs) -> Result<(), Error> {
    let answer = calcon::query::ask(args.server()?, &args.query()).await?;
    print(&if args.json { as_json(&answer) } else { calcon::show::answer(&answer) });
    Ok(())
}

async fn check(side: Side, json: bool) -> Result<(), Error> {
    let checks = match side {
        Side::Exchange { file: SettingsFile { settings: file }, options } => {
            let access = options.clone().access(file.as_deref());
            match access.and_then(|access| Ok((options.settings(file.as_deref())?, access))) {
                Ok((settings, access)) => calcon::check::exchange(&settings, &access, file.as_deref()).await,
                Err(error) => vec![calcon::check::settings(&error, file)],
            }
        }
        Side::Notes { file: SettingsFile { settings: file }, options } => {
            let access = options.clone().access(file.as_deref());
            match access.and_then(|access| Ok((options.settings(file.as_deref())?, access))) {
                Ok((settings, access)) => calcon::check::notes(&settings, &access, file.as_deref()).await,
                Err(error) => vec![calcon::check::settings(&error, file)],
            }
        }
    };
    print(&if json { as_json(&checks) } else { calcon::show::checks(&checks) });
    match checks.iter().filter(|check| !check.problems.is_empty()).count() {
        0 => Ok(()),
        count => Err(Error::Check { count, checks: checks.len() }),
    }
}

/// Gives a daemon a command, and prints its report. Lists are printed as such.
async fn give(at: &Console, command: console::Command) -> Result<(), Error> {
    let side = match at.side {
        DaemonName::Exchange => "exchange",
        DaemonName::Notes => "notes",
    };
    let report = calcon::operator::give(at.at.as_deref(), side, command).await?;
    let text = match &report {
        console::Report::Users { users, .. } if at.json => as_json(users),
        console::Report::Tasks { tasks } if at.json => as_json(tasks),
        report if at.json => as_json(report),
        report => calcon::show::report(report, std::io::stdout().is_terminal()),
    };
    print(&text);
    Ok(())
}

/// Makes certificates and tokens, and says what goes where.
fn make_keys(args: KeysArgs) -> Result<(), Error> {
    let asked = !(args.name.is_empty() && args.renew.is_empty() && args.client.is_empty());
    let names = if asked { args.name } else { vec!["exchange".to_owned(), "notes".to_owned()] };
    let wanted = Wanted { names, renewed: args.renew, clients: args.client };
    let written = keys::make(&args.directory, &wanted, Utc::now())?;
    // A path in a settings file is relative to that file, wherever that will be.
    let directory = args.directory.canonicalize().unwrap_or(args.directory);
    print(&calcon::show::keys(&directory, &wanted, &written));
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
        Error::Calendars { .. } | Error::Audit { .. } | Error::BrowseLog { .. } | Error::Listen { .. } => 1,
        Error::Console { .. } | Error::Keys { .. } | Error::Signals(_) => 1,
        Error::Settings(_) | Error::SettingsFile { .. } => 2,
        Error::Connect { .. } | Error::TimedOut { .. } | Error::Connection(_) => 3,
        Error::Refused(refusal) if refusal.code == Code::UnknownUser => 4,
        Error::Refused(_) => 5,
        Error::Check { .. } => 6,
    }
}
