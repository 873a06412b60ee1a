//! Threads end with their process.

use refrain::World;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};
use tokio::time::sleep;

/// A process that counts in a thread.
fn counts(world: &World, count: &Arc<AtomicU32>) {
    let count = count.clone();
    world.host("server", move || {
        let count = count.clone();
        async move {
            thread::spawn(move || {
                loop {
                    thread::sleep(Duration::from_millis(10));
                    count.fetch_add(1, SeqCst);
                }
            });
            std::future::pending::<std::io::Result<()>>().await
        }
    });
}

/// A host that loses power stops its thread mid-way.
#[refrain::test(runs = 20, without_holds)]
async fn a_crash_stops_a_thread(world: World) {
    let count = Arc::new(AtomicU32::new(0));
    counts(&world, &count);
    sleep(Duration::from_secs(1)).await;
    let before = count.load(SeqCst);
    assert!(before > 50, "{before}");
    world.fault("crash server at 2 s and reboot it after 100 s");
    sleep(Duration::from_secs(3)).await;
    let crashed = count.load(SeqCst);
    sleep(Duration::from_secs(50)).await;
    assert_eq!(count.load(SeqCst), crashed, "the thread of a host without power goes on");
    sleep(Duration::from_secs(100)).await;
    assert!(count.load(SeqCst) > crashed, "the host's next process has no thread");
}

/// When `main` returns, the process's threads are gone.
#[refrain::test(runs = 20, without_holds)]
async fn a_process_that_returns_takes_its_threads_with_it(world: World) {
    let count = Arc::new(AtomicU32::new(0));
    let there = count.clone();
    let host = world.host("server", move || {
        let count = there.clone();
        async move {
            thread::spawn(move || {
                loop {
                    thread::sleep(Duration::from_millis(10));
                    count.fetch_add(1, SeqCst);
                }
            });
            sleep(Duration::from_secs(1)).await;
            std::io::Result::Ok(())
        }
    });
    host.may_exit();
    sleep(Duration::from_secs(2)).await;
    let ended = count.load(SeqCst);
    assert!(ended > 50);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(count.load(SeqCst), ended);
}

/// Threads that are joined, detached, or never joined.
#[refrain::test(runs = 2, without_holds)]
async fn two_thousand_threads_may_come_and_go(world: World) {
    let client = world.client("client");
    client
        .run(async {
            let count = Arc::new(Mutex::new(0));
            for n in 0..2_000 {
                let count = count.clone();
                let thread = thread::spawn(move || *count.lock().unwrap() += 1);
                if n % 2 == 0 {
                    thread.join().unwrap();
                }
            }
            thread::sleep(Duration::from_secs(1));
            assert_eq!(*count.lock().unwrap(), 2_000);
        })
        .await;
}
