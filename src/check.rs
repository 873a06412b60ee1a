//! The preflight of `calcon check`: tries what a daemon needs before it starts, and names each problem with its remedy.

use crate::access::Access;
use crate::browse_log::Rotation;
use crate::calendars::Origin;
use crate::channel::{Channel, Opened};
use crate::credentials;
use crate::error::{ChannelError, Error};
use crate::problem::{Cause, Problem};
use crate::profile;
use crate::remote::{self, Server};
use crate::settings::{AccessSettings, ExchangeSettings, NotesSettings, line_of};
use crate::wire::{Message, Role, WireError};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

/// How long connecting may take, and the reply to HELLO.
const SERVER_LIMIT: Duration = Duration::from_secs(5);

/// A check, and the problems that it found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was checked.
    pub name: String,
    /// The problems; none if all is well.
    pub problems: Vec<Problem>,
}

/// Checks what `calcon exchange` needs. `file` is the settings file, to name its lines.
pub async fn exchange(settings: &ExchangeSettings, access: &AccessSettings, file: Option<&Path>) -> Vec<Check> {
    let (entry, _) = entry(access, (&settings.listen, settings.http_listen.as_deref()), file).await;
    let mut checks = vec![calendars(&settings.calendars, file).await, entry];
    checks.extend(log("browse_log", settings.browse_log.as_ref().map(|log| log.file.as_path()), file));
    checks.extend(log("cache_file", settings.cache_file.as_deref(), file));
    checks
}

/// Checks what `calcon notes` needs. `file` is the settings file, to name its lines.
pub async fn notes(settings: &NotesSettings, access: &AccessSettings, file: Option<&Path>) -> Vec<Check> {
    let (entry, opened) = entry(access, (&settings.listen, settings.http_listen.as_deref()), file).await;
    let mut checks = vec![calendars(&settings.calendars, file).await, entry];
    checks.extend(log("browse_log", settings.browse_log.as_ref().map(|log| log.file.as_path()), file));
    checks.extend(log("session_log", settings.session_log.as_deref(), file));
    checks.extend(profile(settings, access, file));
    // Without the certificates nothing can be learnt from the server.
    if let Some(access) = opened {
        let problems = server(&settings.exchange, &access, file).await.err().into_iter().collect();
        checks.push(Check { name: format!("the server {}", settings.exchange), problems });
    }
    checks
}

/// Checks the profile of the task that needs a session: with what passes here, it gets one. `None` without a profile.
pub fn profile(settings: &NotesSettings, access: &AccessSettings, file: Option<&Path>) -> Option<Check> {
    let ini = settings.notes_ini.as_deref()?;
    let problems = match profile::read(ini, &settings.identity) {
        Err(problems) => problems,
        Ok(profile) => {
            let is_refused = access.revoked.iter().any(|listed| listed.eq_ignore_ascii_case(&profile.identity));
            is_refused.then(|| refused_identity(&profile.identity, file)).into_iter().collect()
        }
    };
    Some(Check { name: format!("the Notes profile {}", ini.display()), problems })
}

fn refused_identity(identity: &str, file: Option<&Path>) -> Problem {
    Problem {
        cause: Cause::Refused,
        file: file.map(Path::to_owned),
        line: file.and_then(|file| line_of(file, "revoked")),
        tried: format!("to open a session as {identity}"),
        what: format!("{identity} is revoked"),
        remedy: "take it from `revoked`, or name the ID file of another identity".to_owned(),
    }
}

/// Checks that a log can be written; a file that was not there before is not there afterwards.
fn log(setting: &str, log: Option<&Path>, file: Option<&Path>) -> Option<Check> {
    let log = log?;
    let existed = log.exists();
    let problem = |error: std::io::Error| Problem {
        cause: Problem::cause_of(&error, Cause::Settings),
        file: file.map(Path::to_owned),
        line: file.and_then(|file| line_of(file, setting)),
        tried: format!("to write {}", log.display()),
        what: format!("cannot write {}: {error}", log.display()),
        remedy: format!("set `{setting}` to a file in a directory that this user may write"),
    };
    let problems = Rotation::new(log).open().err().map(problem).into_iter().collect();
    if !existed {
        // If it could not be made, there is nothing to remove.
        let _ = fs::remove_file(log);
    }
    let what = if setting == "cache_file" { "cache" } else { "log" };
    Some(Check { name: format!("the {what} {}", log.display()), problems })
}

/// Returns the check of settings that cannot be used.
pub fn settings(error: &Error, file: Option<PathBuf>) -> Check {
    let (line, what) = match error {
        Error::SettingsFile { line, what, .. } => (Some(*line), what.clone()),
        other => (None, other.to_string()),
    };
    let problem = Problem {
        cause: Cause::Settings,
        file,
        line,
        tried: "to read the settings".to_owned(),
        what,
        remedy: "`calcon exchange --help` and `calcon notes --help` list them".to_owned(),
    };
    Check { name: "the settings".to_owned(), problems: vec![problem] }
}

/// Checks the folder of the calendars, or that the server answers a question.
async fn calendars(origin: &Origin, file: Option<&Path>) -> Check {
    let folder = match origin {
        Origin::Folder(folder) => folder,
        Origin::Server(server) => return calendar_server(server, file).await,
    };
    let listed = fs::read_dir(folder).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
    let problem = |error: std::io::Error| Problem {
        cause: Problem::cause_of(&error, Cause::Settings),
        file: file.map(Path::to_owned),
        line: file.and_then(|file| line_of(file, "calendars")),
        tried: format!("to list {}", folder.display()),
        what: format!("cannot list the calendars in {}: {error}", folder.display()),
        remedy: "set `calendars` to a folder of .ics files that this user may read".to_owned(),
    };
    Check {
        name: format!("the calendars in {}", folder.display()),
        problems: listed.err().map(problem).into_iter().collect(),
    }
}

async fn calendar_server(server: &Server, file: Option<&Path>) -> Check {
    let problem = |(cause, what)| Problem {
        cause,
        file: file.map(Path::to_owned),
        line: file.and_then(|file| line_of(file, "url")),
        tried: format!("to ask {}", server.url()),
        what,
        remedy: "set `url`, `protocol`, the login and `ca_file` of `server` to those of the server".to_owned(),
    };
    let problems = remote::check(server).await.err().map(problem).into_iter().collect();
    Check { name: format!("the calendars at {}", server.url()), problems }
}

/// Checks who may enter: the certificates and tokens, and where the daemon listens without them.
async fn entry(
    access: &AccessSettings,
    (listen, http_listen): (&str, Option<&str>),
    file: Option<&Path>,
) -> (Check, Option<Access>) {
    let (mut problems, opened) = match access.open(file) {
        Ok(opened) => (access.doubt().into_iter().collect(), Some(opened)),
        Err(problems) => (problems, None),
    };
    let addresses = [("listen", Some(listen)), ("http_listen", http_listen)];
    for (setting, address) in addresses.into_iter().filter_map(|(setting, address)| Some((setting, address?))) {
        // A name that is not known is told at the start, with the system's error.
        let found = lookup_host(address).await.map(Vec::from_iter).unwrap_or_default();
        if access.tls.is_none() && found.iter().any(|at| !at.ip().is_loopback()) {
            problems.push(Problem {
                cause: Cause::Settings,
                file: file.map(Path::to_owned),
                line: file.and_then(|file| line_of(file, setting)),
                tried: format!("to find who reaches {address}"),
                what: format!("{address} is open to other machines, and there are no credentials"),
                remedy: "make some, `calcon keys DIR`, and set ca, certificate, key and peer; or listen on 127.0.0.1"
                    .to_owned(),
            });
        }
    }
    (Check { name: "who may enter".to_owned(), problems }, opened)
}

/// Connects to the Exchange side and asks whether the add-in would be let in, which affects no link.
async fn server(address: &str, access: &Access, file: Option<&Path>) -> Result<(), Problem> {
    let problem = |cause, tried: &str, what: String, remedy: &str| Problem {
        cause,
        file: file.map(Path::to_owned),
        line: file.and_then(|file| line_of(file, "exchange")),
        tried: format!("to {tried} {address}"),
        what,
        remedy: remedy.to_owned(),
    };
    let unreachable = |what| {
        let remedy = "start `calcon exchange` there, or set `exchange` to where it listens";
        problem(Cause::Unreachable, "connect to", what, remedy)
    };
    let connected = timeout(SERVER_LIMIT, TcpStream::connect(address)).await;
    let stream = connected
        .map_err(|_| {
            unreachable(format!("{address} does not accept a connection within {} s", SERVER_LIMIT.as_secs()))
        })?
        .map_err(|error| unreachable(format!("cannot connect to {address}: {error}")))?;
    let refused = |error: ChannelError| {
        if let ChannelError::Tls(error) = &error {
            let (what, remedy) = credentials::explain(error);
            return problem(Cause::Certificate, "talk TLS with", format!("{address}: {what}"), remedy);
        }
        let remedy = match &error {
            ChannelError::Wire(WireError::WrongVersion { .. }) => "update the older side",
            ChannelError::Wire(WireError::Tls) => {
                "make credentials, `calcon keys DIR`, and set ca, certificate, key and peer"
            }
            ChannelError::Denied(_) if access.is_secured() => {
                "set `peer` of that side to the name in the certificate of this side, and see whether it lists it as `revoked`"
            }
            ChannelError::HandshakeClosed => "give that side credentials, or take those of this side away",
            _ => "set `exchange` to the address of `calcon exchange`, and look into its log",
        };
        problem(Cause::Refused, "say HELLO to", format!("{address} does not accept us: {error}"), remedy)
    };
    match hello(stream, address, access).await.map_err(refused)? {
        Message::Hello { role: Role::Exchange, .. } => Ok(()),
        Message::Error { refusal, .. } => Err(refused(ChannelError::Denied(refusal))),
        other => {
            let expected = "`exchange` must be the address of `calcon exchange`";
            Err(refused(ChannelError::Unexpected { message: other.name(), expected }))
        }
    }
}

async fn hello(stream: TcpStream, address: &str, access: &Access) -> Result<Message, ChannelError> {
    let opened = Opened::report("dialled", address);
    let mut channel = match access.dialler() {
        Some(dialler) => Channel::over(dialler.connect(stream).await?.0, opened),
        None => Channel::new(stream, opened)?,
    };
    // Its number 0: it only asks.
    channel.writer.send(&Message::hello(Role::AddIn)).await?;
    channel.reader.expect(SERVER_LIMIT).await
}
