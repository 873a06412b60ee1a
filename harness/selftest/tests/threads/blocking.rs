//! What blocks a thread, or a closure of `spawn_blocking`, suspends it in virtual time.

use refrain::World;
use std::{
    sync::{Arc, Barrier, Condvar, Mutex, Once, RwLock, mpsc},
    thread,
    time::{Duration, Instant},
};
use tokio::{sync, task::spawn_blocking};

#[refrain::test(runs = 50)]
async fn a_thread_sends_to_a_blocking_task(world: World) {
    let client = world.client("client");
    let received = client.run(async {
        let (tx, rx) = mpsc::channel();
        thread::spawn(move || tx.send(1).unwrap());
        spawn_blocking(move || rx.recv().unwrap()).await.unwrap()
    });
    assert_eq!(received.await, 1);
}

/// Twenty minutes in a thread are no time in a test.
#[refrain::test(runs = 20)]
async fn a_sleep_takes_virtual_time(world: World) {
    let client = world.client("client");
    client
        .run(async {
            let minutes = Duration::from_secs(1_200);
            let began = Instant::now();
            let slept = thread::spawn(move || {
                let began = Instant::now();
                thread::sleep(minutes);
                began.elapsed()
            });
            let slept = slept.join().unwrap();
            assert!(slept >= minutes && slept < minutes + Duration::from_secs(20), "{slept:?}");
            assert!(began.elapsed() >= slept);
        })
        .await;
}

#[refrain::test(runs = 50)]
async fn locks_and_conditions_are_waited_for(world: World) {
    let client = world.client("client");
    client
        .run(async {
            let queue = Arc::new((Mutex::new(vec![]), Condvar::new()));
            let threads = (0..3).map(|n| {
                let queue = queue.clone();
                thread::spawn(move || {
                    for m in 0..5 {
                        thread::sleep(Duration::from_millis(n + m));
                        queue.0.lock().unwrap().push((n, m));
                        queue.1.notify_all();
                    }
                })
            });
            let threads: Vec<_> = threads.collect();
            let mut values = queue.0.lock().unwrap();
            while values.len() < 15 {
                values = queue.1.wait(values).unwrap();
            }
            drop(values);
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        })
        .await;
}

/// The lock is held over a sleep, so that the others wait for it.
#[refrain::test(runs = 50)]
async fn a_contended_lock_is_waited_for(world: World) {
    let client = world.client("client");
    client
        .run(async {
            let (lock, both) = (Arc::new(Mutex::new(0)), Arc::new(RwLock::new(0)));
            let parking = Arc::new(parking_lot::Mutex::new(0));
            let add = move || {
                let mut value = lock.lock().unwrap();
                let mut other = both.write().unwrap();
                let mut third = parking.lock();
                let before = *value;
                thread::sleep(Duration::from_secs(1));
                (*value, *other, *third) = (before + 1, before + 1, before + 1);
                *other
            };
            let threads: Vec<_> = (0..4).map(|_| thread::spawn(add.clone())).collect();
            let tasks: Vec<_> = (0..4).map(|_| spawn_blocking(add.clone())).collect();
            let polls: Vec<_> = (0..2)
                .map(|_| {
                    tokio::spawn({
                        let add = add.clone();
                        async move { add() }
                    })
                })
                .collect();
            let mut results: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
            for task in tasks.into_iter().chain(polls) {
                results.push(task.await.unwrap());
            }
            results.sort();
            assert_eq!(results, (1..=10).collect::<Vec<_>>());
        })
        .await;
}

#[refrain::test(runs = 20)]
async fn parked_threads_are_unparked(world: World) {
    let client = world.client("client");
    client
        .run(async {
            let parked = thread::spawn(|| {
                thread::park();
                let began = Instant::now();
                thread::park_timeout(Duration::from_secs(60));
                began.elapsed()
            });
            tokio::time::sleep(Duration::from_secs(1)).await;
            parked.thread().unpark();
            assert!(parked.join().unwrap() >= Duration::from_secs(60));
        })
        .await;
}

#[refrain::test(runs = 20)]
async fn scoped_threads_meet_at_a_barrier(world: World) {
    let client = world.client("client");
    client
        .run(async {
            let (barrier, once, mut sums) = (Barrier::new(3), Once::new(), [0; 3]);
            thread::scope(|scope| {
                for (n, sum) in sums.iter_mut().enumerate() {
                    let (barrier, once) = (&barrier, &once);
                    scope.spawn(move || {
                        once.call_once(|| thread::sleep(Duration::from_secs(3)));
                        barrier.wait();
                        *sum = n;
                    });
                }
            });
            assert_eq!(sums, [0, 1, 2]);
        })
        .await;
}

/// tokio's own ways to block, in `spawn_blocking`.
#[refrain::test(runs = 50)]
async fn blocking_operations_of_tokio_wait(world: World) {
    let client = world.client("client");
    client
        .run(async {
            let (tx, mut rx) = sync::mpsc::channel(1);
            let sends = spawn_blocking(move || (0..5).for_each(|n| tx.blocking_send(n).unwrap()));
            let receives = spawn_blocking(move || std::iter::from_fn(|| rx.blocking_recv()).collect::<Vec<_>>());
            sends.await.unwrap();
            assert_eq!(receives.await.unwrap(), [0, 1, 2, 3, 4]);

            let (tx, rx) = sync::oneshot::channel();
            let receives = thread::spawn(move || rx.blocking_recv().unwrap());
            tokio::time::sleep(Duration::from_secs(1)).await;
            tx.send(7).unwrap();
            assert_eq!(receives.join().unwrap(), 7);
        })
        .await;
}

/// A wait without an end of time ends by its timeout.
#[refrain::test(runs = 20)]
async fn timeouts_are_virtual(world: World) {
    let client = world.client("client");
    client
        .run(async {
            let timed_out = thread::spawn(|| {
                let (_tx, rx) = mpsc::channel::<()>();
                let began = Instant::now();
                rx.recv_timeout(Duration::from_secs(600)).unwrap_err();
                let pair = (parking_lot::Mutex::new(()), parking_lot::Condvar::new());
                assert!(pair.1.wait_for(&mut pair.0.lock(), Duration::from_secs(600)).timed_out());
                began.elapsed()
            });
            assert!(timed_out.join().unwrap() >= Duration::from_secs(1200));
        })
        .await;
}
