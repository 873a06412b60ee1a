//! Impaired routes, as an application sees them: every impairment does what its sentence states.

use super::{SECOND, ask, client, echo, is_about, read, serve, timed};
use refrain::World;
use std::{
    io::ErrorKind::{ConnectionRefused, ConnectionReset},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    time::{Instant, sleep, timeout},
};

/// More than both buffers hold.
const BULK: usize = 300_000;

/// Returns non-uniform bytes.
fn bulk() -> Vec<u8> {
    (0..BULK).map(|n| (n / 7) as u8).collect()
}

/// Runs a server that echoes a bulk of data, a client that checks it, and one fault; returns how long it took.
async fn bulk_takes(world: &World, fault: &str) -> Duration {
    serve(world, echo);
    world.client("client");
    world.fault(fault);
    client(world, |mut stream| async move {
        let began = Instant::now();
        let (mut reader, mut writer) = stream.split();
        let send = async {
            writer.write_all(&bulk()).await.unwrap();
            writer.shutdown().await.unwrap();
        };
        let mut echoed = vec![];
        let (_, received) = tokio::join!(send, reader.read_to_end(&mut echoed));
        received.unwrap();
        assert!(echoed == bulk(), "no byte is lost, none comes twice, and all are in order");
        began.elapsed()
    })
    .await
}

#[refrain::test(runs = 20, without_holds)]
async fn loss_costs_a_stream_time_and_no_bytes(world: World) {
    let took = bulk_takes(&world, "lose 30 % of client <-> server at 1 ms").await;
    // Several retransmissions: the first waits 200 ms.
    assert!(took > Duration::from_millis(200), "{took:?}");
}

#[refrain::test(runs = 20)]
async fn a_stream_knows_a_copy_when_it_sees_one(world: World) {
    let took = bulk_takes(&world, "duplicate 50 % of client <-> server at 1 ms").await;
    assert!(is_about(took, 0), "{took:?}");
}

#[refrain::test(runs = 20)]
async fn a_stream_keeps_its_order_when_packets_do_not(world: World) {
    let took = bulk_takes(&world, "reorder 50 % of client <-> server at 1 ms").await;
    assert!(is_about(took, 0), "{took:?}");
}

/// Returns the numbered datagrams, out of 200, that a server receives. Without faults their order is kept.
async fn heard(world: &World, fault: &str) -> Vec<u32> {
    let heard = Arc::new(Mutex::new(vec![]));
    let hears = heard.clone();
    world.host("server", move || {
        let heard = hears.clone();
        async move {
            let socket = UdpSocket::bind("0.0.0.0:53").await?;
            loop {
                let mut number = [0; 4];
                socket.recv(&mut number).await?;
                heard.lock().unwrap().push(u32::from_le_bytes(number));
            }
            #[allow(unreachable_code)]
            std::io::Result::Ok(())
        }
    });
    let client = world.client("client");
    world.fault(fault);
    let says = async {
        sleep(SECOND * 20).await;
        let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
        socket.connect("server:53").await.unwrap();
        for number in 0..200u32 {
            socket.send(&number.to_le_bytes()).await.unwrap();
            sleep(Duration::from_millis(8)).await;
        }
        sleep(SECOND * 20).await;
    };
    client.run(says).await;
    let heard = heard.lock().unwrap();
    heard.clone()
}

#[refrain::test(runs = 20)]
async fn a_lost_datagram_never_comes(world: World) {
    let heard = heard(&world, "lose 50 % of client -> server at 0 s").await;
    assert!((50..150).contains(&heard.len()) && heard.is_sorted_by(|one, next| one < next), "{heard:?}");
}

#[refrain::test(runs = 20)]
async fn a_duplicated_datagram_comes_twice(world: World) {
    let heard = heard(&world, "duplicate 50 % of client -> server at 0 s").await;
    assert!((250..350).contains(&heard.len()), "{} of 200", heard.len());
    assert!((0..200).all(|number| (1..=2).contains(&heard.iter().filter(|other| **other == number).count())));
}

#[refrain::test(runs = 20)]
async fn a_datagram_that_is_overtaken_comes_late(world: World) {
    let mut heard = heard(&world, "reorder 50 % of client -> server at 0 s").await;
    assert!(!heard.is_sorted());
    heard.sort_unstable();
    assert!(heard.into_iter().eq(0..200), "each comes once");
}

#[refrain::test(runs = 20)]
async fn a_limit_lets_so_many_bytes_pass_a_second(world: World) {
    let took = bulk_takes(&world, "limit client -> server to 10000 B/s at 1 ms").await;
    assert!(is_about(took, 30), "{took:?}");
}

// A held client might start after the fault has ended.
#[refrain::test(runs = 20, without_holds)]
async fn a_limit_ends_with_its_fault(world: World) {
    let took = bulk_takes(&world, "limit client -> server to 10000 B/s at 1 ms for 3 s").await;
    // What was sent before the end, a whole buffer, still takes its time.
    assert!((3..30).contains(&took.as_secs()), "{took:?}");
}

#[refrain::test(runs = 20)]
async fn a_delay_makes_some_packets_late(world: World) {
    serve(&world, echo);
    world.client("client");
    world.fault("delay 50 % of client -> server by 10 s at 100 ms");
    client(&world, |mut stream| async move {
        sleep(SECOND).await;
        let (mut late, mut soon) = (0, 0);
        for _ in 0..20 {
            match timed(ask(&mut stream, b"?")).await.1 {
                took if took >= SECOND * 10 => late += 1,
                _ => soon += 1,
            }
        }
        assert!(late >= 2 && soon >= 2, "{late} late, {soon} soon");
    })
    .await;
}

#[refrain::test(runs = 20)]
async fn a_dropped_syn_is_sent_again(world: World) {
    serve(&world, echo);
    let host = world.client("client");
    world.fault("drop SYNs on client -> server at 0 s for 2.5 s");
    sleep(Duration::from_millis(10)).await;
    let began = Instant::now();
    host.run(TcpStream::connect("server:80")).await.unwrap();
    // The second SYN after 1 s, the third after 3 s.
    let took = began.elapsed();
    assert!(took > SECOND * 2 && is_about(took, 2), "{took:?}");
}

#[refrain::test(runs = 20)]
async fn syns_are_dropped_one_way(world: World) {
    serve(&world, echo);
    let host = world.client("client");
    world.fault("drop SYNs on server -> client at 0 s");
    sleep(Duration::from_millis(10)).await;
    let (connected, took) = host.run(timed(TcpStream::connect("server:80"))).await;
    connected.unwrap();
    assert!(is_about(took, 0), "{took:?}");
}

#[refrain::test(runs = 20)]
async fn a_refused_syn_is_a_refused_connect(world: World) {
    serve(&world, echo);
    let host = world.client("client");
    world.fault("refuse SYNs on client -> server at 0 s for 60 s");
    sleep(Duration::from_millis(10)).await;
    let (refused, took) = host.run(timed(TcpStream::connect("server:80"))).await;
    assert_eq!(refused.unwrap_err(), ConnectionRefused);
    assert!(is_about(took, 0), "{took:?}");
    sleep(SECOND * 60).await;
    host.run(TcpStream::connect("server:80")).await.unwrap();
}

#[refrain::test(runs = 20, without_holds)]
async fn a_reset_at_the_nth_byte_lets_n_bytes_pass(world: World) {
    serve(&world, |mut stream| async move {
        stream.write_all(&[7; 100]).await.unwrap();
        std::future::pending().await
    });
    world.client("client");
    world.fault("reset server <-> client when client receives the 42nd byte from server");
    client(&world, |mut stream| async move {
        let mut all = vec![];
        let error = stream.read_to_end(&mut all).await.unwrap_err();
        assert_eq!((all, error.kind()), (vec![7; 42], ConnectionReset));
    })
    .await;
}

#[refrain::test(runs = 20)]
async fn bytes_are_counted_over_all_connections(world: World) {
    serve(&world, echo);
    world.client("client");
    world.fault("cut server <-> client when server receives the 5th byte from client for 10 s");
    client(&world, |mut stream| async move { ask(&mut stream, b"four").await.unwrap() }).await;
    client(&world, |mut stream| async move {
        let (answer, took) = timed(ask(&mut stream, b"four")).await;
        assert_eq!(answer.unwrap(), b"four");
        assert!(took >= SECOND * 10, "{took:?}");
    })
    .await;
}

#[refrain::test(runs = 20, without_holds)]
async fn a_stretched_write_takes_one_byte(world: World) {
    serve(&world, echo);
    world.client("client");
    world.fault("stretch writes on client -> server at 1 s");
    client(&world, |mut stream| async move {
        assert_eq!(stream.write(b"whole").await.unwrap(), 5);
        assert_eq!(read(&mut stream).await.unwrap().len(), 5);
        sleep(SECOND).await;
        assert_eq!(stream.write(b"in pieces").await.unwrap(), 1);
        assert_eq!(stream.try_write(b"n pieces").unwrap(), 1);
        stream.write_all(b" pieces").await.unwrap();
        let mut answer = [0; 9];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"in pieces");
    })
    .await;
}

#[refrain::test(runs = 20)]
async fn a_stretched_read_gives_one_byte(world: World) {
    serve(&world, echo);
    world.client("client");
    world.fault("stretch reads on server -> client at 1 s for 1000 s");
    client(&world, |mut stream| async move {
        sleep(SECOND).await;
        stream.write_all(b"in pieces").await.unwrap();
        for byte in b"in pieces" {
            assert_eq!(stream.peek(&mut [0; 100]).await.unwrap(), 1);
            assert_eq!(read(&mut stream).await.unwrap(), [*byte]);
        }
        assert!(timeout(SECOND, read(&mut stream)).await.is_err(), "what is not there is not the end");
        sleep(SECOND * 1000).await;
        assert_eq!(ask(&mut stream, b"whole").await.unwrap(), b"whole");
    })
    .await;
}

#[refrain::test(runs = 20)]
async fn a_stalled_reader_makes_the_writer_wait(world: World) {
    serve(&world, |mut stream| async move {
        let mut all = vec![];
        stream.read_to_end(&mut all).await.unwrap();
        assert!(all == bulk());
        stream.write_all(b"all of it").await.unwrap();
    });
    world.client("client");
    world.fault("stall reads on client -> server at 0 s for 100 s");
    client(&world, |mut stream| async move {
        let wrote = timeout(SECOND * 90, stream.write_all(&bulk())).await;
        assert!(wrote.is_err(), "the buffers of both ends do not hold that much");
        drop(stream);
    })
    .await;
}

#[refrain::test(runs = 20, without_holds)]
async fn a_stalled_reader_reads_on_when_the_stall_is_over(world: World) {
    let took = bulk_takes(&world, "stall reads on client -> server at 1 ms for 100 s").await;
    assert!(is_about(took, 99), "{took:?}");
}

#[refrain::test(runs = 20)]
async fn small_buffers_take_as_many_bytes_as_they_hold(world: World) {
    serve(&world, |stream| async move {
        let _unread = stream;
        std::future::pending().await
    });
    world.client("client");
    world.fault("shrink buffers on client -> server to 16 B at 0 s for 100 s");
    client(&world, |stream| async move {
        assert_eq!(stream.try_write(&[0; 100]).unwrap(), 16);
        sleep(SECOND * 10).await;
        assert_eq!(stream.try_write(&[0; 100]).unwrap(), 16, "the other end holds the first 16");
        sleep(SECOND * 10).await;
        assert!(stream.try_write(&[0; 100]).is_err(), "both are full");
        sleep(SECOND * 100).await;
        assert!(stream.try_write(&[0; 100]).unwrap() > 16);
    })
    .await;
}

#[refrain::test(runs = 20)]
async fn small_buffers_lose_no_byte(world: World) {
    serve(&world, echo);
    world.client("client");
    world.fault("shrink buffers on client <-> server to 7 B at 1 s for 1 s");
    client(&world, |mut stream| async move {
        for _ in 0..20 {
            assert_eq!(ask(&mut stream, &[9; 100]).await.unwrap(), [9; 100]);
            sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
}
