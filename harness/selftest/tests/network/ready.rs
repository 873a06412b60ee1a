//! Readiness: readable, writable, ready, and the try_ methods.

use super::{SECOND, client, echo, hold, serve};
use refrain::World;
use std::io::{ErrorKind::WouldBlock, IoSlice, IoSliceMut};
use tokio::{
    io::{AsyncWriteExt, Interest, Ready},
    net::TcpStream,
    time::timeout,
};

#[refrain::test(runs = 20)]
async fn a_stream_is_readable_when_there_is_something_to_read(world: World) {
    serve(&world, echo);
    client(&world, |stream| async move {
        assert!(timeout(SECOND, stream.readable()).await.is_err());
        stream.writable().await.unwrap();
        assert_eq!(stream.try_write_vectored(&[IoSlice::new(b"pi"), IoSlice::new(b"ng")]).unwrap(), 4);
        stream.readable().await.unwrap();
        let ready = stream.ready(Interest::READABLE | Interest::WRITABLE).await.unwrap();
        assert!(ready.is_readable() && ready.is_writable() && !ready.is_read_closed());
        let (mut one, mut rest) = ([0; 1], [0; 9]);
        let mut bufs = [IoSliceMut::new(&mut one), IoSliceMut::new(&mut rest)];
        assert_eq!(stream.try_read_vectored(&mut bufs).unwrap(), 4);
        assert_eq!((&one, &rest[..3]), (b"p", &b"ing"[..]));
        assert_eq!(stream.try_read_buf(&mut Vec::with_capacity(9)).unwrap_err().kind(), WouldBlock);
    })
    .await;
}

#[refrain::test(runs = 20)]
async fn the_end_is_readable_too(world: World) {
    serve(&world, |stream| async move { drop(stream) });
    client(&world, |mut stream| async move {
        let ready = stream.ready(Interest::READABLE).await.unwrap();
        assert!(ready.is_readable() && ready.is_read_closed() && !ready.is_write_closed());
        assert_eq!(stream.try_read(&mut [0]).unwrap(), 0);
        stream.shutdown().await.unwrap();
        assert!(stream.ready(Interest::WRITABLE).await.unwrap().is_write_closed());
    })
    .await;
}

#[refrain::test(runs = 20)]
async fn a_full_buffer_is_not_writable(world: World) {
    serve(&world, hold);
    client(&world, |stream| async move {
        let fill = async {
            loop {
                stream.writable().await.unwrap();
                match stream.try_write(&[0; 1000]) {
                    Ok(_) => {}
                    Err(error) => assert_eq!(error.kind(), WouldBlock),
                }
            }
        };
        assert!(timeout(SECOND * 60, fill).await.is_err());
        assert!(timeout(SECOND, stream.ready(Interest::WRITABLE)).await.is_err());
    })
    .await;
}

#[refrain::test(runs = 20)]
async fn halves_are_ready_as_their_stream_is(world: World) {
    serve(&world, echo);
    client(&world, |stream| async move {
        let (mut reader, writer) = stream.into_split();
        writer.writable().await.unwrap();
        assert_eq!(writer.try_write(b"ping").unwrap(), 4);
        reader.readable().await.unwrap();
        assert_eq!(reader.peek(&mut [0; 9]).await.unwrap(), 4);
        assert_eq!(reader.ready(Interest::READABLE).await.unwrap(), Ready::READABLE);
        let stream: &TcpStream = reader.as_ref();
        assert_eq!(stream.peer_addr().unwrap(), writer.peer_addr().unwrap());
        let mut answer = Vec::with_capacity(9);
        assert_eq!(reader.try_read_buf(&mut answer).unwrap(), 4);
        assert_eq!(answer, b"ping");
    })
    .await;
}
