//! Effects of faults on established connections.

use super::{SECOND, ask, client, echo, hold, is_about, read, serve, timed};
use refrain::World;
use std::{
    io::ErrorKind::{ConnectionReset, TimedOut},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::{Instant, sleep, timeout},
};

#[refrain::test(runs = 20, without_holds)]
async fn after_a_crash_there_is_silence(world: World) {
    serve(&world, echo);
    world.fault("crash server at 1 s");
    client(&world, |mut stream| async move {
        sleep(SECOND * 2).await;
        assert!(
            timeout(Duration::from_secs(3000), read(&mut stream)).await.is_err(),
            "half-open: nobody says anything"
        );
    })
    .await;
}

#[refrain::test(runs = 20, without_holds)]
async fn a_rebooted_host_resets_what_it_does_not_know(world: World) {
    serve(&world, echo);
    world.fault("crash server at 1 s and reboot it after 10 s");
    let began = Instant::now();
    client(&world, move |mut stream| async move {
        sleep(SECOND * 5).await;
        stream.write_all(b"are you there").await.unwrap();
        assert_eq!(timed(read(&mut stream)).await.0.unwrap_err(), ConnectionReset);
        // At the first retransmission after the boot.
        assert!(is_about(began.elapsed(), 11), "{:?}", began.elapsed());
        let again = ask(&mut TcpStream::connect("server:80").await.unwrap(), b"again").await;
        assert_eq!(again.unwrap(), b"again");
    })
    .await;
}

/// The first connection of a host after a reboot leaves the one before half-open: it has another source port.
#[refrain::test(runs = 20, without_holds)]
async fn a_rebooted_host_connects_from_another_port(world: World) {
    let (sender, mut accepted) = mpsc::unbounded_channel();
    world.host("client", || async {
        // The server needs a moment until it listens.
        sleep(Duration::from_millis(100)).await;
        hold(TcpStream::connect("server:80").await.unwrap()).await;
    });
    world.fault("crash client at 1 s and reboot it after 1 s");
    let server = async move {
        let listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
        loop {
            sender.send(listener.accept().await.unwrap()).unwrap();
        }
    };
    let ((mut before, old), (_after, new)) = world
        .client("server")
        .run(async move {
            tokio::spawn(server);
            (accepted.recv().await.unwrap(), accepted.recv().await.unwrap())
        })
        .await;
    assert_eq!(old.ip(), new.ip());
    assert_ne!(old.port(), new.port());
    assert!(timeout(60 * SECOND, read(&mut before)).await.is_err(), "the old connection is half-open");
}

#[refrain::test(runs = 20, without_holds)]
async fn what_was_written_during_a_cut_arrives_after_it_in_order(world: World) {
    serve(&world, echo);
    world.client("client");
    world.fault("cut server <-> client at 1 s for 30 s");
    let answer = client(&world, |mut stream| async move {
        let mut question = vec![];
        for round in 0..200u32 {
            question.extend(round.to_le_bytes());
            stream.write_all(&round.to_le_bytes()).await.unwrap();
            sleep(Duration::from_millis(20)).await;
        }
        let mut answer = vec![0; question.len()];
        let (result, took) = timed(stream.read_exact(&mut answer)).await;
        result.unwrap();
        assert!(took.as_secs() > 25, "{took:?}");
        answer == question
    });
    assert!(answer.await);
}

#[refrain::test(runs = 10, without_holds)]
async fn a_cut_longer_than_all_retransmissions_times_out(world: World) {
    serve(&world, echo);
    world.client("client");
    world.fault("cut server <-> client at 1 s");
    client(&world, |mut stream| async move {
        sleep(SECOND * 2).await;
        stream.write_all(b"lost").await.unwrap();
        let (result, took) = timed(read(&mut stream)).await;
        assert_eq!(result.unwrap_err(), TimedOut);
        // tcp_retries2 = 15: 924.6 s.
        assert!(is_about(took, 924), "{took:?}");
    })
    .await;
}

#[refrain::test(runs = 20, without_holds)]
async fn across_a_one_way_cut_bytes_arrive_until_an_acknowledgement_is_overdue(world: World) {
    serve(&world, |mut stream| async move {
        for round in 0..10u8 {
            stream.write_all(&[round]).await.unwrap();
            sleep(SECOND).await;
        }
        let mut all = vec![];
        stream.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, b"up");
        tracing::info!("all arrived");
    });
    world.sometimes("all arrived", "selftest::network", "all arrived");
    world.client("client");
    let began = Instant::now();
    world.fault("cut client -> server at 1500 ms for 98500 ms");
    client(&world, move |mut stream| async move {
        sleep(SECOND * 2).await;
        stream.write_all(b"up").await.unwrap();
        let mut down = [0; 10];
        stream.read_exact(&mut down[..1]).await.unwrap();
        assert!(began.elapsed() < SECOND * 100, "the first one passes: {:?}", began.elapsed());
        stream.read_exact(&mut down[1..]).await.unwrap();
        assert!(began.elapsed() > SECOND * 100, "the others wait: {:?}", began.elapsed());
        assert_eq!(down, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        drop(stream);
        sleep(SECOND * 200).await;
    })
    .await;
}

#[refrain::test(runs = 10, without_holds)]
async fn whoever_hears_no_acknowledgement_times_out_though_all_arrived(world: World) {
    let host = serve(&world, |mut stream| async move {
        assert_eq!(read(&mut stream).await.unwrap(), b"heard");
        tracing::info!("it arrived");
        sleep(SECOND * 2000).await;
    });
    world.sometimes("it arrived", "selftest::network", "it arrived");
    world.client("client");
    world.fault("cut server -> client at 1 s");
    client(&world, move |mut stream| async move {
        sleep(SECOND * 2).await;
        stream.write_all(b"heard").await.unwrap();
        let (result, took) = timed(read(&mut stream)).await;
        assert_eq!(result.unwrap_err(), TimedOut);
        assert!(is_about(took, 924), "{took:?}");
        drop(host);
    })
    .await;
}

/// Returns the shortest round trip of several: a task is held at most once.
async fn quickest(stream: &mut TcpStream) -> Duration {
    let mut quickest = Duration::MAX;
    for _ in 0..5 {
        quickest = quickest.min(timed(ask(stream, b"?")).await.1);
    }
    quickest
}

#[refrain::test(runs = 20)]
async fn slow_packets_take_longer_by_as_much_and_no_longer(world: World) {
    serve(&world, echo);
    world.client("client");
    world.fault("slow server <-> client by 300 ms at 100 s for 200 s");
    client(&world, |mut stream| async move {
        let quick = quickest(&mut stream).await;
        sleep(SECOND * 200).await;
        let slow = quickest(&mut stream).await;
        sleep(SECOND * 200).await;
        let again = quickest(&mut stream).await;
        assert!(quick < Duration::from_millis(12), "{quick:?}");
        assert!((600..612).contains(&slow.as_millis()), "{slow:?}");
        assert!(again < Duration::from_millis(12), "{again:?}");
    })
    .await;
}

#[refrain::test(runs = 20, without_holds)]
async fn faults_without_measure_neither_overflow_nor_end(world: World) {
    serve(&world, hold);
    world.client("client");
    world.fault("slow server <-> client by 18446744073709551615 s at 1 s for 18446744073709551615 s");
    world.fault("slow server <-> client by 18446744073709551615 s at 1 s for 5 s");
    world.fault("pause server at 18446744073709551615 s");
    client(&world, |mut stream| async move {
        sleep(SECOND * 10).await;
        stream.write_all(b"for ever under way").await.unwrap();
    })
    .await;
    world.heal().await;
    client(&world, |_| async {}).await;
}

#[refrain::test(runs = 20)]
async fn a_killed_host_is_started_once_whatever_else_restarts_it(world: World) {
    let host = world.host("server", || async {
        tracing::info!(kind = "server", id = 1, "opened");
        std::future::pending::<()>().await
    });
    world.conserves_up_to("server", 1);
    world.always("one server at a time", |seen| seen.live("server") <= 1);
    world.fault("kill server at 1 s and restart it after 10 s");
    world.fault("crash server at 2 s and reboot it after 20 s");
    sleep(SECOND * 3).await;
    host.restart();
    sleep(SECOND).await;
    assert!(!host.is_running(), "it has no power");
    sleep(SECOND * 10).await;
    assert!(!host.is_running(), "the kill is over, the power still away");
    sleep(SECOND * 10).await;
    assert!(host.is_running());
    for _ in 0..5 {
        host.restart();
    }
    tokio::task::yield_now().await;
    world.heal().await;
    sleep(SECOND).await;
    assert!(host.is_running());
}

#[refrain::test(runs = 20)]
async fn an_operator_may_restart_what_a_fault_killed(world: World) {
    let host = serve(&world, echo);
    world.client("client");
    world.fault("kill server at 1 s and restart it after 10 s");
    sleep(SECOND * 2).await;
    host.restart();
    // The end of the fault must not affect this connection.
    client(&world, |mut stream| async move {
        for _ in 0..20 {
            ask(&mut stream, b"?").await.unwrap();
            sleep(SECOND).await;
        }
    })
    .await;
}

/// An effect of lost acknowledgements only: every byte arrives, and the writer times out.
#[refrain::test(runs = 20, without_holds)]
async fn a_writer_without_acknowledgements_times_out_though_all_arrives(world: World) {
    serve(&world, async |mut stream| {
        let mut read = vec![];
        let _ = stream.read_to_end(&mut read).await;
        assert_eq!(read, b"everything");
    });
    world.client("client");
    world.fault("lose 100 % of acknowledgements on server -> client at 1 s");
    client(&world, |mut stream| async move {
        sleep(2 * SECOND).await;
        stream.write_all(b"everything").await.unwrap();
        let (ended, took) = timed(stream.read(&mut [0])).await;
        assert_eq!(ended, Err(TimedOut));
        assert!(took > 900 * SECOND, "{took:?}");
    })
    .await;
}
