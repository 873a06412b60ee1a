//! The order of threads is the plan's: the same in each process, another one for other seeds.

use super::context::chance;
use crate::driver::Started;
use refrain::World;
use refrain_core::{event::Kind, job::Ran, plan::Plan};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::{Arc, Condvar, Mutex, mpsc},
    thread,
    time::Duration,
};

/// Three threads that contend for a queue, and a flusher.
#[refrain::test(runs = 5)]
async fn three_threads_contend(world: World) {
    let client = world.client("client");
    let order = client.run(async {
        let shared = Arc::new((Mutex::new(vec![]), Condvar::new()));
        let (tx, rx) = mpsc::sync_channel(2);
        let threads: Vec<_> = (0..3)
            .map(|n| {
                let (shared, tx) = (shared.clone(), tx.clone());
                thread::spawn(move || {
                    for round in 0..4 {
                        let mut taken = shared.0.lock().unwrap();
                        taken.push(format!("{n}{round}"));
                        if round == 1 {
                            thread::sleep(Duration::from_millis(n));
                        }
                        shared.1.notify_one();
                        drop(taken);
                        tx.send(format!("{n}:{}", chance())).unwrap();
                    }
                })
            })
            .collect();
        drop(tx);
        let flusher = thread::spawn(move || rx.iter().collect::<Vec<_>>());
        let mut taken = shared.0.lock().unwrap();
        while taken.len() < 12 {
            taken = shared.1.wait_timeout(taken, Duration::from_secs(1)).unwrap().0;
        }
        let order = format!("{taken:?}");
        drop(taken);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        (order, flusher.join().unwrap())
    });
    let (order, flushed) = order.await;
    world.saw(order);
    world.saw(flushed);
}

fn order(ran: &Value) -> String {
    let ran: Ran = serde_json::from_value(ran.clone()).unwrap();
    let saw =
        ran.events.into_iter().find_map(|event| if let Kind::Saw { value } = event.kind { Some(value) } else { None });
    saw.expect("it is recorded")
}

/// Recorded runs, in two processes that have executed other runs before, with random addresses.
#[test]
fn the_order_is_the_same_for_a_seed_and_another_for_another() {
    let [mut one, mut other] = [0; 2].map(|_| Started::worker("threads::order::three_threads_contend"));
    let mut orders = BTreeSet::new();
    for seed in 0..60 {
        let ran = one.record(json!({ "seed": seed }));
        other.record(json!({ "seed": 1000 + seed }));
        assert_eq!(ran, other.record(json!({ "seed": seed })), "seed {seed}");
        assert_eq!(ran["verdict"], "passed", "seed {seed}: {ran}");
        orders.insert(order(&ran));
    }
    assert!(orders.len() > 30, "{} orders", orders.len());
}

/// Runs that are not recorded have digests only: of 300 seeds, those of two processes are the same, and those of two seeds differ.
#[test]
fn the_digest_is_the_same_for_a_seed() {
    let [mut one, mut other] = [0; 2].map(|_| Started::worker("threads::order::three_threads_contend"));
    let mut digests = BTreeSet::new();
    for seed in 0..300 {
        let plan = Plan { seed, ..Plan::default() };
        let [ran, again] = [&mut one, &mut other].map(|worker| worker.ask(&json!({ "try": plan })));
        assert_eq!(ran, again, "seed {seed}");
        assert_eq!(ran["ran"]["verdict"], "passed", "seed {seed}: {ran}");
        digests.insert(ran["ran"]["digest"].to_string());
    }
    assert_eq!(digests.len(), 300);
}

/// Without a wait in between, only a preemption separates the check from what depends on it.
#[refrain::test(runs = 300, expect = "panic")]
async fn a_check_then_act_between_threads_is_found(world: World) {
    let client = world.client("client");
    client
        .run(async {
            let accounts = Arc::new(Mutex::new(vec![("a".to_owned(), 100)]));
            let withdraw = {
                let accounts = accounts.clone();
                move || {
                    let key = "a".to_owned();
                    let enough = accounts.lock().unwrap().iter().any(|(name, amount)| *name == key && *amount >= 60);
                    drop(key);
                    if enough {
                        accounts.lock().unwrap()[0].1 -= 60;
                    }
                }
            };
            let threads: Vec<_> = (0..2).map(|_| thread::spawn(withdraw.clone())).collect();
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            assert!(accounts.lock().unwrap()[0].1 >= 0, "more was withdrawn than there was");
        })
        .await;
}
