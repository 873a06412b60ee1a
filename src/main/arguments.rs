//! The arguments of the command line.

use calcon::settings::{ExchangeOptions, NotesOptions};
use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use tracing_subscriber::filter::LevelFilter;

const EXIT_CODES: &str = "\
With --json an error is printed as {\"error\": {\"code\": CODE, \"text\": TEXT}}. \
Exit codes: 0 all is well, 1 the daemon could not run, 2 wrong usage or settings, 3 the daemon could not be asked, \
4 nobody has a calendar of this user, 5 the daemon has no answer (its reason is on stderr), 6 a check failed.";

const KEYS_HELP: &str = "\
`calcon keys DIR` makes a CA and a certificate for each side. With the CA in DIR, `--name NAME` makes a further one, \
`--renew NAME` replaces one, and `--client NAME` makes a token. Whoever has ca.key can make certificates of any name: \
neither side needs it, keep it elsewhere.";

/// Free/busy time between an Exchange-like and a Notes-like system.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// What is logged to stderr: off, error, warn, info, debug or trace [default: info of a daemon, error of the others]
    #[arg(long, global = true, value_name = "LEVEL")]
    pub log: Option<LevelFilter>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
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
    /// Make a CA, certificates and tokens for a start; nothing is overwritten
    #[command(after_help = KEYS_HELP)]
    Keys(KeysArgs),
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
        at: Console,
    },
    /// List the events of the browse log: their numbers, what they mean, and what to do
    Events {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Start a task of the Notes side
    #[command(after_help = EXIT_CODES)]
    Load {
        /// The task: excalcon or ntsmex
        task: String,
        #[command(flatten)]
        at: Console,
    },
    /// Tell a task of the Notes side to quit
    #[command(after_help = EXIT_CODES)]
    Tell {
        /// The task: excalcon or ntsmex
        task: String,
        /// What to do
        what: Tell,
        #[command(flatten)]
        at: Console,
    },
    /// Have a daemon read its calendars
    #[command(after_help = EXIT_CODES)]
    Sync {
        /// When
        when: When,
        #[command(flatten)]
        at: Console,
    },
    /// Have a daemon read its certificates, its tokens, and who is revoked, as SIGHUP does
    #[command(after_help = EXIT_CODES)]
    Reload {
        #[command(flatten)]
        at: Console,
    },
}

impl Command {
    /// Returns whether the output is for a program, so that errors are, too.
    pub fn prints_json(&self) -> bool {
        match self {
            Command::Query(QueryArgs { json, .. }) | Command::Check { json, .. } | Command::Events { json } => *json,
            Command::Show { what: Show::Users { at } | Show::Tasks { at } } => at.json,
            Command::Drop { at, .. } | Command::Load { at, .. } | Command::Tell { at, .. } => at.json,
            Command::Sync { at, .. } | Command::Reload { at } => at.json,
            Command::Exchange { .. } | Command::Notes { .. } | Command::Keys(_) => false,
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum Side {
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
pub enum Show {
    /// List who holds which session
    Users {
        #[command(flatten)]
        at: Console,
    },
    /// List the tasks, and the state of their links
    Tasks {
        #[command(flatten)]
        at: Console,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Tell {
    Quit,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum When {
    Now,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum DaemonName {
    Exchange,
    Notes,
}

#[derive(Debug, Args)]
pub struct Console {
    /// The console's Unix socket of the daemon [default: of `calcon notes`, where this user or the system runs it]
    #[arg(long, value_name = "SOCKET")]
    pub at: Option<PathBuf>,
    /// The daemon, if its socket is at the usual place
    #[arg(long, value_enum, default_value = "notes")]
    pub side: DaemonName,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct KeysArgs {
    /// The directory for the files, which is made if it is not there
    pub directory: PathBuf,
    /// Make a certificate of this name; may be repeated [default: exchange and notes, in a new directory]
    #[arg(long, value_name = "NAME")]
    pub name: Vec<String>,
    /// Replace the certificate of this name by a new one, with a new key
    #[arg(long, value_name = "NAME")]
    pub renew: Vec<String>,
    /// Make a token for this client; may be repeated
    #[arg(long, value_name = "NAME")]
    pub client: Vec<String>,
}

#[derive(Debug, Args)]
pub struct SettingsFile {
    /// Settings in TOML, by the names of the flags with `_` for `-`, those of who may enter in a table `[access]`; a flag
    /// wins over the file
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct QueryArgs {
    /// The daemon to ask
    #[arg(long, value_name = "HOST:PORT")]
    pub at: String,
    /// Whose time: a mail address
    pub user: String,
    /// PEM file with the certificate of the daemon's CA; without it, a daemon of this machine is asked without TLS
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// The name in the daemon's certificate [default: the host of --at]
    #[arg(long, value_name = "NAME", requires = "ca")]
    pub peer: Option<String>,
    /// File with the token of this client
    #[arg(long, value_name = "FILE")]
    pub token: Option<PathBuf>,
    /// PEM file with the certificate of this client, instead of a token
    #[arg(long, value_name = "FILE", requires = "ca", requires = "key")]
    pub certificate: Option<PathBuf>,
    /// PEM file with its key
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub key: Option<PathBuf>,
    /// Start of the window [default: now, to the minute]
    #[arg(long, value_name = "RFC3339")]
    pub from: Option<DateTime<Utc>>,
    /// End of the window
    #[arg(long, value_name = "RFC3339", conflicts_with = "days")]
    pub to: Option<DateTime<Utc>>,
    /// Length of the window
    #[arg(long, default_value_t = 60)]
    pub days: u32,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
