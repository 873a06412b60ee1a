//! The options of the two sides: from the command line, else from a settings file.

use super::access::{self, AccessOptions, AccessSettings};
use super::server::ServerOptions;
use super::{
    BACKLOG_MAX, BROWSE_LOG_BYTES, BROWSE_LOG_FILES, ExchangeSettings, IDLE_SECS_MAX, NotesSettings, missing, path,
};
use crate::access::Source;
use crate::browse_log::Rotation;
use crate::calendar::{UnknownTimeZone, Zone};
use crate::calendars::Origin;
use crate::error::Error;
use crate::regular_file;
use crate::remote::Server;
use crate::session::SESSIONS_MAX;
use clap::Args;
use serde::Deserialize;
use std::fmt;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Maximum size of a settings file, in bytes.
pub(super) const SETTINGS_BYTES_MAX: u64 = 1 << 20;

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
    /// Address to serve HTTP on: getSchedule, a page, metrics [default: none]
    #[arg(long, value_name = "HOST:PORT")]
    http_listen: Option<String>,
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
    /// How often records that are asked for are read again before anyone asks, in seconds [default: never]
    #[arg(long, value_name = "SECS")]
    refresh_secs: Option<u64>,
    /// File in which the records are kept over restarts [default: none]
    #[arg(long, value_name = "FILE")]
    cache_file: Option<PathBuf>,
    /// The console's Unix socket [default: in $RUNTIME_DIRECTORY, $XDG_RUNTIME_DIR/calcon or /tmp/calcon-UID]
    #[arg(long, value_name = "SOCKET")]
    console: Option<PathBuf>,
    /// File of the events that operators should know about, with their numbers [default: none]
    #[arg(long, value_name = "FILE")]
    browse_log: Option<PathBuf>,
    /// Beyond this length the file is set aside as FILE.1, in bytes [default: 1048576]
    #[arg(long, value_name = "BYTES")]
    browse_log_bytes_max: Option<u64>,
    /// How many such files are kept, with the one that is written [default: 5]
    #[arg(long, value_name = "COUNT")]
    browse_log_files_max: Option<u32>,
    /// Calendars on a server
    #[command(flatten)]
    #[serde(default)]
    server: ServerOptions,
    /// Who may enter
    #[command(flatten)]
    #[serde(default)]
    access: AccessOptions,
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
    /// Address to serve HTTP on: getSchedule, a page, metrics [default: none]
    #[arg(long, value_name = "HOST:PORT")]
    http_listen: Option<String>,
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
    /// The Notes.ini with KeyFilename and Location, for the task LME-NOTES-NTSMEX, which needs a session [default: none]
    #[arg(long, value_name = "FILE")]
    notes_ini: Option<PathBuf>,
    /// The name that its ID file must have [default: CN=Calcon]
    #[arg(long, value_name = "NAME")]
    identity: Option<String>,
    /// The console's Unix socket [default: in $RUNTIME_DIRECTORY, $XDG_RUNTIME_DIR/calcon or /tmp/calcon-UID]
    #[arg(long, value_name = "SOCKET")]
    console: Option<PathBuf>,
    /// File of the events that operators should know about, with their numbers [default: none]
    #[arg(long, value_name = "FILE")]
    browse_log: Option<PathBuf>,
    /// Beyond this length the file is set aside as FILE.1, in bytes [default: 1048576]
    #[arg(long, value_name = "BYTES")]
    browse_log_bytes_max: Option<u64>,
    /// How many such files are kept, with the one that is written [default: 5]
    #[arg(long, value_name = "COUNT")]
    browse_log_files_max: Option<u32>,
    /// Calendars on a server
    #[command(flatten)]
    #[serde(default)]
    server: ServerOptions,
    /// Who may enter
    #[command(flatten)]
    #[serde(default)]
    access: AccessOptions,
}

impl ExchangeOptions {
    /// Returns the settings of access.
    ///
    /// # Errors
    /// [`Error::Settings`] with the file, or the setting that is missing.
    pub fn access(self, file: Option<&Path>) -> Result<AccessSettings, Error> {
        let other: Self = file.map(read).transpose()?.unwrap_or_default();
        self.access.settings(other.access, file)
    }

    /// Returns what reads the settings of access, at start and again at each reload.
    fn access_source(self, file: Option<&Path>) -> Source {
        let file = file.map(Path::to_owned);
        access::source(move || self.clone().access(file.as_deref()))
    }

    /// Returns the settings: these options, then those of the file, then the defaults.
    ///
    /// # Errors
    /// [`Error::Settings`] with the file, or the setting that is missing or invalid.
    pub fn settings(self, file: Option<&Path>) -> Result<ExchangeSettings, Error> {
        let source = self.clone().access_source(file);
        let other: Self = file.map(read).transpose()?.unwrap_or_default();
        let folder = path(self.calendars, other.calendars, file);
        let calendars = calendars(folder, self.server.server(other.server, file)?)?;
        let mut settings = ExchangeSettings::new(calendars);
        set(&mut settings.listen, self.listen.or(other.listen));
        set(&mut settings.backlog, within("backlog", self.backlog.or(other.backlog), 1..=BACKLOG_MAX)?);
        settings.http_listen = self.http_listen.or(other.http_listen);
        set(&mut settings.time_zone, zone(self.time_zone.or(other.time_zone))?);
        set(&mut settings.cache.age_max, self.age_max_secs.or(other.age_max_secs).map(Duration::from_secs));
        set(&mut settings.cache.patience, self.patience_ms.or(other.patience_ms).map(Duration::from_millis));
        set(&mut settings.cache.window_days, self.window_days.or(other.window_days));
        settings.cache.refresh = self.refresh_secs.or(other.refresh_secs).map(|secs| Duration::from_secs(secs.max(1)));
        settings.cache_file = path(self.cache_file, other.cache_file, file);
        settings.console = path(self.console, other.console, file);
        let bytes_max = self.browse_log_bytes_max.or(other.browse_log_bytes_max);
        let files_max = self.browse_log_files_max.or(other.browse_log_files_max);
        settings.browse_log = browse_log(path(self.browse_log, other.browse_log, file), bytes_max, files_max)?;
        settings.access = source;
        Ok(settings)
    }
}

impl NotesOptions {
    /// Returns the settings of access.
    ///
    /// # Errors
    /// [`Error::Settings`] with the file, or the setting that is missing.
    pub fn access(self, file: Option<&Path>) -> Result<AccessSettings, Error> {
        let other: Self = file.map(read).transpose()?.unwrap_or_default();
        self.access.settings(other.access, file)
    }

    /// Returns what reads the settings of access, at start and again at each reload.
    fn access_source(self, file: Option<&Path>) -> Source {
        let file = file.map(Path::to_owned);
        access::source(move || self.clone().access(file.as_deref()))
    }

    /// Returns the settings: these options, then those of the file, then the defaults.
    ///
    /// # Errors
    /// [`Error::Settings`] with the file, or the setting that is missing or invalid.
    pub fn settings(self, file: Option<&Path>) -> Result<NotesSettings, Error> {
        let source = self.clone().access_source(file);
        let other: Self = file.map(read).transpose()?.unwrap_or_default();
        let folder = path(self.calendars, other.calendars, file);
        let calendars = calendars(folder, self.server.server(other.server, file)?)?;
        let Some(exchange) = self.exchange.or(other.exchange) else {
            return Err(missing("exchange", "the address of `calcon exchange`, HOST:PORT"));
        };
        let mut settings = NotesSettings::new(calendars, exchange);
        set(&mut settings.listen, self.listen.or(other.listen));
        set(&mut settings.backlog, within("backlog", self.backlog.or(other.backlog), 1..=BACKLOG_MAX)?);
        settings.http_listen = self.http_listen.or(other.http_listen);
        set(&mut settings.time_zone, zone(self.time_zone.or(other.time_zone))?);
        settings.session_log = path(self.session_log, other.session_log, file);
        settings.notes_ini = path(self.notes_ini, other.notes_ini, file);
        set(&mut settings.identity, self.identity.or(other.identity));
        let sessions_max = self.sessions_max.or(other.sessions_max);
        let idle_secs = self.session_idle_secs.or(other.session_idle_secs);
        set(&mut settings.sessions.sessions_max, within("sessions_max", sessions_max, 1..=SESSIONS_MAX)?);
        let idle_secs = within("session_idle_secs", idle_secs, 1..=IDLE_SECS_MAX)?;
        set(&mut settings.sessions.idle, idle_secs.map(Duration::from_secs));
        settings.console = path(self.console, other.console, file);
        let bytes_max = self.browse_log_bytes_max.or(other.browse_log_bytes_max);
        let files_max = self.browse_log_files_max.or(other.browse_log_files_max);
        settings.browse_log = browse_log(path(self.browse_log, other.browse_log, file), bytes_max, files_max)?;
        settings.access = source;
        Ok(settings)
    }
}

fn set<T>(setting: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *setting = value;
    }
}

fn read<T: serde::de::DeserializeOwned>(file: &Path) -> Result<T, Error> {
    let text = regular_file::read(file, SETTINGS_BYTES_MAX)
        .and_then(|bytes| String::from_utf8(bytes).map_err(io::Error::other))
        .map_err(|error| Error::Settings(format!("cannot read the settings in {}: {error}", file.display())))?;
    toml::from_str(&text).map_err(|error: toml::de::Error| {
        let at = error.span().map_or(0, |span| span.start).min(text.len());
        let line = text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        Error::SettingsFile { file: file.to_owned(), line, what: explained(error.message()) }
    })
}

/// Returns what is wrong, without the values that the parser quotes. The names of settings stay: a key of the table is no secret.
fn explained(message: &str) -> String {
    match message.split_once(": string \"") {
        Some((what, rest)) => {
            let expected = rest.rsplit_once("\", ").map(|(_, expected)| format!(", {expected}"));
            format!("{what}: a text{}", expected.unwrap_or_default())
        }
        None => message.to_owned(),
    }
}

fn browse_log(
    file: Option<PathBuf>,
    bytes_max: Option<u64>,
    files_max: Option<u32>,
) -> Result<Option<Rotation>, Error> {
    let bytes_max = within("browse_log_bytes_max", bytes_max, BROWSE_LOG_BYTES)?;
    let files_max = within("browse_log_files_max", files_max, BROWSE_LOG_FILES)?;
    Ok(file.map(|file| {
        let mut rotation = Rotation::new(file);
        set(&mut rotation.bytes_max, bytes_max);
        set(&mut rotation.files_max, files_max);
        rotation
    }))
}

/// Returns where the calendars are: in a folder or on a server.
fn calendars(folder: Option<PathBuf>, server: Option<Server>) -> Result<Origin, Error> {
    match (folder, server) {
        (Some(folder), None) => Ok(Origin::Folder(folder)),
        (None, Some(server)) => Ok(Origin::Server(Arc::new(server))),
        (None, None) => Err(missing("calendars", "a folder of .ics files; or set server.url")),
        (Some(_), Some(_)) => {
            let why = "`calendars` and `server` are both set: the calendars are in a folder, or on a server";
            Err(Error::Settings(why.to_owned()))
        }
    }
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
        .map_err(|error: UnknownTimeZone| Error::Settings(format!("time_zone: {error}")))
}
