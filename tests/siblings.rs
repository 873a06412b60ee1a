//! What else the vendor's articles tell of the ancestors, under faults: a start that has to wait (Q197509), changes that are not seen under
//! stress (Q198841), and two versions of which one direction works (Q286176).

use crate::remote::copy::{CAROL, Calendar, Change, day, serve, source};
use crate::world::{Calendars, exchange, keys, notes, of_its_own, over_the_link};
use calcon::cache::CachePolicy;
use calcon::channel::{Channel, Opened};
use calcon::console::{Command, Report};
use calcon::operator::give;
use calcon::query::{Code, ask};
use calcon::session::Limits;
use calcon::settings::{ExchangeSettings, NotesSettings};
use calcon::tls::Acceptor;
use calcon::wire::{Message, Role, VERSION};
use calcon::{Error, query};
use refrain::{Faults, World};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// How soon what is possible again works.
const BOUND: Duration = Duration::from_secs(90);

/// Q197509: a start waited for a lock, and gave up for good after 180 s, with event 41220. Here a client keeps the only session for longer:
/// the task says so, and starts when the session is free.
#[refrain::test(runs = 40)]
async fn a_start_that_has_to_wait_succeeds_in_the_end(world: World, #[any(0..120u32)] more_secs: u32) {
    let limits = Limits { sessions_max: 1, ..Limits::default() };
    let profile = Some(PathBuf::from("tests/profiles/good.ini"));
    let runs = Arc::new(Mutex::new(false));
    let seen = Arc::clone(&runs);
    world.host("notes", move || {
        let settings = NotesSettings { sessions: limits.clone(), notes_ini: profile.clone(), ..notes() };
        *seen.lock().expect("nobody panics with it") = false;
        // It is not loaded before the client has the session.
        tokio::spawn(watch(Arc::clone(&seen)));
        calcon::notes::serve(settings)
    });
    world.conserves_up_to("notes.session", 1);
    world.counts("it said why", "calcon::browse_log", "1 41220:Error: no Notes Session Open");
    let office = world.client("office");
    world.faults(Faults::between("notes", "office").all().at_most(2));
    // While the network is broken, an error is a valid answer.
    let _ = office.run(keep_asking(Duration::from_secs(180 + u64::from(more_secs)))).await;
    world.heal().await;
    let is_up = || async { if *runs.lock().expect("nobody panics with it") { Ok(()) } else { Err("it does not run") } };
    world.eventually(BOUND, "the task runs", is_up).await;
}

/// Looks at the task on its machine, all the time; stops it once, so that the client gets the session.
async fn watch(runs: Arc<Mutex<bool>>) {
    let operate = |command| give(Some(Calendars::Notes.console()), "notes", command);
    sleep(Duration::from_secs(1)).await;
    let _ = operate(Command::Quit { task: "ntsmex".to_owned() }).await;
    sleep(Duration::from_secs(10)).await;
    loop {
        // A command may be lost: the console's connections fail as well.
        if let Ok(Report::Tasks { tasks }) = operate(Command::ShowTasks).await {
            let is = |status| tasks.iter().any(|task| task.name == "ntsmex" && task.status == status);
            *runs.lock().expect("nobody panics with it") = is("running");
            if is("not loaded") {
                let _ = operate(Command::Load { task: "ntsmex".to_owned() }).await;
            }
        }
        sleep(Duration::from_secs(4)).await;
    }
}

/// A client that keeps its session: it asks again before it is idle for too long.
async fn keep_asking(time: Duration) -> Result<(), Error> {
    sleep(Duration::from_secs(5)).await;
    let address = Calendars::Notes.address();
    let failed = |source| Error::Connect { address: address.to_owned(), source };
    let stream = TcpStream::connect(address).await.map_err(failed)?;
    let (stream, _) = keys::client("notes").connect(stream).await?;
    let mut channel = Channel::over(stream, Opened::report("dialled", address));
    channel.reader.accept_answers();
    let token = Some(calcon::secret::Secret::new(&keys::token()));
    let hello = Message::Hello { version: VERSION, role: Role::Client, epoch: 0, boot: 0, token };
    channel.writer.send(&hello).await?;
    channel.reader.expect(query::QUERY_DEADLINE).await?;
    for id in 0..time.as_secs() / 20 {
        let deadline_ms = query::QUERY_DEADLINE.as_millis() as u64;
        let query = of_its_own(Calendars::Notes);
        channel.writer.send(&Message::Query { id, epoch: 0, deadline_ms, query }).await?;
        channel.reader.expect(query::QUERY_DEADLINE).await?;
        sleep(Duration::from_secs(20)).await;
    }
    Ok(())
}

/// Q198841: under stress the Notes side stopped telling of changes, and what was known stayed as it was. Here clients ask all the time, and a
/// change is seen within the age that a record may have.
#[refrain::test(runs = 8)]
async fn a_change_is_seen_under_stress(world: World, #[any(1..12u16)] clients: u16, #[any(0..8_usize)] hour: usize) {
    const AGE: Duration = Duration::from_secs(30);
    let calendar = Arc::new(Mutex::new(Calendar::default()));
    let served = Arc::clone(&calendar);
    world.host("calendars", move || serve(Arc::clone(&served)));
    world.host("exchange", || {
        let cache = CachePolicy { age_max: AGE, ..CachePolicy::default() };
        calcon::exchange::serve(ExchangeSettings { cache, ..exchange() })
    });
    world.host("notes", || calcon::notes::serve(NotesSettings { calendars: source("notes.example"), ..notes() }));
    world.sometimes("a query was answered", "calcon::client", "query answered");
    world.faults(Faults::between("exchange", "notes").all().at_most(2));
    let mut asking = JoinSet::new();
    for n in 0..u64::from(clients) {
        let one = async move {
            for _ in 0..10 {
                sleep(Duration::from_millis(2_000 + 50 * n)).await;
                // While the network is broken, an error is a valid answer.
                let _ = ask(Calendars::Exchange.server(), &day(CAROL)).await;
            }
        };
        asking.spawn(world.client("office").run(one));
    }
    sleep(Duration::from_secs(10)).await;
    calendar.lock().expect("nobody panics with it").change(Change::Add(hour));
    world.heal().await;
    let changed = calendar.lock().expect("nobody panics with it").slots();
    let is_seen = || async {
        let answer = ask(Calendars::Exchange.server(), &day(CAROL)).await.map_err(|error| error.to_string())?;
        if answer.slots == changed { Ok(()) } else { Err(format!("{}, {} s old", answer.source, answer.age_secs)) }
    };
    world.eventually(BOUND, "the change is seen", is_seen).await;
    while let Some(ended) = asking.join_next().await {
        ended.expect("it asks to the end");
    }
    // What is older than a record may be is not served while the other side answers.
    let answer = ask(Calendars::Exchange.server(), &day(CAROL)).await.expect("it is known");
    assert!(answer.age_secs <= AGE.as_secs() + 1, "it is {} s old", answer.age_secs);
}

/// Q286176: with two versions one direction worked, and the other one did not. Here neither does, whoever asks learns why, and both work when
/// the older one is updated.
#[refrain::test(runs = 40)]
async fn two_versions_are_told_apart_in_both_directions(world: World) {
    let is_updated = Arc::new(AtomicBool::new(false));
    let updated = Arc::clone(&is_updated);
    let host = world.host("exchange", move || {
        let is_updated = updated.load(Ordering::Relaxed);
        async move { if is_updated { calcon::exchange::serve(exchange()).await } else { serve_older().await } }
    });
    world.host("notes", || calcon::notes::serve(notes()));
    world.conserves_up_to("calcon.connection", 2);
    world.counts("it says why", "calcon::link", "the peer speaks protocol version 4, this build speaks 5");
    world.faults(Faults::between("exchange", "notes").all().at_most(2));
    for _ in 0..3 {
        sleep(Duration::from_secs(6)).await;
        for side in Calendars::BOTH {
            let asking = async move { ask(side.server(), &over_the_link(side)).await };
            match world.client("office").run(asking).await {
                Ok(answer) => panic!("{} answers, with an older peer: {answer:?}", side.host()),
                Err(Error::Refused(refusal)) => assert_ne!(refusal.code, Code::UnknownUser, "{refusal}"),
                // While the network is broken, there may be no answer at all.
                Err(_) => {}
            }
        }
    }
    is_updated.store(true, Ordering::Relaxed);
    host.restart();
    world.heal().await;
    for side in Calendars::BOTH {
        let (fresh, what) = (over_the_link(side), format!("a fresh query is answered at {}", side.host()));
        world.eventually(BOUND, &what, || ask(side.server(), &fresh)).await;
    }
}

/// The Exchange side of the version before, as far as another version gets to know it: its HELLO.
async fn serve_older() -> Result<(), Error> {
    let failed = |source: io::Error| Error::Listen { address: "0.0.0.0:5010".to_owned(), source };
    let listener = TcpListener::bind("0.0.0.0:5010").await.map_err(failed)?;
    let acceptor = Acceptor::new(&keys::issued("exchange")).expect("credentials");
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            let (stream, _) = acceptor.accept(stream).await?;
            let mut channel = Channel::over(stream, Opened::report("accepted", "another version"));
            channel.reader.expect(Duration::from_secs(5)).await?;
            let hello = Message::Hello { version: VERSION - 1, role: Role::Exchange, epoch: 1, boot: 0, token: None };
            channel.writer.send(&hello).await?;
            // It waits for queries, of which none may come.
            match channel.reader.expect(Duration::from_secs(60)).await {
                Ok(message) => panic!("an older peer is told {message:?}"),
                Err(error) => Err::<(), Error>(error.into()),
            }
        });
    }
}
