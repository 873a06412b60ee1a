//! The event after which a failure was inevitable, of services whose fate is sealed at a known event.

use crate::driver::{ask, failing::failing};
use refrain::{
    Faults, World,
    event::{Event, Kind, Log, Tcp},
    trace,
};
use refrain_core::protocol::{Inevitable, Outcome, Request};
use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::sleep,
};

/// Answers until a connection is reset, and then never again. Everything before and after that may happen in any way.
async fn serve_until_a_reset() -> io::Result<()> {
    let listener = TcpListener::bind("0.0.0.0:80").await?;
    loop {
        let (mut stream, _) = listener.accept().await?;
        let mut byte = [0];
        loop {
            match stream.read(&mut byte).await {
                Ok(0) => break,
                Ok(_) => {}
                Err(_) => {
                    tracing::error!("gave up");
                    std::future::pending::<()>().await;
                }
            }
            if stream.write_all(&byte).await.is_err() {
                break;
            }
        }
    }
}

async fn ask_once() -> io::Result<()> {
    let mut stream = TcpStream::connect("server:80").await?;
    for _ in 0..10 {
        stream.write_all(b"x").await?;
        stream.read_exact(&mut [0]).await?;
        sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}

#[refrain::test(runs = 300, expect = "stall")]
async fn a_reset_seals_it(world: World) {
    world.host("server", serve_until_a_reset);
    let client = world.client("client");
    world.faults(Faults::between("server", "client").resets().at_most(1));
    let _ = client.run(ask_once()).await;
    world.heal().await;
    world
        .eventually(Duration::from_secs(60), "it answers", || async {
            let mut stream = TcpStream::connect("server:80").await?;
            stream.write_all(b"x").await?;
            stream.read_exact(&mut [0]).await
        })
        .await;
}

/// Fails from the start on, whatever happens.
#[refrain::test(runs = 1, expect = "stall")]
async fn nothing_saves_it(world: World) {
    world.host("server", || async {
        let _listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
        std::future::pending::<()>().await
    });
    let client = world.client("client");
    world.faults(Faults::between("server", "client").slowdowns().at_most(1));
    world
        .eventually(Duration::from_secs(20), "it answers", || {
            client.run(async {
                let mut stream = TcpStream::connect("server:80").await?;
                tokio::time::timeout(Duration::from_secs(3), stream.read_exact(&mut [0])).await?
            })
        })
        .await;
}

/// Continues the first run of a hundred that fails, and returns its events, too.
#[track_caller]
fn cause(test: &str) -> (Vec<Event>, Inevitable) {
    let (ran, trace) = failing(test, 0);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("saved.jsonl");
    trace::write(&path, &trace).unwrap();
    match ask(test, &Request::Cause { trace: path, jobs: Some(2) }) {
        Outcome::Caused(found) => (ran.events, found),
        other => panic!("{other:#?}"),
    }
}

#[test]
fn the_event_that_sealed_it_is_named() {
    let (events, found) = cause("cause::a_reset_seals_it");
    let is_reset = |event: &Event| matches!(event.kind, Kind::FaultBegins(_));
    let begins = events.iter().position(is_reset).expect("a run fails only after a reset");
    let resets = |event: &Event| matches!(event.kind, Kind::Tcp { what: Tcp::Reset | Tcp::Error(_), .. });
    let gives_up = |event: &Event| matches!(&event.kind, Kind::Log(Log { message, .. }) if message == "gave up");
    let ends = events.iter().position(gives_up).expect("a run fails only after the service gave up");
    let (saved, none_saved) = found.turning_point();
    // Without the reset every continuation is saved, unless it has a reset of its own; with it none is. All of that is between two polls.
    let saved = saved.expect("there are continuations from before the reset").events;
    let sealed = none_saved.expect("there are some from after it").events;
    assert!(
        saved <= begins + 1 && begins < sealed && sealed <= ends + 1,
        "{begins} to {ends} seal it, not {saved} to {sealed}: {found:#?}"
    );
    let seals = |event: &Event| is_reset(event) || resets(event) || gives_up(event);
    assert!(events[begins..sealed].iter().all(seals), "{saved} to {sealed} seal it: {found:#?}");
}

#[test]
fn a_failure_without_an_event_that_sealed_it_is_inevitable_from_the_start() {
    let (_, found) = cause("cause::nothing_saves_it");
    let (saved, none_saved) = found.turning_point();
    assert_eq!((saved, none_saved.map(|none| none.events)), (None, Some(0)), "{found:#?}");
    assert!(found.beginnings.len() > 5 && found.runs > 50, "{found:#?}");
}
