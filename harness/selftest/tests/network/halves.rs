//! split, into_split, reunite, and dropped connects.

use super::{SECOND, client, echo, read, serve};
use refrain::World;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

#[refrain::test(runs = 20)]
async fn halves_read_and_write_side_by_side(world: World) {
    serve(&world, echo);
    client(&world, |mut stream| async move {
        let (mut reader, mut writer) = stream.split();
        let mut answer = [0; 4];
        let (written, read) = tokio::join!(writer.write_all(b"ping"), reader.read_exact(&mut answer));
        written.and(read.map(drop)).unwrap();
        assert_eq!(&answer, b"ping");
    })
    .await;
}

#[refrain::test(runs = 20)]
async fn halves_come_together_again_without_a_shutdown(world: World) {
    serve(&world, echo);
    client(&world, |stream| async move {
        let (mut reader, mut writer) = stream.into_split();
        let task = tokio::spawn(async move {
            writer.write_all(b"1").await.unwrap();
            writer
        });
        let mut answer = [0];
        reader.read_exact(&mut answer).await.unwrap();
        let mut stream = reader.reunite(task.await.unwrap()).unwrap();
        assert_eq!(super::ask(&mut stream, b"2").await.unwrap(), b"2");
        let (reader, _writer) = stream.into_split();
        let (_reader, writer) = TcpStream::connect("server:80").await.unwrap().into_split();
        assert!(reader.reunite(writer).is_err());
    })
    .await;
}

#[refrain::test(runs = 20)]
async fn a_dropped_writing_half_shuts_down_and_a_dropped_reading_half_does_not(world: World) {
    serve(&world, echo);
    client(&world, |stream| async move {
        let (reader, mut writer) = stream.into_split();
        drop(reader);
        writer.write_all(b"still open").await.unwrap();
        let (mut reader, writer) = TcpStream::connect("server:80").await.unwrap().into_split();
        drop(writer);
        assert_eq!(reader.read(&mut [0]).await.unwrap(), 0);
    })
    .await;
}

#[refrain::test(runs = 50)]
async fn a_connect_may_be_dropped_at_any_time(world: World, #[any(0u64..20_000)] after_us: u64) {
    world.conserves("socket");
    serve(&world, |mut stream| async move {
        // The end or a reset: a client that gave up does not keep the connection.
        let _ = timeout(SECOND * 100, read(&mut stream)).await.expect("the client is gone");
    });
    sleep(SECOND).await;
    let connect = timeout(std::time::Duration::from_micros(after_us), TcpStream::connect("server:80"));
    let _ = world.client("client").run(connect).await;
}
