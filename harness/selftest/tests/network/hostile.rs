//! Unusual but valid code: wakers that own sockets, destructors that use the network or spawn tasks.

use super::{SECOND, echo, hold, serve};
use refrain::World;
use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    task::{Context, Poll, Wake},
};
use tokio::{
    io::{AsyncRead, AsyncWriteExt, ReadBuf},
    net::{TcpListener, TcpStream},
    time::sleep,
};

/// Closes a connection when it is woken or dropped.
struct Closes(Mutex<Option<TcpStream>>);

impl Wake for Closes {
    fn wake(self: Arc<Self>) {
        self.0.lock().unwrap().take();
    }
}

async fn connect() -> TcpStream {
    TcpStream::connect("server:80").await.unwrap()
}

#[refrain::test(runs = 20)]
async fn a_waker_may_own_a_socket(world: World) {
    serve(&world, echo);
    sleep(SECOND).await;
    let client = world.client("client").run(async {
        for times in 1..200 {
            let mut stream = connect().await;
            let mut buffer = [0];
            for _ in 0..times {
                // Each poll replaces the waker of the previous one.
                let waker = Arc::new(Closes(Mutex::new(Some(connect().await)))).into();
                let read =
                    Pin::new(&mut stream).poll_read(&mut Context::from_waker(&waker), &mut ReadBuf::new(&mut buffer));
                assert!(read.is_pending());
            }
            if times > 3 {
                break;
            }
        }
    });
    client.await;
}

#[refrain::test(runs = 20, without_holds)]
async fn a_timer_and_a_listener_may_wake_what_owns_a_socket(world: World) {
    serve(&world, echo);
    sleep(SECOND).await;
    let client = world.client("client").run(async {
        let waker = Arc::new(Closes(Mutex::new(Some(connect().await)))).into();
        let mut timer = Box::pin(sleep(SECOND));
        assert!(timer.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        let other = Arc::new(Closes(Mutex::new(Some(connect().await)))).into();
        assert!(timer.as_mut().poll(&mut Context::from_waker(&other)).is_pending());
        drop((waker, other));
        let listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
        for _ in 0..100 {
            let waker = Arc::new(Closes(Mutex::new(Some(connect().await)))).into();
            assert!(listener.poll_accept(&mut Context::from_waker(&waker)).is_pending());
        }
        sleep(SECOND * 2).await;
        let _one = TcpStream::connect("127.0.0.1:80").await.unwrap();
        sleep(SECOND).await;
    });
    client.await;
}

#[refrain::test(runs = 20, without_holds)]
async fn every_future_of_a_set_is_woken_by_itself(world: World) {
    serve(&world, echo);
    world.client("client");
    let listener = world.client("other").run(async {
        let listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
        let mut accepts = [pin!(listener.accept()), pin!(listener.accept())];
        let mut accepted = 0;
        poll_fn(|cx| {
            // Like FuturesUnordered: a separate waker for each.
            for accept in &mut accepts {
                let waker = Arc::new(Forwards(cx.waker().clone())).into();
                if accepted < 2 && accept.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                    accepted += 1;
                    accept.set(listener.accept());
                }
            }
            if accepted == 2 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await
    });
    let connects = world.client("client").run(async {
        sleep(SECOND).await;
        for _ in 0..2 {
            TcpStream::connect("other:80").await.unwrap();
        }
    });
    tokio::join!(listener, connects);
}

struct Forwards(std::task::Waker);

impl Wake for Forwards {
    fn wake(self: Arc<Self>) {
        self.0.wake_by_ref();
    }
}

/// Connects, listens and spawns when dropped, like a destructor that sends a goodbye.
struct SaysGoodbye(TcpStream);

static RAN: AtomicU32 = AtomicU32::new(0);

impl Drop for SaysGoodbye {
    fn drop(&mut self) {
        let mut context = Context::from_waker(std::task::Waker::noop());
        assert!(self.0.try_write(b"goodbye").is_err());
        assert!(matches!(pin!(TcpStream::connect("other:80")).poll(&mut context), Poll::Ready(Err(_))));
        assert!(matches!(pin!(TcpListener::bind("0.0.0.0:81")).poll(&mut context), Poll::Ready(Err(_))));
        tokio::spawn(async {
            RAN.fetch_add(1, Relaxed);
            sleep(SECOND).await;
        });
    }
}

#[refrain::test(runs = 40)]
async fn destructors_of_a_dead_process_reach_nothing(world: World, how: u8, paused: bool) {
    world.conserves_up_to("task", 3);
    let other = world.client("other").run(async {
        let listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
        tokio::time::timeout(SECOND * 30, listener.accept()).await.map(drop).expect_err("a dead process has connected");
    });
    let host = world.host("server", || async {
        let listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
        let _other = TcpListener::bind("0.0.0.0:81").await.unwrap();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let _goodbye = SaysGoodbye(stream);
            std::future::pending::<()>().await
        });
        std::future::pending::<()>().await
    });
    world.client("client");
    if paused {
        world.fault("pause server at 9 s for 5 s");
    }
    match how % 3 {
        0 => world.fault("kill server at 10 s and restart it after 0 ms"),
        1 => world.fault("crash server at 10 s and reboot it after 0 ms"),
        _ => {}
    }
    sleep(SECOND).await;
    let client = world.client("client").run(async {
        let stream = connect().await;
        sleep(SECOND * 20).await;
        drop(stream);
    });
    sleep(SECOND * 9).await;
    if how % 3 == 2 {
        host.restart();
    }
    tokio::join!(other, client);
    assert_eq!(RAN.load(Relaxed), 0, "a task that a destructor spawned ran");
    assert!(host.is_running());
}

#[refrain::test(runs = 20)]
async fn a_process_does_nothing_between_its_death_and_its_end(world: World) {
    static RAN: AtomicU32 = AtomicU32::new(0);
    serve(&world, |mut stream| async move {
        let killed = Arc::new(tokio::sync::Notify::new());
        for _ in 0..50 {
            let killed = killed.clone();
            tokio::spawn(async move {
                killed.notified().await;
                RAN.fetch_add(1, Relaxed);
            });
        }
        sleep(SECOND * 100).await;
        // The kill happens at this read, when the others are ready to run.
        let _ = super::read(&mut stream).await;
        killed.notify_waiters();
    });
    world.client("client");
    world.fault("kill server when server reads from client the 1st time");
    super::client(&world, |mut stream| async move {
        stream.write_all(b"die").await.unwrap();
        let _ = super::read(&mut stream).await;
    })
    .await;
    assert_eq!(RAN.load(Relaxed), 0);
}

#[refrain::test(runs = 40)]
async fn a_process_that_binds_again_at_once_finds_its_port_free(world: World, how: bool) {
    let host = serve(&world, hold);
    sleep(SECOND).await;
    for _ in 0..20 {
        match how {
            true => host.restart(),
            false => {
                host.restart();
                host.terminate();
                host.restart();
            }
        }
        sleep(std::time::Duration::from_millis(1)).await;
    }
    sleep(SECOND).await;
    assert!(host.is_running(), "it could not bind");
}
