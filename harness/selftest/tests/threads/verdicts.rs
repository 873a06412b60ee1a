//! What goes wrong in a thread is a verdict that names it.

use crate::driver::Started;
use refrain::{
    World, report,
    verdict::{Class, Failure},
};
use refrain_core::job::Ran;
use serde_json::json;
use std::{
    hint::black_box,
    panic::catch_unwind,
    sync::{Arc, Condvar, Mutex},
    thread,
    time::Duration,
};
use tokio::time::sleep;

/// The flag is set between the check and the wait, so that the wake-up is lost.
#[refrain::test(runs = 1, expect = "deadlock", without_holds)]
async fn a_lost_wake_up_is_a_deadlock(world: World) {
    let client = world.client("client");
    client
        .run(async {
            let shared = Arc::new((Mutex::new(false), Condvar::new()));
            let sets = shared.clone();
            let waits = thread::spawn(move || {
                let is_set = *shared.0.lock().unwrap();
                thread::sleep(Duration::from_secs(1));
                if !is_set {
                    drop(shared.1.wait(shared.0.lock().unwrap()).unwrap());
                }
            });
            thread::sleep(Duration::from_millis(500));
            *sets.0.lock().unwrap() = true;
            sets.1.notify_one();
            waits.join().unwrap();
        })
        .await;
}

#[refrain::test(runs = 1, poll_limit = "200ms", expect = "endless-loop")]
async fn a_thread_that_computes_for_ever_is_a_loop(world: World) {
    world.host("server", || async {
        thread::spawn(|| {
            loop {
                black_box(());
            }
        });
        std::future::pending::<std::io::Result<()>>().await
    });
    sleep(Duration::from_secs(1)).await;
}

/// Each waits for what the other holds.
#[refrain::test(runs = 1, expect = "deadlock", without_holds)]
async fn two_locks_in_two_orders_are_a_deadlock(world: World) {
    let client = world.client("client");
    client
        .run(async {
            let (one, other) = (Arc::new(Mutex::new(())), Arc::new(Mutex::new(())));
            let lock = |first: Arc<Mutex<()>>, second: Arc<Mutex<()>>| {
                move || {
                    let _first = first.lock().unwrap();
                    thread::sleep(Duration::from_secs(1));
                    let _second = second.lock().unwrap();
                }
            };
            let threads = [thread::spawn(lock(one.clone(), other.clone())), thread::spawn(lock(other, one))];
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        })
        .await;
}

#[refrain::test(runs = 1, expect = "panic")]
async fn a_panic_of_a_thread_is_caught(world: World) {
    world.host("server", || async {
        thread::spawn(|| panic!("no room for {}", black_box(7)));
        std::future::pending::<std::io::Result<()>>().await
    });
    sleep(Duration::from_secs(1)).await;
}

/// The `JoinHandle` has a panic that the test allows, and one that the service catches is none.
#[refrain::test(runs = 3)]
async fn a_panic_may_be_allowed_or_caught(world: World) {
    world.may_panic("as it may");
    let client = world.client("client");
    client
        .run(async {
            let panics = thread::spawn(|| panic!("as it may"));
            let payload = panics.join().unwrap_err();
            assert_eq!(payload.downcast_ref::<&str>(), Some(&"as it may"));
            let catches = thread::spawn(|| catch_unwind(|| panic!("it is caught")).is_err());
            assert!(catches.join().unwrap());
        })
        .await;
}

#[refrain::test(runs = 1, expect = "crash")]
async fn a_stack_overflow_of_a_thread_is_a_crash(world: World) {
    #[allow(unconditional_recursion)]
    fn recurses(n: u64) -> u64 {
        black_box(recurses(black_box(n + 1)) + 1)
    }
    let client = world.client("client");
    client.run(async { thread::spawn(|| recurses(0)).join().unwrap() }).await;
}

fn failure(test: &str) -> Failure {
    let ran = Started::worker(&format!("threads::verdicts::{test}")).record(json!({ "seed": 1 }));
    let ran: Ran = serde_json::from_value(ran).unwrap();
    ran.verdict.failure().expect("the run fails").clone()
}

/// Checks class, place, and parts of the text.
#[track_caller]
fn check(test: &str, class: Class, at: &str, parts: &[&str]) {
    let failure = failure(test);
    assert_eq!(failure.class, class, "{failure:#?}");
    let line = (1..).zip(include_str!("verdicts.rs").lines()).find(|(_, line)| line.contains(at)).unwrap().0;
    let place = format!("harness/selftest/tests/threads/verdicts.rs:{line}");
    assert_eq!(failure.place.as_ref().map(ToString::to_string), Some(place), "{failure:#?}");
    let said = report::failure(&failure, report::Style::default());
    for part in parts {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
}

#[test]
fn verdicts_name_the_thread_and_its_line() {
    let waits = format!("waits to be woken by another thread, at harness/selftest/tests/threads/verdicts.rs:{}", 31);
    let spawned = "let waits = thread::spawn(move || {";
    check("a_lost_wake_up_is_a_deadlock", Class::Deadlock, spawned, &[&waits]);
    check("a_thread_that_computes_for_ever_is_a_loop", Class::EndlessLoop, "thread::spawn(|| {", &["processor time"]);
    let panics = "thread::spawn(|| panic!(\"no room";
    check("a_panic_of_a_thread_is_caught", Class::Panic, panics, &["no room for 7", "on server"]);
    let locks = "[thread::spawn(lock(one.clone()";
    check("two_locks_in_two_orders_are_a_deadlock", Class::Deadlock, locks, &["waits to be woken by another thread"]);
}
