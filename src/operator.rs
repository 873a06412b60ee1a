//! The console's Unix socket: a daemon serves its operators there, and nobody else may open it.
//!
//! Only the user of the daemon and root are let in: the socket has mode 0600, in a directory that others may not enter,
//! and the system says whose process connects.

use crate::access::Current;
use crate::answer::{Code, Refusal};
use crate::channel::{Channel, Opened};
use crate::client::{HELLO_LIMIT, IDLE_LIMIT};
use crate::console::{Command, Report};
use crate::error::{ChannelError, Error};
use crate::runtime_directory;
use crate::shutdown::Shutdown;
use crate::wire::{Message, Role};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Maximum number of operators at once.
pub const OPERATORS_MAX: usize = 16;
/// Time limit of a command, from connecting to the report.
pub const COMMAND_LIMIT: Duration = Duration::from_secs(10);
/// Delay after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
const ROOT: u32 = 0;

/// The socket of a running daemon. Its file is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Console {
    listener: UnixListener,
    path: PathBuf,
    /// The user of this process.
    user: u32,
}

impl Console {
    /// Listens at `path`, or at the usual one of `side`. The socket that a dead daemon has left there is replaced.
    ///
    /// # Errors
    /// [`Error::Console`] if another daemon listens there, or the socket cannot be made.
    pub(crate) async fn listen(path: Option<&Path>, side: &str) -> Result<Self, Error> {
        let path = match path {
            Some(path) => path.to_owned(),
            None => runtime_directory::made().map_err(failed(Path::new(side)))?.join(format!("{side}.sock")),
        };
        let listener = bind(&path).await.map_err(failed(&path))?;
        // What connects before the mode is set is looked at when it is accepted.
        let private = fs::set_permissions(&path, Permissions::from_mode(0o600));
        let user = private.and_then(|()| fs::metadata(&path)).map_err(failed(&path))?.uid();
        tracing::info!("console at {}", path.display());
        Ok(Self { listener, path, user })
    }

    /// Serves operators until shutdown. `obey` executes their commands.
    pub(crate) async fn run<F>(self, mut shutdown: Shutdown, obey: impl Fn(Command) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<Report, Refusal>> + Send,
    {
        let obey = Arc::new(obey);
        let mut operators = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept(), if operators.len() < OPERATORS_MAX => accepted,
                Some(_) = operators.join_next() => continue,
                () = shutdown.asked() => break,
            };
            match accepted.and_then(|(stream, _)| self.admit(stream)) {
                Ok(channel) => {
                    let (obey, shutdown) = (Arc::clone(&obey), shutdown.clone());
                    operators.spawn(async move {
                        let id = channel.opened.id();
                        if let Err(reason) = serve(channel, shutdown, &*obey).await {
                            tracing::info!(id, %reason, "operator's connection lost");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept an operator");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        // A command that is being executed is executed to its end.
        while operators.join_next().await.is_some() {}
    }

    fn admit(&self, stream: UnixStream) -> io::Result<Channel> {
        let user = stream.peer_cred()?.uid();
        if user != self.user && user != ROOT {
            return Err(io::Error::other(format!("user {user} is neither that of this daemon nor root")));
        }
        Ok(Channel::over(stream, Opened::report("accepted", "an operator")))
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        // If it is gone already, there is nothing left to do.
        let _ = fs::remove_file(&self.path);
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> Error + use<'_> {
    |source| Error::Console { path: path.to_owned(), source }
}

/// Binds the socket. If the path is taken, somebody listens there, or nobody does any more.
async fn bind(path: &Path) -> io::Result<UnixListener> {
    match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => match UnixStream::connect(path).await {
            Ok(_) => Err(io::Error::new(error.kind(), "another daemon listens there")),
            Err(refused) if refused.kind() == io::ErrorKind::ConnectionRefused => {
                tracing::info!("replacing {}, which a dead daemon has left", path.display());
                fs::remove_file(path)?;
                UnixListener::bind(path)
            }
            Err(error) => Err(error),
        },
        bound => bound,
    }
}

async fn serve<F>(
    mut channel: Channel,
    mut shutdown: Shutdown,
    obey: &(impl Fn(Command) -> F + Send + Sync),
) -> Result<(), ChannelError>
where
    F: Future<Output = Result<Report, Refusal>> + Send,
{
    match channel.reader.expect(HELLO_LIMIT).await? {
        Message::Hello { .. } => channel.writer.send(&Message::hello(Role::Console)).await?,
        other => return Err(ChannelError::Unexpected { message: other.name(), expected: "HELLO of an operator" }),
    }
    loop {
        let read = tokio::select! {
            read = timeout(IDLE_LIMIT, channel.reader.next()) => read,
            () = shutdown.asked() => return Ok(()),
        };
        let reply = match read {
            Ok(Ok(Some(Message::Command { id, command }))) => match obey(command).await {
                Ok(report) => Message::Report { id, report },
                Err(refusal) => Message::Error { id, epoch: 0, refusal },
            },
            Ok(Ok(Some(other))) => {
                return Err(ChannelError::Unexpected { message: other.name(), expected: "operators send COMMAND" });
            }
            Ok(Ok(None)) => return Ok(()),
            Ok(Err(error)) => return Err(error),
            Err(_) => return Err(ChannelError::Silent { limit_secs: IDLE_LIMIT.as_secs() }),
        };
        channel.writer.send(&reply).await?;
    }
}

/// Has the settings of access read again.
///
/// # Errors
/// [`Code::BadQuery`] with what is wrong with them; the previous ones stay in effect.
pub(crate) async fn reload(access: &Current) -> Result<Report, Refusal> {
    let refused = |error| Refusal::new(Code::BadQuery, format!("the previous settings stay in effect: {error}"));
    access.reload().await.map(|()| Report::Reloaded).map_err(refused)
}

/// Gives a command to the daemon whose console is at `path`, or at the usual one of `side`: `exchange` or `notes`.
///
/// # Errors
/// [`Error::Refused`] if the daemon refuses; otherwise why it could not be asked.
pub async fn give(path: Option<&Path>, side: &str, command: Command) -> Result<Report, Error> {
    let path = path.map_or_else(|| runtime_directory::socket(&format!("{side}.sock")), Path::to_owned);
    let address = path.display().to_string();
    let late = |_| Error::TimedOut { address: address.clone(), limit_secs: COMMAND_LIMIT.as_secs() };
    match timeout(COMMAND_LIMIT, converse(&path, &address, command)).await.map_err(late)?? {
        Message::Report { report, .. } => Ok(report),
        Message::Error { refusal, .. } => Err(refusal.into()),
        other => {
            let expected = "REPORT or ERROR to the command";
            Err(ChannelError::Unexpected { message: other.name(), expected }.into())
        }
    }
}

async fn converse(path: &Path, address: &str, command: Command) -> Result<Message, Error> {
    let stream = UnixStream::connect(path).await;
    let stream = stream.map_err(|source| Error::Connect { address: address.to_owned(), source })?;
    let mut channel = Channel::over(stream, Opened::report("dialled", address));
    channel.reader.accept_answers();
    channel.writer.send(&Message::hello(Role::Client)).await?;
    match channel.reader.expect(COMMAND_LIMIT).await? {
        Message::Hello { .. } => {}
        other => return Err(ChannelError::Unexpected { message: other.name(), expected: "HELLO comes first" }.into()),
    }
    channel.writer.send(&Message::Command { id: 1, command }).await?;
    Ok(channel.reader.expect(COMMAND_LIMIT).await?)
}
