//! Tasks: JoinHandle, JoinSet, spawn_blocking.

use super::SECOND;
use refrain::World;
use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};
use tokio::{
    task::{JoinSet, LocalSet, spawn_blocking, yield_now},
    time::sleep,
};

/// Counts the live instances.
struct Alive(Arc<AtomicU32>);

impl Alive {
    fn new(count: &Arc<AtomicU32>) -> Alive {
        count.fetch_add(1, Relaxed);
        Alive(count.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

#[refrain::test(runs = 20)]
async fn an_aborted_task_is_cancelled_and_dropped(_world: World) {
    let count = Arc::default();
    let alive = Alive::new(&count);
    let task = tokio::spawn(async move {
        let _alive = alive;
        pending::<()>().await
    });
    yield_now().await;
    assert!(!task.is_finished());
    task.abort();
    let error = task.await.unwrap_err();
    assert!(error.is_cancelled() && !error.is_panic());
    assert_eq!(count.load(Relaxed), 0);
}

#[refrain::test(runs = 20)]
async fn an_abort_of_a_finished_task_keeps_its_value(_world: World) {
    let task = tokio::spawn(async { 7 });
    sleep(SECOND).await;
    task.abort();
    assert!(task.is_finished());
    assert_eq!(task.await.unwrap(), 7);
}

#[refrain::test(runs = 20)]
async fn a_task_may_abort_itself_and_ends_at_its_next_await(_world: World) {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let task = tokio::spawn(async move {
        let abort: tokio::task::AbortHandle = receiver.await.unwrap();
        abort.abort();
        yield_now().await;
        unreachable!("it was aborted");
    });
    sender.send(task.abort_handle()).unwrap();
    let ended: Result<(), _> = task.await;
    assert!(ended.unwrap_err().is_cancelled());
}

#[refrain::test(runs = 20)]
async fn a_dropped_handle_lets_its_task_go_on_and_a_dropped_set_does_not(_world: World) {
    let count = Arc::default();
    let alive = [Alive::new(&count), Alive::new(&count), Alive::new(&count)];
    let [one, two, three] = alive.map(|alive| async move {
        sleep(SECOND).await;
        drop(alive);
    });
    drop(tokio::spawn(one));
    let mut set = JoinSet::new();
    set.spawn(two);
    set.spawn(three);
    yield_now().await;
    drop(set);
    sleep(SECOND / 2).await;
    assert_eq!(count.load(Relaxed), 1);
    sleep(SECOND).await;
    assert_eq!(count.load(Relaxed), 0);
}

#[refrain::test(runs = 20)]
async fn a_set_gives_every_result_once(_world: World) {
    let mut set = JoinSet::new();
    for n in 0..10u64 {
        set.spawn(async move {
            sleep(SECOND * (n % 3) as u32).await;
            n
        });
    }
    assert!(set.try_join_next().is_none());
    let mut results = vec![];
    while let Some(result) = set.join_next().await {
        results.push(result.unwrap());
    }
    results.sort_unstable();
    assert_eq!(results, (0..10).collect::<Vec<_>>());
    set.spawn(pending());
    set.shutdown().await;
    assert!(set.is_empty() && set.join_next().await.is_none());
}

#[refrain::test(runs = 20)]
async fn blocking_work_runs_as_a_task(_world: World) {
    assert_eq!(spawn_blocking(|| (1..=10).product::<u32>()).await.unwrap(), 3_628_800);
}

#[refrain::test(runs = 20)]
async fn local_tasks_run_while_their_set_is_awaited(_world: World) {
    let set = LocalSet::new();
    let value = std::rc::Rc::new(std::cell::Cell::new(0));
    let counted = value.clone();
    let task = set.spawn_local(async move {
        sleep(SECOND).await;
        tokio::task::spawn_local(async move { counted.set(counted.get() + 1) }).await.unwrap();
    });
    sleep(SECOND * 5).await;
    assert_eq!(value.get(), 0);
    set.run_until(task).await.unwrap();
    assert_eq!(value.get(), 1);
    let endless = set.spawn_local(pending::<()>());
    let abort = endless.abort_handle();
    set.run_until(async move {
        yield_now().await;
        abort.abort();
        assert!(endless.await.unwrap_err().is_cancelled());
    })
    .await;
    set.await;
}

#[refrain::test(runs = 40)]
async fn local_tasks_pass_the_gate_and_end_with_their_process(world: World) {
    world.conserves("task");
    let beats = Arc::<AtomicU32>::default();
    let counted = beats.clone();
    let host = world.host("server", move || {
        let counted = counted.clone();
        async move {
            let set = LocalSet::new();
            for _ in 0..20 {
                set.spawn_local(beat(counted.clone()));
            }
            set.await
        }
    });
    // Some of them may be held.
    assert!(in_a_minute(&beats).await > 60);
    host.terminate();
    assert_eq!(in_a_minute(&beats).await, 0);
}

#[refrain::test(runs = 20)]
async fn a_handle_spawns_where_it_is_used(_world: World) {
    let handle = tokio::runtime::Handle::current();
    let _guard = handle.enter();
    assert_eq!(handle.spawn(async { 7 }).await.unwrap(), 7);
    assert_eq!(handle.spawn_blocking(|| 8).await.unwrap(), 8);
}

#[refrain::test(runs = 20)]
async fn what_a_process_spawns_at_its_start_ends_with_it(world: World) {
    let beats = Arc::<AtomicU32>::default();
    let counted = beats.clone();
    let host = world.host("server", move || {
        // Spawned outside any async context: an ordinary function that returns a future may do this.
        tokio::spawn(beat(counted.clone()));
        pending::<()>()
    });
    for _ in 0..3 {
        // A task may be held for some seconds of each minute.
        assert!((30..=61).contains(&in_a_minute(&beats).await));
        host.restart();
    }
    host.terminate();
    assert_eq!(in_a_minute(&beats).await, 0);
}

/// Counts seconds while its process lives.
async fn beat(count: Arc<AtomicU32>) {
    loop {
        sleep(SECOND).await;
        count.fetch_add(1, Relaxed);
    }
}

/// Returns how many seconds are counted within a minute.
async fn in_a_minute(count: &AtomicU32) -> u32 {
    let before = count.load(Relaxed);
    sleep(SECOND * 60).await;
    count.load(Relaxed) - before
}

#[refrain::test(runs = 20)]
async fn what_a_process_spawned_is_dropped_when_it_ends_by_itself(world: World) {
    let count = Arc::<AtomicU32>::default();
    let counted = count.clone();
    let server = world.host("server", move || {
        let alive = Alive::new(&counted);
        async move {
            tokio::spawn(async move {
                let _alive = alive;
                pending::<()>().await
            });
            sleep(SECOND).await;
        }
    });
    server.may_exit();
    sleep(SECOND / 2).await;
    assert_eq!(count.load(Relaxed), 1);
    // Holds may delay it.
    sleep(SECOND * 100).await;
    assert_eq!(count.load(Relaxed), 0);
}
