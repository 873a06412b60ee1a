//! A thread acts for its host: its sockets, its clocks, its chance, and tokio's API in it.

use refrain::World;
use std::{
    cell::RefCell,
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    io,
    net::{SocketAddr, ToSocketAddrs},
    panic::catch_unwind,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant, SystemTime},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::{Builder, Handle},
    time::sleep,
};

/// A server whose connections are served by a runtime in a thread of its own.
async fn serve() -> io::Result<()> {
    let served = thread::Builder::new().name("server".into()).spawn(|| {
        let runtime = Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            let listener = TcpListener::bind("0.0.0.0:7").await?;
            loop {
                let (mut stream, _) = listener.accept().await?;
                tokio::spawn(async move {
                    let mut byte = [0];
                    while stream.read_exact(&mut byte).await.is_ok() {
                        stream.write_all(&byte).await.unwrap();
                    }
                });
            }
            #[allow(unreachable_code)]
            io::Result::Ok(())
        })
    })?;
    served.join().unwrap()
}

#[refrain::test(runs = 30, without_holds)]
async fn a_runtime_in_a_thread_serves(world: World) {
    world.host("server", serve);
    let client = world.client("client");
    let handle = client.run(async {
        sleep(Duration::from_secs(1)).await;
        let handle = Handle::current();
        thread::spawn(move || {
            handle.block_on(async {
                let mut stream = TcpStream::connect("server:7").await.unwrap();
                stream.write_all(b"x").await.unwrap();
                let mut byte = [0];
                stream.read_exact(&mut byte).await.unwrap();
                (byte, stream.local_addr().unwrap().ip(), stream.peer_addr().unwrap().ip())
            })
        })
        .join()
        .unwrap()
    });
    let (byte, own, peer) = handle.await;
    assert_eq!(&byte, b"x");
    let (client, server) = (address(&world, "client").await, address(&world, "server").await);
    assert_eq!((own, peer), (client.ip(), server.ip()));
}

async fn address(world: &World, name: &'static str) -> SocketAddr {
    world.client("asks").run(async move { (name, 1).to_socket_addrs().unwrap().next().unwrap() }).await
}

/// A port that a thread of one host has is free on another.
#[refrain::test(runs = 20)]
async fn threads_of_two_hosts_have_sockets_of_their_own(world: World) {
    let bind = || {
        thread::spawn(|| {
            let listener = std::net::TcpListener::bind("0.0.0.0:7").unwrap();
            assert_eq!(std::net::TcpListener::bind("0.0.0.0:7").unwrap_err().kind(), io::ErrorKind::AddrInUse);
            thread::sleep(Duration::from_secs(5));
            listener.local_addr().unwrap()
        })
        .join()
        .unwrap()
    };
    let (one, other) = (world.client("one"), world.client("other"));
    let (one, other) = tokio::join!(one.run(async move { bind() }), other.run(async move { bind() }));
    assert_eq!((one.port(), other.port()), (7, 7));
}

/// tokio's functions panic in a thread that has entered no runtime, as they do in production.
#[refrain::test(runs = 3)]
async fn a_thread_has_no_runtime_until_it_enters_one(world: World) {
    let client = world.client("client");
    client
        .run(async {
            let handle = Handle::current();
            let tried = thread::spawn(move || {
                assert!(Handle::try_current().is_err());
                assert!(catch_unwind(|| tokio::spawn(async {})).is_err());
                assert!(catch_unwind(|| sleep(Duration::from_secs(1))).is_err());
                let _entered = handle.enter();
                tokio::spawn(async { 3 })
            });
            assert_eq!(tried.join().unwrap().await.unwrap(), 3);
        })
        .await;
}

/// What a thread reads of its machine is what its process reads.
#[refrain::test(runs = 20)]
async fn clocks_and_numbers_are_the_hosts(world: World) {
    let client = world.client("client");
    client
        .run(async {
            let read =
                || (Instant::now(), SystemTime::now(), std::process::id(), thread::available_parallelism().unwrap());
            let (before, there, after) = (read(), thread::spawn(read).join().unwrap(), read());
            assert!(before.0 <= there.0 && there.0 <= after.0, "{before:?} {there:?} {after:?}");
            assert!(before.1 <= there.1 && there.1 <= after.1, "{before:?} {there:?} {after:?}");
            assert_eq!((before.2, before.3), (there.2, there.3));
        })
        .await;
}

thread_local! {
    static OWN: RefCell<Vec<mpsc::Sender<&'static str>>> = const { RefCell::new(vec![]) };
}

/// A thread has thread-locals of its own, and they are destroyed with it, before it is joined.
#[refrain::test(runs = 20)]
async fn thread_locals_are_the_threads_own(world: World) {
    struct Tells(mpsc::Sender<&'static str>, Arc<Mutex<u32>>);
    impl Drop for Tells {
        fn drop(&mut self) {
            thread::sleep(Duration::from_secs(1));
            *self.1.lock().unwrap() += 1;
            self.0.send("destroyed").unwrap();
        }
    }
    thread_local!(static TELLS: RefCell<Option<Tells>> = const { RefCell::new(None) });
    let client = world.client("client");
    client
        .run(async {
            let ((tx, rx), count) = (mpsc::channel(), Arc::new(Mutex::new(0)));
            OWN.with_borrow_mut(|own| own.push(tx.clone()));
            let there = count.clone();
            thread::spawn(move || {
                assert!(OWN.with_borrow(Vec::is_empty));
                TELLS.set(Some(Tells(tx, there)));
            })
            .join()
            .unwrap();
            assert_eq!((rx.try_recv(), *count.lock().unwrap()), (Ok("destroyed"), 1));
            OWN.with_borrow_mut(Vec::clear);
        })
        .await;
}

/// Records what depends on chance and addresses, for [`super::order`].
pub fn chance() -> String {
    let map: HashMap<u8, ()> = (0..20).map(|n| (n, ())).collect();
    format!("{:?} {} {:p}", map.keys().collect::<Vec<_>>(), RandomState::new().hash_one(1), Box::new(1u64))
}

/// What a thread logs is recorded as its task's.
#[refrain::test(runs = 5)]
async fn what_a_thread_logs_is_its_hosts(world: World) {
    world.sometimes("a thread logs", "selftest::threads", "flushed");
    world.counts("flushes", "selftest::threads", "flushed");
    let client = world.client("client");
    client.run(async { thread::spawn(|| tracing::info!("flushed")).join().unwrap() }).await;
}
