//! Settings: from the command line, else from a settings file, else the default.

use crate::cache::CachePolicy;
use crate::calendar::Zone;
use crate::error::Error;
use crate::session::{Limits, SESSIONS_MAX};
use clap::Args;
use serde::Deserialize;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

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
/// Maximum idle time of a session: one day.
const IDLE_SECS_MAX: u64 = 24 * 60 * 60;

/// Settings of `calcon exchange`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeSettings {
    /// Address to listen on, for clients and for the add-in. Default: this machine only, port 5010.
    pub listen: String,
    /// How many connections may wait to be accepted. Default: [`BACKLOG`].
    pub backlog: u32,
    /// Directory of the calendars of Exchange users.
    pub calendars: PathBuf,
    /// Time zone of times without one. Default: UTC.
    pub time_zone: Zone,
    /// How answers about Notes users are cached.
    pub cache: CachePolicy,
}

impl ExchangeSettings {
    /// Returns the defaults, for a directory of calendars.
    pub fn new(calendars: impl Into<PathBuf>) -> Self {
        Self {
            listen: format!("127.0.0.1:{EXCHANGE_PORT}"),
            backlog: BACKLOG,
            calendars: calendars.into(),
            time_zone: Zone::UTC,
            cache: CachePolicy::default(),
        }
    }
}

/// Settings of `calcon notes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotesSettings {
    /// Address to listen on, for clients. Default: this machine only, port 5011.
    pub listen: String,
    /// How many connections may wait to be accepted. Default: [`BACKLOG`].
    pub backlog: u32,
    /// Directory of the calendars of Notes users.
    pub calendars: PathBuf,
    /// Time zone of times without one. Default: UTC.
    pub time_zone: Zone,
    /// Address of the Exchange side, `host:port`, which the add-in dials.
    pub exchange: String,
    /// Maximum number of sessions, and how long they may be unused.
    pub sessions: Limits,
    /// File to which a line is appended for each closed session. Default: none.
    pub session_log: Option<PathBuf>,
    /// The Notes.ini that is validated before start. Default: none.
    pub notes_ini: Option<PathBuf>,
}

impl NotesSettings {
    /// Returns the defaults, for a directory of calendars and the address of the Exchange side.
    pub fn new(calendars: impl Into<PathBuf>, exchange: impl Into<String>) -> Self {
        Self {
            listen: format!("127.0.0.1:{NOTES_PORT}"),
            backlog: BACKLOG,
            calendars: calendars.into(),
            time_zone: Zone::UTC,
            exchange: exchange.into(),
            sessions: Limits::default(),
            session_log: None,
            notes_ini: None,
        }
    }
}

/// The options of `calcon exchange`, on the command line and, with `_` for `-`, in the file.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExchangeOptions {
    /// Address to listen on, for clients and for the add-in [default: 127.0.0.1:5010]
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// How many connections may wait to be accepted; the system may admit fewer [default: 4096]
    #[arg(long, value_name = "COUNT")]
    backlog: Option<u32>,
    /// Folder of the Exchange users' calendars: USER.ics each
    #[arg(long, value_name = "FOLDER")]
    calendars: Option<PathBuf>,
    /// Zone of the times that name none [default: UTC]
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Age up to which a record of a Notes user is served without asking, in seconds [default: 900]
    #[arg(long, value_name = "SECS")]
    age_max_secs: Option<u64>,
    /// How long the Notes side may take before an old record is served, in milliseconds [default: 3000]
    #[arg(long, value_name = "MS")]
    patience_ms: Option<u64>,
    /// How many days from today a record spans [default: 60]
    #[arg(long, value_name = "DAYS")]
    window_days: Option<u32>,
}

/// The options of `calcon notes`, on the command line and, with `_` for `-`, in the file.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotesOptions {
    /// Address to listen on, for clients [default: 127.0.0.1:5011]
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// How many connections may wait to be accepted; the system may admit fewer [default: 4096]
    #[arg(long, value_name = "COUNT")]
    backlog: Option<u32>,
    /// Folder of the Notes users' calendars: USER.ics each
    #[arg(long, value_name = "FOLDER")]
    calendars: Option<PathBuf>,
    /// Zone of the times that name none [default: UTC]
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Address of `calcon exchange`
    #[arg(long, value_name = "HOST:PORT")]
    exchange: Option<String>,
    /// Most sessions at once, as Server_MaxSessions; at most 4096 [default: 1024]
    #[arg(long, value_name = "N")]
    sessions_max: Option<usize>,
    /// How long a session may be unused; it is closed after once to twice this time, in seconds [default: 900]
    #[arg(long, value_name = "SECS")]
    session_idle_secs: Option<u64>,
    /// File to which a line is appended for each session that was closed [default: none]
    #[arg(long, value_name = "FILE")]
    session_log: Option<PathBuf>,
    /// The Notes.ini whose KeyFilename and Location are checked before start [default: none]
    #[arg(long, value_name = "FILE")]
    notes_ini: Option<PathBuf>,
}

impl ExchangeOptions {
    /// Returns the settings: these options, then those of the file, then the defaults.
    ///
    /// # Errors
    /// [`Error::Settings`] with the file, or the setting that is missing or invalid.
    pub fn settings(self, file: Option<&Path>) -> Result<ExchangeSettings, Error> {
        let other: Self = file.map(read).transpose()?.unwrap_or_default();
        let calendars = calendars(self.calendars, other.calendars, file)?;
        let mut settings = ExchangeSettings::new(calendars);
        set(&mut settings.listen, self.listen.or(other.listen));
        set(&mut settings.backlog, within("backlog", self.backlog.or(other.backlog), 1..=BACKLOG_MAX)?);
        set(&mut settings.time_zone, zone(self.time_zone.or(other.time_zone))?);
        set(&mut settings.cache.age_max, self.age_max_secs.or(other.age_max_secs).map(Duration::from_secs));
        set(&mut settings.cache.patience, self.patience_ms.or(other.patience_ms).map(Duration::from_millis));
        set(&mut settings.cache.window_days, self.window_days.or(other.window_days));
        Ok(settings)
    }
}

impl NotesOptions {
    /// Returns the settings: these options, then those of the file, then the defaults.
    ///
    /// # Errors
    /// [`Error::Settings`] with the file, or the setting that is missing or invalid.
    pub fn settings(self, file: Option<&Path>) -> Result<NotesSettings, Error> {
        let other: Self = file.map(read).transpose()?.unwrap_or_default();
        let calendars = calendars(self.calendars, other.calendars, file)?;
        let Some(exchange) = self.exchange.or(other.exchange) else {
            return Err(missing("exchange", "the address of `calcon exchange`, HOST:PORT"));
        };
        let mut settings = NotesSettings::new(calendars, exchange);
        set(&mut settings.listen, self.listen.or(other.listen));
        set(&mut settings.backlog, within("backlog", self.backlog.or(other.backlog), 1..=BACKLOG_MAX)?);
        set(&mut settings.time_zone, zone(self.time_zone.or(other.time_zone))?);
        settings.session_log = path(self.session_log, other.session_log, file);
        settings.notes_ini = path(self.notes_ini, other.notes_ini, file);
        let sessions_max = self.sessions_max.or(other.sessions_max);
        let idle_secs = self.session_idle_secs.or(other.session_idle_secs);
        set(&mut settings.sessions.sessions_max, within("sessions_max", sessions_max, 1..=SESSIONS_MAX)?);
        let idle_secs = within("session_idle_secs", idle_secs, 1..=IDLE_SECS_MAX)?;
        set(&mut settings.sessions.idle, idle_secs.map(Duration::from_secs));
        Ok(settings)
    }
}

/// Returns the line of a settings file that sets a value, from 1.
pub(crate) fn line_of(file: &Path, name: &str) -> Option<usize> {
    let text = std::fs::read_to_string(file).ok()?;
    let sets = |line: &str| line.split_once('=').is_some_and(|(key, _)| key.trim() == name);
    text.lines().position(sets).map(|at| at + 1)
}

fn set<T>(setting: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *setting = value;
    }
}

fn read<T: serde::de::DeserializeOwned>(file: &Path) -> Result<T, Error> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Error::Settings(format!("cannot read the settings in {}: {error}", file.display())))?;
    toml::from_str(&text).map_err(|error| Error::Settings(format!("{}: {error}", file.display())))
}

fn calendars(flag: Option<PathBuf>, in_file: Option<PathBuf>, file: Option<&Path>) -> Result<PathBuf, Error> {
    path(flag, in_file, file).ok_or_else(|| missing("calendars", "a folder of .ics files"))
}

/// Resolves a path: in a file it is relative to the file, on the command line to the current directory.
fn path(flag: Option<PathBuf>, in_file: Option<PathBuf>, file: Option<&Path>) -> Option<PathBuf> {
    let beside = |path: PathBuf| match file.and_then(Path::parent) {
        Some(parent) => parent.join(path),
        None => path,
    };
    flag.or(in_file.map(beside))
}

fn within<T: PartialOrd + fmt::Display>(
    name: &str,
    value: Option<T>,
    range: RangeInclusive<T>,
) -> Result<Option<T>, Error> {
    match value {
        Some(value) if !range.contains(&value) => {
            let (least, most) = range.into_inner();
            Err(Error::Settings(format!("{name}: {value} is not between {least} and {most}")))
        }
        value => Ok(value),
    }
}

fn zone(name: Option<String>) -> Result<Option<Zone>, Error> {
    name.map(|name| name.parse())
        .transpose()
        .map_err(|error: crate::calendar::UnknownTimeZone| Error::Settings(format!("time_zone: {error}")))
}

fn missing(name: &str, what: &str) -> Error {
    Error::Settings(format!("`{name}` is not set: give --{name}, or {name} in the settings file: {what}"))
}
