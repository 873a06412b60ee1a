//! Connection teardown: FIN, half-close, RST, and the errors that Linux reports for each.

use super::{SECOND, client, echo, hold, read, serve, timed};
use refrain::World;
use std::io::ErrorKind::{BrokenPipe, ConnectionReset};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::sleep,
};

#[refrain::test(runs = 20)]
async fn a_fin_is_read_as_the_end(world: World) {
    serve(&world, |mut stream| async move {
        stream.write_all(b"bye").await.unwrap();
    });
    let read = client(&world, |mut stream| async move {
        let mut all = vec![];
        stream.read_to_end(&mut all).await.unwrap();
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
        all
    });
    assert_eq!(read.await, b"bye");
}

#[refrain::test(runs = 20)]
async fn a_half_closed_connection_still_answers(world: World) {
    serve(&world, |mut stream| async move {
        let mut question = vec![];
        stream.read_to_end(&mut question).await.unwrap();
        stream.write_all(&question).await.unwrap();
    });
    let answer = client(&world, |mut stream| async move {
        stream.write_all(b"all of it").await.unwrap();
        stream.shutdown().await.unwrap();
        assert_eq!(stream.write(b"more").await.unwrap_err().kind(), BrokenPipe);
        let mut answer = vec![];
        stream.read_to_end(&mut answer).await.unwrap();
        answer
    });
    assert_eq!(answer.await, b"all of it");
}

#[refrain::test(runs = 20, without_holds)]
async fn a_close_with_unread_data_resets_the_peer(world: World) {
    serve(&world, |mut stream| async move {
        stream.write_all(b"last words").await.unwrap();
        sleep(SECOND).await;
    });
    client(&world, |mut stream| async move {
        stream.write_all(b"nobody reads this").await.unwrap();
        sleep(SECOND * 2).await;
        // Data that arrived before the reset can still be read.
        assert_eq!(read(&mut stream).await.unwrap(), b"last words");
        assert_eq!(timed(read(&mut stream)).await.0.unwrap_err(), ConnectionReset);
        assert_eq!(read(&mut stream).await.unwrap(), b"");
        assert_eq!(stream.write(b"?").await.unwrap_err().kind(), BrokenPipe);
    })
    .await;
}

#[refrain::test(runs = 20)]
async fn a_reset_does_not_overtake_what_was_written_before_it(world: World) {
    serve(&world, |mut stream| async move {
        stream.peek(&mut [0]).await.unwrap();
        stream.write_all(b"last words").await.unwrap();
    });
    client(&world, |mut stream| async move {
        stream.write_all(b"nobody reads this").await.unwrap();
        assert_eq!(read(&mut stream).await.unwrap(), b"last words");
        assert_eq!(timed(read(&mut stream)).await.0.unwrap_err(), ConnectionReset);
    })
    .await;
}

#[refrain::test(runs = 20, without_holds)]
async fn a_write_to_a_closed_peer_succeeds_once_and_then_breaks_the_pipe(world: World) {
    serve(&world, |stream| async move { drop(stream) });
    client(&world, |mut stream| async move {
        sleep(SECOND).await;
        stream.write_all(b"1").await.unwrap();
        sleep(SECOND).await;
        assert_eq!(stream.write(b"2").await.unwrap_err().kind(), BrokenPipe);
        // As on Linux: the FIN came first, so the end of the stream is read, not the reset.
        assert_eq!(read(&mut stream).await.unwrap(), b"");
    })
    .await;
}

#[refrain::test(runs = 20, without_holds)]
async fn a_write_without_a_read_of_the_end_meets_the_same(world: World) {
    serve(&world, |mut stream| async move {
        stream.write_all(b"data").await.unwrap();
    });
    client(&world, |mut stream| async move {
        sleep(SECOND).await;
        stream.write_all(b"1").await.unwrap();
        sleep(SECOND).await;
        assert_eq!(read(&mut stream).await.unwrap(), b"data");
        assert_eq!(read(&mut stream).await.unwrap(), b"");
    })
    .await;
}

#[refrain::test(runs = 20)]
async fn a_killed_process_closes_as_if_it_had_dropped_its_sockets(world: World) {
    let host = serve(&world, hold);
    client(&world, move |mut stream| async move {
        sleep(SECOND).await;
        host.terminate();
        assert_eq!(read(&mut stream).await.unwrap(), b"");
    })
    .await;
}

#[refrain::test(runs = 20)]
async fn a_killed_process_with_unread_data_resets(world: World) {
    let host = serve(&world, hold);
    client(&world, move |mut stream| async move {
        stream.write_all(b"unread").await.unwrap();
        sleep(SECOND).await;
        host.terminate();
        assert_eq!(timed(read(&mut stream)).await.0.unwrap_err(), ConnectionReset);
    })
    .await;
}

#[refrain::test(runs = 20)]
async fn a_process_that_ends_takes_its_tasks_and_sockets_with_it(world: World) {
    let server = world.host("server", || async {
        let listener = tokio::net::TcpListener::bind("0.0.0.0:80").await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            sleep(SECOND * 5).await;
            panic!("it ran on behind its process, with {stream:?}");
        });
        sleep(SECOND).await;
    });
    server.may_exit();
    client(&world, |mut stream| async move {
        assert_eq!(read(&mut stream).await.unwrap(), b"");
        sleep(SECOND * 10).await;
    })
    .await;
}

#[refrain::test(runs = 20, without_holds)]
async fn a_scripted_reset_is_seen_by_both(world: World) {
    serve(&world, |mut stream| async move {
        assert_eq!(timed(read(&mut stream)).await.0.unwrap_err(), ConnectionReset);
        tracing::info!("the server saw it");
    });
    world.sometimes("the server saw it", "selftest::network", "the server saw it");
    world.client("client");
    world.fault("reset server <-> client at 2 s");
    client(&world, |mut stream| async move {
        assert_eq!(timed(read(&mut stream)).await.0.unwrap_err(), ConnectionReset);
        assert_eq!(stream.write(b"?").await.unwrap_err().kind(), BrokenPipe);
        sleep(SECOND).await;
    })
    .await;
}

#[refrain::test(runs = 20)]
async fn nothing_needs_a_flush_and_a_drop_loses_nothing(world: World) {
    serve(&world, echo);
    let answers = client(&world, |stream| async move {
        let (mut reader, mut writer) = stream.into_split();
        for round in 0..100u8 {
            writer.write_all(&[round]).await.unwrap();
        }
        drop(writer);
        let mut answers = vec![];
        reader.read_to_end(&mut answers).await.unwrap();
        answers
    });
    assert_eq!(answers.await, (0..100).collect::<Vec<u8>>());
}
