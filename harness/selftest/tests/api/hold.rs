//! Holds make schedules that differ far from the default order.

use super::SECOND;
use refrain::World;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};
use tokio::time::sleep;

/// The first task gets its turn, and a hundred more, before the second one may look. Only a hold changes that.
async fn first_before_second() {
    let ready = Arc::new(AtomicBool::new(false));
    let seen = ready.clone();
    tokio::spawn(async move { ready.store(true, Relaxed) });
    tokio::spawn(async move {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(seen.load(Relaxed), "the second task was first");
    });
    std::future::pending::<()>().await
}

#[refrain::test(runs = 2_500, expect = "panic")]
async fn a_hold_reorders_two_tasks(world: World) {
    world.host("server", first_before_second);
    sleep(SECOND * 60).await;
}

/// No other task runs while a hold until idle lasts; timers that are due later do not count.
#[refrain::test(runs = 100)]
async fn tasks_that_are_held_run_in_the_end(world: World) {
    let done = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counted = done.clone();
    world.host("server", move || {
        let counted = counted.clone();
        async move {
            for _ in 0..50 {
                let counted = counted.clone();
                tokio::spawn(async move {
                    tokio::task::yield_now().await;
                    counted.fetch_add(1, Relaxed);
                });
            }
            std::future::pending::<()>().await
        }
    });
    sleep(SECOND * 60).await;
    assert_eq!(done.load(Relaxed), 50);
}

/// A task that is aborted or whose process dies while it is held is dropped.
#[refrain::test(runs = 200)]
async fn a_held_task_may_die(world: World) {
    world.conserves("task");
    let host = world.host("server", || async {
        for n in 0..20u64 {
            let task = tokio::spawn(async {
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                }
                std::future::pending::<()>().await
            });
            sleep(std::time::Duration::from_millis(n)).await;
            if n % 2 == 0 {
                task.abort();
            }
        }
        std::future::pending::<()>().await
    });
    sleep(std::time::Duration::from_millis(100)).await;
    host.terminate();
    sleep(SECOND).await;
}
