//! Stalls and deadlocks at primitives of `tokio::sync`: the verdict follows the waits from the test to the holder, and on from there.

use crate::driver::Started;
use refrain::{
    World,
    event::{Event, Holder, Kind, Operation, Primitive, SharedWait},
    report::{self, Style},
    verdict::{Cause, Class, ConnectionState, Failure, Wait, Waiting},
};
use std::{future::pending, sync::Arc, time::Duration};
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
    sync::{Mutex, Notify, Semaphore, mpsc, oneshot},
    time::{sleep, timeout},
};

const SHORT: Duration = Duration::from_secs(5);
const LONG: Duration = Duration::from_secs(30);

/// An idle worker, and a permit that is not returned: its holder waits for something else.
#[refrain::test(runs = 1, expect = "stall", without_holds)]
async fn a_permit_is_held(world: World) {
    let (work, permits, other) = (Arc::new(Notify::new()), Arc::new(Semaphore::new(1)), Arc::new(Semaphore::new(0)));
    let shared = permits.clone();
    world.host("server", move || {
        let (work, permits, other) = (work.clone(), shared.clone(), other.clone());
        async move {
            tokio::spawn(async move {
                let _permit = permits.acquire().await;
                let _never = other.acquire().await;
            });
            loop {
                work.notified().await;
            }
        }
    });
    world.client("client");
    world.fault("cut client <-> server at 1 ms for 2 ms");
    sleep(Duration::from_secs(1)).await;
    world
        .eventually(LONG, "a permit is free", || {
            let permits = permits.clone();
            async move { timeout(SHORT, permits.acquire()).await.map(drop) }
        })
        .await;
}

/// An attempt of a client waits for a mutex, whose holder reads from a peer that has lost power.
#[refrain::test(runs = 1, expect = "stall", without_holds)]
async fn a_mutex_is_held_across_a_read(world: World) {
    let lock = Arc::new(Mutex::new(0));
    world.host("backend", || async {
        let listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
        let _kept = listener.accept().await;
        pending::<()>().await
    });
    let shared = lock.clone();
    world.host("server", move || {
        let lock = shared.clone();
        async move {
            sleep(Duration::from_millis(10)).await;
            let mut stream = TcpStream::connect("backend:80").await.unwrap();
            let mut guard = lock.lock().await;
            *guard += stream.read_u8().await.unwrap();
            pending::<()>().await
        }
    });
    world.fault("crash backend at 1 s and reboot it after 1 ms");
    let client = world.client("client");
    sleep(Duration::from_secs(2)).await;
    world
        .eventually(LONG, "the lock is free", || {
            let (client, lock) = (client.clone(), lock.clone());
            async move { client.run(async move { timeout(SHORT, lock.lock()).await.map(drop) }).await }
        })
        .await;
}

/// Requests go through a channel to one task, which hangs in the first of them.
#[refrain::test(runs = 1, expect = "stall", without_holds)]
async fn a_receiver_is_stuck(world: World) {
    let (requests, receiver) = mpsc::channel::<oneshot::Sender<()>>(64);
    let receiver = std::sync::Mutex::new(Some(receiver));
    world.host("backend", || async {
        let listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
        let _kept = listener.accept().await;
        pending::<()>().await
    });
    world.host("server", move || {
        let mut receiver = receiver.lock().unwrap().take().unwrap();
        async move {
            sleep(Duration::from_millis(10)).await;
            while let Some(reply) = receiver.recv().await {
                let mut stream = TcpStream::connect("backend:80").await.unwrap();
                let _ = stream.read_u8().await;
                let _ = reply.send(());
            }
        }
    });
    sleep(Duration::from_secs(1)).await;
    world
        .eventually(LONG, "a request is answered", || {
            let requests = requests.clone();
            async move {
                let (reply, answer) = oneshot::channel();
                let asked = async { requests.send(reply).await.is_ok() && answer.await.is_ok() };
                timeout(SHORT, asked).await.unwrap_or(false)
            }
        })
        .await;
}

/// Two tasks take two locks in opposite orders.
#[refrain::test(runs = 1, expect = "deadlock", without_holds)]
async fn two_mutexes_in_two_orders(world: World) {
    let done = world.client("client").run(async {
        let locks = [Arc::new(Mutex::new(())), Arc::new(Mutex::new(()))];
        let both = |first: usize, second: usize| {
            let locks = locks.clone();
            async move {
                let _first = locks[first].lock().await;
                sleep(Duration::from_millis(1)).await;
                let _second = locks[second].lock().await;
            }
        };
        let tasks = [tokio::spawn(both(0, 1)), tokio::spawn(both(1, 0))];
        let idle = Arc::new(Notify::new());
        tokio::spawn(async move { idle.notified().await });
        for task in tasks {
            let _ = task.await;
        }
    });
    done.await;
}

/// Idle tasks, and a test that waits for something else.
#[refrain::test(runs = 1, expect = "stall", without_holds)]
async fn only_idle_workers(world: World) {
    world.host("server", || async {
        let (work, mut jobs) = mpsc::channel::<()>(1);
        tokio::spawn(async move { while jobs.recv().await.is_some() {} });
        let stop = Arc::new(Notify::new());
        tokio::spawn({
            let stop = stop.clone();
            async move { stop.notified().await }
        });
        let listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
        let _ = listener.accept().await;
        drop((work, stop));
    });
    sleep(Duration::from_secs(1)).await;
    world.eventually(LONG, "nobody brings it", || async { false }).await;
}

/// A task waits for a lock, and gets it.
#[refrain::test(runs = 1, without_holds)]
async fn a_lock_is_waited_for(world: World) {
    world
        .client("client")
        .run(async {
            let lock = Arc::new(Mutex::new(()));
            let guard = lock.clone().lock_owned().await;
            let waits = tokio::spawn(async move { drop(lock.lock().await) });
            sleep(Duration::from_secs(1)).await;
            drop(guard);
            waits.await.unwrap();
            let free = Mutex::new(());
            drop(free.lock().await);
        })
        .await;
}

fn recorded(test: &str) -> serde_json::Value {
    Started::worker(&format!("verdicts::waits::{test}")).record(serde_json::json!({ "seed": 1 }))
}

fn failure(test: &str) -> Failure {
    serde_json::from_value(recorded(test)["verdict"]["failed"].clone()).unwrap()
}

/// The nth line of this file that contains the text.
fn line(text: &str, nth: usize) -> u32 {
    (1..).zip(include_str!("waits.rs").lines()).filter(|(_, line)| line.contains(text)).nth(nth).expect("it is there").0
}

/// Something shared for which the task waits.
#[track_caller]
fn shared(waiting: &Waiting) -> &SharedWait {
    let shared =
        waiting.waits.iter().find_map(|wait| if let Wait::Shared(shared) = wait { Some(shared) } else { None });
    shared.unwrap_or_else(|| panic!("{waiting:#?}"))
}

#[test]
fn a_stall_names_who_holds_the_permit_and_what_that_one_waits_for() {
    let failure = failure("a_permit_is_held");
    let [Cause::Waits(attempt), Cause::Waits(holder), Cause::Unknown, Cause::Fault { .. }] = &failure.causes[..] else {
        panic!("{failure:#?}")
    };
    assert_eq!((attempt.host.as_str(), attempt.gave_up.is_some()), ("", true));
    let wanted = shared(attempt);
    assert_eq!((wanted.primitive, wanted.operation), (Primitive::Semaphore, Operation::Acquire));
    assert_eq!(wanted.created.line, line("Arc::new(Semaphore::new(1))", 0));
    let [Holder { host, task: Some(task), since }] = &wanted.had_by[..] else { panic!("{wanted:#?}") };
    assert_eq!((host.as_str(), task.place.line), ("server", line("tokio::spawn(async move {", 0)));
    assert!(*since < 1_000_000, "{since}");
    assert_eq!((&holder.host, &holder.task), (host, task));
    assert_eq!(shared(holder).had_by, [], "nobody has what it waits for");
    assert_eq!(failure.place, None, "nothing explains it");
}

#[test]
fn a_stall_follows_a_mutex_to_the_connection_that_its_holder_reads() {
    let failure = failure("a_mutex_is_held_across_a_read");
    // The last attempt is pending: the test waits for its client, and that one for the lock.
    let [Cause::Waits(test), Cause::Waits(attempt), Cause::Waits(holder), Cause::LastFault { fault, .. }] =
        &failure.causes[..]
    else {
        panic!("{failure:#?}")
    };
    assert!(matches!(&test.waits[..], [Wait::Join(task)] if *task == attempt.task), "{test:#?}");
    assert_eq!((attempt.host.as_str(), shared(attempt).primitive), ("client", Primitive::Mutex));
    assert_eq!(shared(attempt).created.line, line("Arc::new(Mutex::new(0))", 0));
    assert!(matches!(holder.waits[..], [Wait::Read(_, ConnectionState::HalfOpen)]), "{holder:#?}");
    assert_eq!(shared(attempt).had_by[0].task.as_ref(), Some(&holder.task));
    assert_eq!(fault.to_string(), "crash backend at 1 s and reboot it after 1 ms");
    assert_eq!(failure.place.as_ref(), Some(&holder.task.place));
    let text = report::failure(&failure, Style::default());
    assert!(text.contains("waits to lock the mutex created at harness/selftest/tests/verdicts/waits.rs:"), "{text}");
    assert!(text.contains(" (held by the task spawned at "), "{text}");
}

#[test]
fn a_stall_follows_a_request_through_a_channel_to_the_task_that_serves_it() {
    let failure = failure("a_receiver_is_stuck");
    let [Cause::Waits(attempt), Cause::Waits(server), Cause::Waits(backend), Cause::Unknown] = &failure.causes[..]
    else {
        panic!("{failure:#?}")
    };
    assert_eq!(shared(attempt).operation, Operation::Receive);
    assert_eq!(shared(attempt).primitive, Primitive::Oneshot);
    assert_eq!((server.host.as_str(), server.main), ("server", true));
    assert!(matches!(server.waits[..], [Wait::Read(_, ConnectionState::Established)]), "{server:#?}");
    assert_eq!(
        (backend.host.as_str(), &backend.waits[..]),
        ("backend", &[][..]),
        "it never answers, and nothing says why"
    );
}

#[test]
fn a_deadlock_names_the_two_that_hold_what_the_other_waits_for() {
    let failure = failure("two_mutexes_in_two_orders");
    assert_eq!(failure.class, Class::Deadlock);
    let waiting =
        failure.causes.iter().filter_map(|cause| if let Cause::Waits(task) = cause { Some(task) } else { None });
    let [one, other] = &waiting.collect::<Vec<_>>()[..] else { panic!("{failure:#?}") };
    assert_eq!(shared(one).had_by[0].task.as_ref(), Some(&other.task));
    assert_eq!(shared(other).had_by[0].task.as_ref(), Some(&one.task));
    assert_ne!(one.task, other.task);
}

#[test]
fn workers_that_have_nothing_to_do_are_not_blamed() {
    let failure = failure("only_idle_workers");
    assert_eq!(failure.causes, [Cause::Unknown]);
}

#[test]
fn a_timeline_has_the_lock_for_which_a_task_waited() {
    let ran = recorded("a_lock_is_waited_for");
    let events: Vec<Event> = serde_json::from_value(ran["events"].clone()).unwrap();
    let waits: Vec<&Event> =
        events.iter().filter(|event| matches!(event.kind, Kind::Blocks(_) | Kind::Unblocks(_))).collect();
    let [Event { kind: Kind::Blocks(wait), .. }, Event { at, kind: Kind::Unblocks(_), .. }] = waits[..] else {
        panic!("{events:#?}")
    };
    assert_eq!((wait.primitive, wait.operation), (Primitive::Mutex, Operation::Lock));
    assert_eq!(wait.had_by.len(), 1);
    assert_eq!(at / 1_000_000_000, 1);
}
