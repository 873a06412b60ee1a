//! Runtimes within a simulation, and code that blocks its thread.

use super::{MS, SECOND};
use refrain::World;
use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::{Builder, Handle, LocalRuntime, Runtime},
    sync::oneshot,
    task::{block_in_place, spawn_blocking, yield_now},
    time::{Instant, sleep},
};

#[refrain::test(runs = 20)]
async fn a_blocking_closure_waits_for_a_future_while_others_run(_world: World) {
    let ran = Arc::new(AtomicBool::new(false));
    let other = ran.clone();
    tokio::spawn(async move {
        sleep(SECOND).await;
        other.store(true, Relaxed);
    });
    let began = Instant::now();
    let handle = Handle::current();
    let answer = spawn_blocking(move || {
        handle.block_on(sleep(2 * SECOND));
        handle.block_on(async { 7 })
    });
    assert_eq!(answer.await.unwrap(), 7);
    assert!(ran.load(Relaxed), "the other task ran meanwhile");
    assert!(began.elapsed() >= 2 * SECOND && began.elapsed() < 3 * SECOND);
}

#[refrain::test(runs = 20)]
async fn several_closures_block_at_once(_world: World) {
    let began = Instant::now();
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            spawn_blocking(move || {
                Handle::current().block_on(sleep(SECOND));
                n
            })
        })
        .collect();
    for (n, task) in (0..).zip(tasks) {
        assert_eq!(task.await.unwrap(), n);
    }
    assert!(began.elapsed() < 2 * SECOND, "they wait beside each other");
}

#[refrain::test(runs = 20, without_holds)]
async fn block_in_place_may_block(_world: World) {
    let began = Instant::now();
    block_in_place(|| Handle::current().block_on(sleep(5 * MS)));
    assert!(began.elapsed() >= 5 * MS);
}

#[refrain::test(runs = 1, expect = "panic")]
async fn a_task_that_blocks_panics_as_with_tokio(_world: World) {
    Handle::current().block_on(async {});
}

#[refrain::test(runs = 20)]
async fn a_runtimes_tasks_end_with_it(_world: World) {
    let (send, ended) = oneshot::channel::<()>();
    spawn_blocking(move || {
        let runtime = Runtime::new().unwrap();
        runtime.spawn(async move {
            let _send = send;
            pending::<()>().await
        });
        runtime.block_on(async {
            // Spawned within it, and so of it.
            tokio::spawn(pending::<()>());
            yield_now().await;
        });
    })
    .await
    .unwrap();
    ended.await.unwrap_err();
}

#[refrain::test(runs = 20)]
async fn a_local_runtime_runs_what_is_not_send(_world: World) {
    let sum = spawn_blocking(|| {
        let runtime = LocalRuntime::new().unwrap();
        let shared = std::rc::Rc::new(std::cell::Cell::new(0));
        let other = shared.clone();
        let task = runtime.spawn_local(async move {
            sleep(SECOND).await;
            other.set(7);
        });
        runtime.block_on(task).unwrap();
        shared.get()
    });
    assert_eq!(sum.await.unwrap(), 7);
}

/// A service whose `main` is not async, and builds its runtime itself.
#[refrain::test(runs = 50, without_holds)]
async fn a_runtime_of_a_host_is_that_hosts(world: World) {
    world.host("server", || async {
        spawn_blocking(|| {
            Builder::new_multi_thread().worker_threads(4).thread_name("server").enable_all().build().unwrap().block_on(
                async {
                    let listener = TcpListener::bind("0.0.0.0:7").await.unwrap();
                    loop {
                        let (mut stream, _) = listener.accept().await.unwrap();
                        tokio::spawn(async move { stream.write_all(b"hello").await });
                    }
                },
            )
        })
        .await
    });
    sleep(SECOND).await;
    let asked = world.client("client").run(async {
        let mut stream = TcpStream::connect("server:7").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    });
    assert_eq!(asked.await, "hello");
}

/// What blocks when its host dies never goes on, and nothing of it runs again.
#[refrain::test(runs = 20, without_holds)]
async fn a_closure_that_blocks_dies_with_its_host(world: World) {
    struct Dropped(Arc<Mutex<u32>>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            *self.0.lock().unwrap() += 1;
        }
    }
    let (began, dropped) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let (begins, drops) = (began.clone(), dropped.clone());
    let server = world.host("server", move || {
        let (begins, drops) = (begins.clone(), drops.clone());
        async move {
            spawn_blocking(move || {
                *begins.lock().unwrap() += 1;
                let _dropped = Dropped(drops);
                Handle::current().block_on(pending::<()>());
            })
            .await
        }
    });
    sleep(SECOND).await;
    server.restart();
    sleep(SECOND).await;
    assert_eq!((*began.lock().unwrap(), *dropped.lock().unwrap()), (2, 0));
}
