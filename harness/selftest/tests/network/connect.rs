//! Connecting: SYNs, their retransmission timeouts, refusals, the backlog.

use super::{SECOND, hold, is_about, serve, timed};
use refrain::World;
use std::{io::ErrorKind, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, sleep, timeout},
};

#[refrain::test(runs = 20)]
async fn a_connect_across_a_cut_times_out_after_127_s(world: World) {
    serve(&world, hold);
    let client = world.client("client");
    world.fault("cut server <-> client at 0 s");
    sleep(SECOND).await;
    let (result, took) = client.run(timed(TcpStream::connect("server:80"))).await;
    assert_eq!(result.unwrap_err(), ErrorKind::TimedOut);
    assert!(is_about(took, 127), "{took:?}");
}

#[refrain::test(runs = 20)]
async fn a_connect_succeeds_with_the_first_syn_after_a_cut(world: World) {
    serve(&world, hold);
    let client = world.client("client");
    let began = Instant::now();
    world.fault("cut server <-> client at 0 s for 60 s");
    client.run(TcpStream::connect("server:80")).await.unwrap();
    // SYNs are sent after 0, 1, 3, 7, 15, 31 and 63 s.
    assert!(is_about(began.elapsed(), 60), "{:?}", began.elapsed());
}

#[refrain::test(runs = 20)]
async fn without_a_listener_a_connect_is_refused_at_once(world: World) {
    world.host("server", std::future::pending::<()>);
    let (result, took) = world.client("client").run(timed(TcpStream::connect("server:80"))).await;
    assert_eq!(result.unwrap_err(), ErrorKind::ConnectionRefused);
    assert!(is_about(took, 0), "{took:?}");
}

#[refrain::test(runs = 5)]
async fn an_unknown_host_does_not_resolve(world: World) {
    world.host("server", std::future::pending::<()>);
    let error = world.client("client").run(TcpStream::connect("sever:80")).await.unwrap_err();
    assert_eq!(error.to_string(), "client cannot resolve \"sever\": the simulated hosts are server, client");
}

#[refrain::test(runs = 5)]
async fn an_address_that_nobody_has_is_unreachable(world: World) {
    let (result, took) = world.client("client").run(timed(TcpStream::connect("10.9.9.9:80"))).await;
    assert_eq!(result.unwrap_err(), ErrorKind::HostUnreachable);
    assert!(is_about(took, 3), "{took:?}");
}

#[refrain::test(runs = 20)]
async fn a_host_without_power_answers_no_syn(world: World) {
    serve(&world, hold);
    let client = world.client("client");
    world.fault("crash server at 0 s");
    sleep(SECOND).await;
    let (result, took) = client.run(timed(TcpStream::connect("server:80"))).await;
    assert_eq!(result.unwrap_err(), ErrorKind::TimedOut);
    assert!(is_about(took, 127), "{took:?}");
}

#[refrain::test(runs = 20)]
async fn a_full_backlog_drops_syns(world: World) {
    // Nobody accepts. tokio's backlog is 128; as on Linux, the queue holds one more.
    world.host("server", || async {
        let _listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
        std::future::pending::<()>().await
    });
    sleep(Duration::from_millis(10)).await;
    let client = world.client("client");
    let connects = client.run(async {
        let mut connected = vec![];
        while let Ok(stream) = timeout(SECOND, TcpStream::connect("server:80")).await {
            connected.push(stream.unwrap());
            // The final ACK of the handshake may arrive after the next SYN.
            sleep(Duration::from_millis(10)).await;
        }
        connected.len()
    });
    assert_eq!(connects.await, 129);
}

#[refrain::test(runs = 20)]
async fn connects_that_are_given_up_leave_the_backlog(world: World) {
    serve(&world, hold);
    let client = world.client("client");
    let connects = client.run(async {
        sleep(Duration::from_millis(10)).await;
        // Long enough for the SYN to arrive, too short for the SYN-ACK.
        for _ in 0..2000 {
            let _ = timeout(Duration::from_micros(1500), TcpStream::connect("server:80")).await;
        }
        sleep(SECOND).await;
        TcpStream::connect("server:80").await.map(drop)
    });
    connects.await.unwrap();
}

#[refrain::test(runs = 20)]
async fn a_paused_host_still_completes_handshakes(world: World) {
    serve(&world, super::echo);
    let client = world.client("client");
    let began = Instant::now();
    world.fault("pause server at 1 s for 99 s");
    sleep(SECOND * 2).await;
    let asked = client.run(async {
        let (stream, took) = timed(TcpStream::connect("server:80")).await;
        assert!(is_about(took, 0), "{took:?}");
        super::ask(&mut stream.unwrap(), b"are you there").await
    });
    assert_eq!(asked.await.unwrap(), b"are you there");
    assert!(is_about(began.elapsed(), 100), "{:?}", began.elapsed());
}

#[refrain::test(runs = 20)]
async fn whoever_waits_in_the_queue_of_a_killed_process_is_reset(world: World) {
    let host = world.host("server", || async {
        let _listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
        std::future::pending::<()>().await
    });
    super::client(&world, move |mut stream| async move {
        host.terminate();
        assert_eq!(timed(super::read(&mut stream)).await.0.unwrap_err(), ErrorKind::ConnectionReset);
    })
    .await;
}
