//! The preflight of `calcon check`: tries what a daemon needs before it starts, and names each problem with its remedy.

use crate::channel::{Channel, Opened};
use crate::error::{ChannelError, Error};
use crate::problem::{Cause, Problem};
use crate::profile;
use crate::settings::{ExchangeSettings, NotesSettings, line_of};
use crate::wire::{self, Message, Role, WireError};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::TcpStream;
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
pub fn exchange(settings: &ExchangeSettings, file: Option<&Path>) -> Vec<Check> {
    vec![calendars(&settings.calendars, file)]
}

/// Checks what `calcon notes` needs. `file` is the settings file, to name its lines.
pub async fn notes(settings: &NotesSettings, file: Option<&Path>) -> Vec<Check> {
    let mut checks = vec![calendars(&settings.calendars, file)];
    if let Some(ini) = &settings.notes_ini {
        let problems = profile::read(ini).err().unwrap_or_default();
        checks.push(Check { name: format!("the Notes profile {}", ini.display()), problems });
    }
    let problems = server(&settings.exchange, file).await.err().into_iter().collect();
    checks.push(Check { name: format!("the server {}", settings.exchange), problems });
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

/// Connects to the Exchange side as a client, because a second add-in would replace the link of a running daemon.
async fn server(address: &str, file: Option<&Path>) -> Result<(), Problem> {
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
        let remedy = match &error {
            ChannelError::Wire(WireError::WrongVersion { .. }) => "update the older side",
            _ => "set `exchange` to the address of `calcon exchange`, and look into its log",
        };
        problem(Cause::Refused, "say HELLO to", format!("{address} does not accept us: {error}"), remedy)
    };
    match hello(stream, address).await.map_err(refused)? {
        Message::Hello { role: Role::Exchange, .. } => Ok(()),
        other => {
            let expected = "`exchange` must be the address of `calcon exchange`";
            Err(refused(ChannelError::Unexpected { message: other.name(), expected }))
        }
    }
}

async fn hello(stream: TcpStream, address: &str) -> Result<Message, ChannelError> {
    let mut channel = Channel::new(stream, Opened::report("dialled", address))?;
    channel.writer.send(&Message::Hello { version: wire::VERSION, role: Role::Client, epoch: 0 }).await?;
    channel.reader.expect(SERVER_LIMIT).await
}
