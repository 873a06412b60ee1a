//! The preflight of `calcon check`: tries what a daemon needs before it starts, and names each problem with its remedy.

use crate::access::Access;
use crate::channel::{Channel, Opened};
use crate::credentials;
use crate::error::{ChannelError, Error};
use crate::problem::{Cause, Problem};
use crate::profile;
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
    let (entry, _) = entry(access, &settings.listen, file).await;
    vec![calendars(&settings.calendars, file), entry]
}

/// Checks what `calcon notes` needs. `file` is the settings file, to name its lines.
pub async fn notes(settings: &NotesSettings, access: &AccessSettings, file: Option<&Path>) -> Vec<Check> {
    let (entry, opened) = entry(access, &settings.listen, file).await;
    let mut checks = vec![calendars(&settings.calendars, file), entry];
    if let Some(ini) = &settings.notes_ini {
        let problems = profile::read(ini).err().unwrap_or_default();
        checks.push(Check { name: format!("the Notes profile {}", ini.display()), problems });
    }
    // Without the certificates nothing can be learnt from the server.
    if let Some(access) = opened {
        let problems = server(&settings.exchange, &access, file).await.err().into_iter().collect();
        checks.push(Check { name: format!("the server {}", settings.exchange), problems });
    }
    checks
}

/// Returns the check of settings that cannot be used.
pub fn settings(error: &Error, file: Option<PathBuf>) -> Check {
    let problem = Problem {
        cause: Cause::Settings,
        file,
        line: None,
        tried: "to read the settings".to_owned(),
        what: error.to_string(),
        remedy: "`calcon exchange --help` and `calcon notes --help` list them".to_owned(),
    };
    Check { name: "the settings".to_owned(), problems: vec![problem] }
}

fn calendars(folder: &Path, file: Option<&Path>) -> Check {
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

/// Checks who may enter: the certificates and tokens, and where the daemon listens without them.
async fn entry(access: &AccessSettings, listen: &str, file: Option<&Path>) -> (Check, Option<Access>) {
    let (mut problems, opened) = match access.open(file) {
        Ok(opened) => (access.doubt().into_iter().collect(), Some(opened)),
        Err(problems) => (problems, None),
    };
    // A name that is not known is told at the start, with the system's error.
    let found = lookup_host(listen).await.map(Vec::from_iter).unwrap_or_default();
    if access.tls.is_none() && found.iter().any(|at| !at.ip().is_loopback()) {
        problems.push(Problem {
            cause: Cause::Settings,
            file: file.map(Path::to_owned),
            line: file.and_then(|file| line_of(file, "listen")),
            tried: format!("to find who reaches {listen}"),
            what: format!("{listen} is open to other machines, and there are no credentials"),
            remedy: "make some, `calcon keys DIR`, and set ca, certificate, key and peer; or listen on 127.0.0.1"
                .to_owned(),
        });
    }
    (Check { name: "who may enter".to_owned(), problems }, opened)
}

/// Connects to the Exchange side as a client, because a second add-in would replace the link of a running daemon.
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
    channel.writer.send(&Message::hello(Role::Client)).await?;
    channel.reader.expect(SERVER_LIMIT).await
}
