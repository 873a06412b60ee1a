//! Settings: from the command line, else from a settings file, else the default.

mod access;
mod options;
mod server;

pub use access::{AccessOptions, AccessSettings};
pub use options::{ExchangeOptions, NotesOptions};
pub use server::ServerOptions;

use crate::access::Source;
use crate::browse_log::Rotation;
use crate::cache::CachePolicy;
use crate::calendar::Zone;
use crate::calendars::Origin;
use crate::error::Error;
use crate::regular_file;
use crate::session::Limits;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// Port of the Exchange side.
pub const EXCHANGE_PORT: u16 = 5010;
/// Port of the Notes side.
pub const NOTES_PORT: u16 = 5011;
/// The default backlog: how many connections may wait to be accepted. Accepting takes almost no time, so that this only
/// matters when hundreds of clients connect at once (Q181350). Linux limits it to its own `net.core.somaxconn`, which
/// is 4096 as well.
pub const BACKLOG: u32 = 4096;
/// Maximum backlog that any system supports.
const BACKLOG_MAX: u32 = u16::MAX as u32;
/// The default identity of the tasks of the Notes side that need a session: the name in the ID file.
pub const IDENTITY: &str = "CN=Calcon";
/// Limits of the length of a browse log, in bytes: less would be set aside all the time.
const BROWSE_LOG_BYTES: RangeInclusive<u64> = 4096..=1 << 30;
/// Limits of the number of its files.
const BROWSE_LOG_FILES: RangeInclusive<u32> = 1..=100;
/// Maximum idle time of a session: one day.
const IDLE_SECS_MAX: u64 = 24 * 60 * 60;

/// Settings of `calcon exchange`.
#[derive(Debug, Clone)]
pub struct ExchangeSettings {
    /// Address to listen on, for clients and for the add-in. Default: this machine only, port 5010.
    pub listen: String,
    /// How many connections may wait to be accepted. Default: [`BACKLOG`].
    pub backlog: u32,
    /// Address to serve HTTP on. Default: none.
    pub http_listen: Option<String>,
    /// Where the calendars of Exchange users are.
    pub calendars: Origin,
    /// Time zone of times without one. Default: UTC.
    pub time_zone: Zone,
    /// How answers about Notes users are cached.
    pub cache: CachePolicy,
    /// The file in which the cache is kept over restarts. Default: none.
    pub cache_file: Option<PathBuf>,
    /// Who may enter. Default: the programs of this machine.
    pub access: Source,
    /// The console's Unix socket. Default: in the runtime directory.
    pub console: Option<PathBuf>,
    /// The file of events, which the program writes. Default: none.
    pub browse_log: Option<Rotation>,
}

impl ExchangeSettings {
    /// Returns the defaults, for a directory of calendars, or another origin.
    pub fn new(calendars: impl Into<Origin>) -> Self {
        Self {
            listen: format!("127.0.0.1:{EXCHANGE_PORT}"),
            backlog: BACKLOG,
            http_listen: None,
            calendars: calendars.into(),
            time_zone: Zone::UTC,
            cache: CachePolicy::default(),
            cache_file: None,
            access: Source::loopback(),
            console: None,
            browse_log: None,
        }
    }
}

/// Settings of `calcon notes`.
#[derive(Debug, Clone)]
pub struct NotesSettings {
    /// Address to listen on, for clients. Default: this machine only, port 5011.
    pub listen: String,
    /// How many connections may wait to be accepted. Default: [`BACKLOG`].
    pub backlog: u32,
    /// Address to serve HTTP on. Default: none.
    pub http_listen: Option<String>,
    /// Where the calendars of Notes users are.
    pub calendars: Origin,
    /// Time zone of times without one. Default: UTC.
    pub time_zone: Zone,
    /// Address of the Exchange side, `host:port`, which the add-in dials.
    pub exchange: String,
    /// Maximum number of sessions, and how long they may be unused.
    pub sessions: Limits,
    /// File to which a line is appended for each closed session. Default: none.
    pub session_log: Option<PathBuf>,
    /// The Notes.ini of the task that needs a session, LME-NOTES-NTSMEX. Default: none, and no such task.
    pub notes_ini: Option<PathBuf>,
    /// The name that its ID file must have. Default: [`IDENTITY`].
    pub identity: String,
    /// Who may enter. Default: the programs of this machine.
    pub access: Source,
    /// The console's Unix socket. Default: in the runtime directory.
    pub console: Option<PathBuf>,
    /// The file of events, which the program writes. Default: none.
    pub browse_log: Option<Rotation>,
}

impl NotesSettings {
    /// Returns the defaults, for a directory of calendars, or another origin, and the address of the Exchange side.
    pub fn new(calendars: impl Into<Origin>, exchange: impl Into<String>) -> Self {
        Self {
            listen: format!("127.0.0.1:{NOTES_PORT}"),
            backlog: BACKLOG,
            http_listen: None,
            calendars: calendars.into(),
            time_zone: Zone::UTC,
            exchange: exchange.into(),
            sessions: Limits::default(),
            session_log: None,
            notes_ini: None,
            identity: IDENTITY.to_owned(),
            access: Source::loopback(),
            console: None,
            browse_log: None,
        }
    }
}

/// Returns the line of a settings file that sets a value, from 1.
pub(crate) fn line_of(file: &Path, name: &str) -> Option<usize> {
    let text = String::from_utf8(regular_file::read(file, options::SETTINGS_BYTES_MAX).ok()?).ok()?;
    let sets = |line: &str| line.split_once('=').is_some_and(|(key, _)| key.trim() == name);
    text.lines().position(sets).map(|at| at + 1)
}

/// Returns the error that a setting is missing.
fn missing(name: &str, what: &str) -> Error {
    let in_file = name.replace("server-", "server.").replace('-', "_");
    Error::Settings(format!("`{in_file}` is not set: give --{name}, or {in_file} in the settings file: {what}"))
}

/// Resolves a path: in a file it is relative to the file, on the command line to the current directory.
fn path(flag: Option<PathBuf>, in_file: Option<PathBuf>, file: Option<&Path>) -> Option<PathBuf> {
    let beside = |path: PathBuf| match file.and_then(Path::parent) {
        Some(parent) => parent.join(path),
        None => path,
    };
    flag.or(in_file.map(beside))
}
