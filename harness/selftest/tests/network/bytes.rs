//! Data transfer: buffers, windows, partial reads, try_read, peek.

use super::{SECOND, client, echo, hold, read, serve};
use proptest::collection::vec;
use refrain::{Faults, World};
use std::{io::ErrorKind::WouldBlock, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

const MIB: usize = 1 << 20;

#[refrain::test(runs = 20)]
async fn a_writer_waits_for_a_reader_that_does_not_read(world: World) {
    serve(&world, |mut stream| async move {
        sleep(SECOND * 100).await;
        let mut all = vec![];
        stream.read_to_end(&mut all).await.unwrap();
        assert!(all.len() == MIB && all.iter().enumerate().all(|(at, byte)| *byte == at as u8));
        stream.write_all(b"all").await.unwrap();
    });
    client(&world, |mut stream| async move {
        let all = (0..MIB).map(|at| at as u8).collect::<Vec<_>>();
        let mut written = 0;
        while let Ok(n) = timeout(SECOND, stream.write(&all[written..])).await {
            written += n.unwrap();
        }
        // The capacity of both buffers, 64 KiB each.
        assert_eq!(written, 128 << 10);
        assert_eq!(stream.try_write(b"?").unwrap_err().kind(), WouldBlock);
        stream.write_all(&all[written..]).await.unwrap();
        stream.shutdown().await.unwrap();
        assert_eq!(read(&mut stream).await.unwrap(), b"all");
    })
    .await;
}

#[refrain::test(runs = 20)]
async fn a_window_that_opens_during_a_cut_is_asked_for_again(world: World) {
    serve(&world, |mut stream| async move {
        sleep(SECOND * 5).await;
        let mut all = vec![];
        stream.read_to_end(&mut all).await.unwrap();
        assert_eq!(all.len(), MIB);
        stream.write_all(b"all").await.unwrap();
    });
    world.client("client");
    world.fault("cut server <-> client at 4 s for 20 s");
    client(&world, |mut stream| async move {
        stream.write_all(&vec![7; MIB]).await.unwrap();
        stream.shutdown().await.unwrap();
        assert_eq!(read(&mut stream).await.unwrap(), b"all");
    })
    .await;
}

#[refrain::test(runs = 20, without_holds)]
async fn reads_take_what_is_there_over_the_edges_of_writes(world: World) {
    serve(&world, |mut stream| async move {
        for part in ["a", "bc", "def"] {
            stream.write_all(part.as_bytes()).await.unwrap();
        }
        hold(stream).await;
    });
    client(&world, |mut stream| async move {
        sleep(SECOND).await;
        let mut two = [0; 2];
        assert_eq!(stream.peek(&mut two).await.unwrap(), 2);
        assert_eq!(&two, b"ab");
        assert_eq!(stream.try_read(&mut two).unwrap(), 2);
        assert_eq!(&two, b"ab");
        assert_eq!(stream.read(&mut []).await.unwrap(), 0);
        assert_eq!(read(&mut stream).await.unwrap(), b"cdef");
        assert_eq!(stream.try_read(&mut two).unwrap_err().kind(), WouldBlock);
    })
    .await;
}

#[refrain::test(runs = 20)]
async fn a_long_write_may_come_in_parts_and_a_short_one_does_not(world: World) {
    world.sometimes("a long write comes in parts", "selftest::network", "in parts");
    world.sometimes("a long write comes whole", "selftest::network", "whole");
    serve(&world, |mut stream| async move {
        for len in [1448, 10_000].repeat(5) {
            stream.write_all(&vec![7; len]).await.unwrap();
            // The next write happens after this one has been read.
            assert_eq!(read(&mut stream).await.unwrap(), b"next");
        }
    });
    client(&world, |mut stream| async move {
        for len in [1448, 10_000].repeat(5) {
            let first = read(&mut stream).await.unwrap().len();
            assert!(first == len || len > 1448, "{first} of {len} bytes");
            tracing::info!("{}", if first < len { "in parts" } else { "whole" });
            let mut rest = vec![0; len - first];
            stream.read_exact(&mut rest).await.unwrap();
            stream.write_all(b"next").await.unwrap();
        }
    })
    .await;
}

#[refrain::test(runs = 20, without_holds)]
async fn trying_takes_nobodys_turn(world: World) {
    serve(&world, |mut stream| async move {
        sleep(SECOND).await;
        stream.write_all(b"late").await.unwrap();
        hold(stream).await;
    });
    client(&world, |stream| async move {
        let stream = std::sync::Arc::new(stream);
        let peekers = [stream.clone(), stream.clone()]
            .map(|stream| tokio::spawn(async move { stream.peek(&mut [0; 9]).await.unwrap() }));
        sleep(Duration::from_millis(500)).await;
        assert_eq!(stream.try_read(&mut [0]).unwrap_err().kind(), WouldBlock);
        for peeker in peekers {
            assert_eq!(timeout(SECOND * 5, peeker).await.expect("it is woken").unwrap(), 4);
        }
    })
    .await;
}

/// Connects until it succeeds, because the network may be cut.
async fn connect() -> TcpStream {
    loop {
        if let Ok(stream) = TcpStream::connect("server:80").await {
            return stream;
        }
    }
}

/// Returns the byte at this offset of the stream.
fn byte(at: usize) -> u8 {
    (at % 251) as u8
}

async fn write_and_read(sizes: Vec<usize>) -> Vec<u8> {
    let (mut reader, mut writer) = connect().await.into_split();
    let write = async {
        let mut at = 0;
        for size in sizes {
            let part = (at..at + size).map(byte).collect::<Vec<_>>();
            writer.write_all(&part).await.unwrap();
            at += size;
        }
        writer.shutdown().await.unwrap();
    };
    let mut all = vec![];
    let read = reader.read_to_end(&mut all);
    tokio::join!(write, read).1.unwrap();
    all
}

#[refrain::test(runs = 100)]
async fn bytes_arrive_whole_and_in_order_whatever_goes_wrong(
    world: World,
    #[any(vec(1usize..70_000, 1..12))] sizes: Vec<usize>,
) {
    serve(&world, echo);
    let client = world.client("client");
    world.faults(Faults::between("server", "client").cuts().one_way_cuts().pauses().slowdowns().at_most(6));
    sleep(SECOND).await;
    let total: usize = sizes.iter().sum();
    let heal = async {
        // A server that receives no ACK for 63 s drops the handshake that it has answered, and then resets. The client's next try
        // after the network healed may come only when twice the time has passed.
        sleep(SECOND * 20).await;
        world.heal().await;
    };
    let (all, ()) = tokio::join!(client.run(write_and_read(sizes)), heal);
    assert_eq!(all.len(), total);
    assert!(all.iter().enumerate().all(|(at, known)| *known == byte(at)));
}
