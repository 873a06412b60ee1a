//! Who may enter, under faults: the link is for the other side alone, and certificates change while it is up.

use crate::world::{Calendars, exchange, keys, notes, over_the_link};
use calcon::NotesSettings;
use calcon::access::Source;
use calcon::console::Command;
use calcon::error::ChannelError;
use calcon::operator::give;
use calcon::query::{Answer, ask};
use calcon::settings::ExchangeSettings;
use calcon::wire::{Message, Role, VERSION};
use calcon::{Error, channel::Channel, channel::Opened, credentials::Credentials, tls::Dialler};
use refrain::{Faults, World};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// How soon a query is answered again.
const BOUND: Duration = Duration::from_secs(60);
/// How often settings are reloaded.
const RELOAD: Duration = Duration::from_secs(3);
/// How often a stranger tries.
const TRIES: u32 = 6;

/// What a stranger has.
#[derive(Debug, Clone, Copy)]
enum Stranger {
    /// The right CA, and another name.
    OtherName,
    /// The right name, of another CA.
    OtherCa,
    /// The right CA, and no certificate.
    NoCertificate,
    /// No TLS.
    Plain,
    /// Half a handshake.
    Half,
}

const STRANGERS: [Stranger; 5] =
    [Stranger::OtherName, Stranger::OtherCa, Stranger::NoCertificate, Stranger::Plain, Stranger::Half];

/// Says that it is the add-in, with the newest number that there is; returns whether it was let in.
async fn intrude(stranger: Stranger) -> Result<bool, Error> {
    let address = Calendars::Exchange.address();
    let failed = |source| Error::Connect { address: address.to_owned(), source };
    let mut stream = TcpStream::connect(address).await.map_err(failed)?;
    let shown = match stranger {
        Stranger::OtherName => Some(keys::issued("mallory")),
        Stranger::OtherCa => Some(Credentials { ca: keys::issued("notes").ca, ..keys::foreign("notes") }),
        Stranger::NoCertificate => Some(Credentials { own: None, ..keys::issued("notes") }),
        Stranger::Plain => None,
        Stranger::Half => {
            stream.write_all(&[0x16, 3, 1, 2, 0, 1, 0]).await.map_err(failed)?;
            sleep(Duration::from_secs(20)).await;
            return Ok(false);
        }
    };
    let opened = Opened::report("dialled", "a stranger's");
    let mut channel = match shown {
        Some(shown) => {
            let dialler = Dialler::new(&shown, "exchange").expect("credentials");
            Channel::over(dialler.connect(stream).await?.0, opened)
        }
        None => Channel::new(stream, opened).map_err(failed)?,
    };
    let hello = Message::Hello { version: VERSION, role: Role::AddIn, epoch: u64::MAX, boot: u64::MAX, token: None };
    channel.writer.send(&hello).await?;
    match channel.reader.expect(Duration::from_secs(10)).await? {
        Message::Hello { .. } => Ok(true),
        _ => Err(ChannelError::Closed.into()),
    }
}

/// Whatever the network does to their handshakes, strangers are not let in, and the link works when it heals.
#[refrain::test(runs = 200)]
async fn strangers_never_take_the_link(world: World) {
    world.host("exchange", || calcon::exchange::serve(exchange()));
    world.host("notes", || calcon::notes::serve(notes()));
    world.conserves_up_to("calcon.connection", 2);
    world.sometimes("link established", "calcon::link", "link up");
    world.sometimes("stranger refused", "calcon::server", "connection refused");
    let stranger = world.client("stranger");
    world.faults(Faults::between("exchange", "stranger").all().at_most(3));
    let strangers = stranger.run(async {
        for n in 0..TRIES {
            let stranger = STRANGERS[n as usize % STRANGERS.len()];
            let entered = timeout(Duration::from_secs(25), intrude(stranger)).await;
            assert!(!matches!(entered, Ok(Ok(true))), "{stranger:?} was let in");
        }
    });
    strangers.await;
    world.heal().await;
    recovers(&world).await;
}

async fn recovers(world: &World) {
    for side in Calendars::BOTH {
        let fresh = over_the_link(side);
        let what = format!("a fresh query is answered at {}", side.host());
        world.eventually(BOUND, &what, || ask(side.server(), &fresh)).await;
    }
}

/// Both sides get another certificate, one after the other, at any time and under faults: no restart is needed.
#[refrain::test(runs = 200)]
async fn the_link_survives_new_certificates(world: World) {
    let (of_exchange, of_notes) = (renewing("exchange"), renewing("notes"));
    world.host("exchange", move || {
        tokio::spawn(reload(Calendars::Exchange));
        calcon::exchange::serve(ExchangeSettings { access: of_exchange.clone(), ..exchange() })
    });
    world.host("notes", move || {
        tokio::spawn(reload(Calendars::Notes));
        calcon::notes::serve(NotesSettings { access: of_notes.clone(), ..notes() })
    });
    world.sometimes("reloaded", "calcon::access::current", "access settings reloaded");
    world.sometimes("link established", "calcon::link", "link up");
    world.faults(Faults::between("exchange", "notes").all().at_most(3));
    for side in [Calendars::Notes, Calendars::Exchange] {
        sleep(RELOAD).await;
        // While the network is broken, an error is a valid answer.
        let _ = ask(side.server(), &over_the_link(side)).await;
    }
    world.heal().await;
    recovers(&world).await;
}

/// An operator on the daemon's machine, who has it reload all the time.
async fn reload(side: Calendars) {
    loop {
        sleep(RELOAD).await;
        // The daemon may not listen yet.
        let _ = give(Some(side.console()), side.host(), Command::Reload).await;
    }
}

/// Settings of access with a new certificate at each reading.
fn renewing(side: &'static str) -> Source {
    let peer = if side == "exchange" { "notes" } else { "exchange" };
    Source::new(move || Ok(keys::secured(&keys::issued(side), peer)))
}

/// What a revoked identity has answered is not served, and its link is closed, at once.
#[refrain::test(runs = 200)]
async fn a_revoked_identity_is_dropped_with_its_answers(world: World) {
    let (source, access) = keys::changing(keys::secured(&keys::issued("exchange"), "notes"));
    world.host("exchange", move || {
        tokio::spawn(reload(Calendars::Exchange));
        calcon::exchange::serve(ExchangeSettings { access: source.clone(), ..exchange() })
    });
    world.host("notes", || calcon::notes::serve(notes()));
    world.sometimes("record dropped", "calcon::cache", "record dropped");
    let query = over_the_link(Calendars::Exchange);
    world.eventually(BOUND, "it is answered", || ask(Calendars::Exchange.server(), &query)).await;
    world.faults(Faults::between("exchange", "notes").all().at_most(2));
    let revoked = access.lock().expect("nobody panics with it").clone().with_revoked(vec!["notes".to_owned()]);
    *access.lock().expect("nobody panics with it") = revoked;
    sleep(2 * RELOAD).await;
    world.heal().await;
    // A held task reads the settings later.
    world
        .eventually(BOUND, "it is dropped", || async { refused(ask(Calendars::Exchange.server(), &query).await) })
        .await;
    for _ in 0..3 {
        refused(ask(Calendars::Exchange.server(), &query).await).expect("a revoked identity stays revoked");
        sleep(RELOAD).await;
    }
}

/// Returns an error if there is an answer.
fn refused(outcome: Result<Answer, Error>) -> Result<(), String> {
    outcome.map_or(Ok(()), |answer| Err(format!("{} has an answer, {}", answer.user, answer.source)))
}

/// Two add-ins of one identity: the one that started later has the link, and the other one does not take it back.
#[refrain::test(runs = 200, without_holds)]
async fn the_newer_of_two_add_ins_has_the_link(world: World) {
    world.host("exchange", || calcon::exchange::serve(exchange()));
    world.host("older", || calcon::notes::serve(notes()));
    world.sometimes("replaced", "calcon::link", "link replaced by a newer one");
    world.sometimes("refused", "calcon::link", "link attempt failed");
    let fresh = over_the_link(Calendars::Exchange);
    world.eventually(BOUND, "the older one answers", || ask(Calendars::Exchange.server(), &fresh)).await;
    let newer = world.host("newer", || calcon::notes::serve(notes()));
    world.resolve("notes", &["newer"]);
    sleep(Duration::from_secs(60)).await;
    let console = Some(Calendars::Notes.console());
    for (host, is_up) in [("newer", true), ("older", false)] {
        let report = world.client(host).run(give(console, "notes", Command::ShowTasks)).await.expect("it runs");
        let text = calcon::show::report(&report, false);
        assert_eq!(text.contains(" up to "), is_up, "{host}: {text}");
    }
    // Once the newer one is gone, the older one serves again.
    newer.may_exit();
    newer.terminate();
    world.eventually(BOUND, "the older one answers again", || ask(Calendars::Exchange.server(), &fresh)).await;
}
