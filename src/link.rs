//! Maintains the Notes side's link to the Exchange side: a single task dials, keeps the link up, and redials.
//!
//! The state of the link is the position of this task in its code, and nothing else: no state needs to be reset, so
//! none can be left behind by a cancelled attempt or by a disconnect in the middle of one (Q201280).

pub(crate) mod converse;
pub(crate) mod incoming;
pub(crate) mod line;

use crate::access::{Access, Current, Identity};
use crate::answer::{Code, Refusal};
use crate::backoff::{self, Backoff};
use crate::channel::{Channel, Opened};
use crate::error::{ChannelError, Error};
use crate::shutdown::Shutdown;
use crate::wire::{self, Message, Role};
use converse::{End, Own};
use line::{LineOwner, LinkState};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

/// Time limit of a whole attempt: connecting, the TLS handshake and both HELLOs.
pub const LINK_DEADLINE: Duration = Duration::from_secs(5);
/// A link that lasted this long was good: the back-off starts again from the minimum.
const GOOD_LINK: Duration = Duration::from_secs(10);

/// Where a link leads to, and whom it is to find there.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// Address of the Exchange side.
    pub(crate) exchange: String,
    /// The settings of access.
    pub(crate) access: Current,
    /// When this add-in started, in microseconds since 1970.
    pub(crate) boot: u64,
}

/// Dials the Exchange side until shutdown. `own` creates what answers the other side's queries over one link.
/// `epochs` is the number of attempts so far.
pub(crate) async fn keep<O: Own>(
    target: &Target,
    own: impl Fn() -> O,
    line: &LineOwner,
    epochs: &mut u64,
    mut shutdown: Shutdown,
) {
    let mut backoff = Backoff::default();
    loop {
        *epochs += 1;
        let epoch = *epochs;
        line.publish(LinkState::Dialling { epoch });
        let why = tokio::select! {
            dialled = dial(target, epoch) => match dialled {
                Ok(dialled) => {
                    let since = Instant::now();
                    let why = hold(dialled, (epoch, &target.access), own(), line, &mut shutdown).await;
                    if since.elapsed() >= GOOD_LINK {
                        backoff = Backoff::default();
                    }
                    why
                }
                Err(error) => {
                    let reason = error.to_string();
                    tracing::info!(target: "calcon::link", epoch, reason = %reason, "link attempt failed");
                    reason
                }
            },
            () = shutdown.asked() => break,
        };
        line.publish(LinkState::Down { why });
        tokio::select! {
            () = rest(&mut backoff, line) => {}
            () = shutdown.asked() => break,
        }
    }
    line.publish(LinkState::Down { why: "this side is stopping".to_owned() });
}

/// Waits before the next attempt. A query that needs the link shortens the delay, but not below the minimum: a storm of
/// queries must not cause a storm of attempts.
async fn rest(backoff: &mut Backoff, line: &LineOwner) {
    let wait = backoff.next_wait();
    let shortest = wait.min(backoff::WAIT_MIN);
    sleep(shortest).await;
    tokio::select! {
        () = sleep(wait - shortest) => {}
        () = line.wanted() => {}
    }
}

/// Connects and performs the handshake, within one deadline.
async fn dial(target: &Target, epoch: u64) -> Result<(Channel, Identity), Error> {
    let exchange = &target.exchange;
    let attempt = timeout(LINK_DEADLINE, async {
        let failed = |source| Error::Connect { address: exchange.to_owned(), source };
        let stream = TcpStream::connect(exchange).await.map_err(failed)?;
        let (mut channel, identity) = secure(stream, exchange, &target.access.get()).await?;
        let hello = Message::Hello { version: wire::VERSION, role: Role::AddIn, epoch, boot: target.boot, token: None };
        channel.writer.send(&hello).await?;
        match channel.reader.expect(LINK_DEADLINE).await? {
            Message::Hello { role: Role::Exchange, .. } => Ok((channel, identity)),
            Message::Error { refusal, .. } => Err(ChannelError::Denied(refusal).into()),
            other => {
                let expected = "the add-in dials `calcon exchange`, which says HELLO as such";
                Err(ChannelError::Unexpected { message: other.name(), expected }.into())
            }
        }
    });
    let late = |_| Error::TimedOut { address: exchange.to_owned(), limit_secs: LINK_DEADLINE.as_secs() };
    attempt.await.map_err(late)?
}

/// Performs the TLS handshake, if there are credentials, and checks who answered.
async fn secure(stream: TcpStream, exchange: &str, access: &Access) -> Result<(Channel, Identity), ChannelError> {
    let opened = Opened::report("dialled", exchange);
    let Some(dialler) = access.dialler() else {
        return Ok((Channel::new(stream, opened)?, Identity::loopback()));
    };
    stream.set_nodelay(true)?;
    let (stream, certificate) = dialler.connect(stream).await?;
    let identity = access.identify(certificate.as_ref()).filter(|identity| access.trusts(identity));
    let revoked = || Refusal::new(Code::Denied, "the certificate of the other side is revoked: `revoked` lists it");
    Ok((Channel::over(stream, opened), identity.ok_or_else(|| ChannelError::Denied(revoked()))?))
}

/// Runs a link that is up; returns the reason why it went down.
async fn hold(
    (channel, identity): (Channel, Identity),
    (epoch, access): (u64, &Current),
    own: impl Own,
    line: &LineOwner,
    shutdown: &mut Shutdown,
) -> String {
    tracing::info!(target: "calcon::link", epoch, peer = %identity, "link up");
    let (asks, asked) = mpsc::channel(line::ASKS_MAX);
    line.publish(LinkState::Up { peer: identity.clone(), asks });
    let end = tokio::select! {
        end = converse::converse(channel, epoch, asked, own, shutdown.asked()) => end,
        () = access.until(|access| !access.trusts(&identity)) => End::NotTrusted,
    };
    let reason = end.to_string();
    tracing::info!(target: "calcon::link", epoch, reason = %reason, "link down");
    reason
}
