//! The timeline of a model is in the order of effects: replayed sequentially on plain primitives, each operation has
//! the same result.

mod sequential;

use super::threads;
use crate::driver::Started;
use refrain::sync::{
    Barrier, Condvar, Mutex, RwLock,
    atomic::{AtomicBool, AtomicUsize, Ordering::*},
    mpsc, thread,
};
use refrain_core::{
    event::{Event, Kind, Step},
    job::{Answer, Job, Search, Source},
    plan::{Choice, Deviation, Plan, Threads},
};
use sequential::Sequential;
use serde_json::Value;
use std::{collections::BTreeSet, sync::Arc, time::Duration};

#[refrain::model]
fn locks_and_conditions() {
    let shared = Arc::new((Mutex::new(0), Condvar::new()));
    let other = shared.clone();
    let waits = thread::spawn(move || {
        drop(other.1.wait_while(other.0.lock().unwrap(), |count| *count < 2).unwrap());
    });
    threads(2, move |nth| {
        *shared.0.lock().unwrap() += 1;
        if let Ok(count) = shared.0.try_lock() {
            drop(count);
        }
        if nth == 0 { shared.1.notify_one() } else { shared.1.notify_all() }
    });
    waits.thread().unpark();
}

#[refrain::model]
fn a_lock_that_is_tried() {
    let lock = Arc::new((Mutex::new(()), AtomicUsize::new(0)));
    threads(2, move |_| {
        if let Ok(_guard) = lock.0.try_lock() {
            lock.1.fetch_add(1, Relaxed);
        }
    });
}

#[refrain::model]
fn readers_and_writers() {
    let lock = Arc::new(RwLock::new(0));
    threads(3, move |nth| match nth {
        0 => *lock.write().unwrap() += 1,
        1 => {
            let _ = lock.try_write().map(|mut value| *value += 1);
            drop(lock.read().unwrap());
        }
        _ => {
            let _ = lock.try_read().map(|value| *value);
            drop(lock.read().unwrap());
        }
    });
}

#[refrain::model]
fn a_channel_and_a_barrier() {
    let (sender, receiver) = mpsc::sync_channel(1);
    let barrier = Arc::new(Barrier::new(2));
    let other = barrier.clone();
    let sends = thread::spawn(move || {
        sender.send(1).unwrap();
        sender.send(2).unwrap();
        other.wait();
    });
    assert_eq!((receiver.recv(), receiver.recv()), (Ok(1), Ok(2)));
    barrier.wait();
    sends.join().unwrap();
}

#[refrain::model]
fn atomics_and_parks() {
    let shared = Arc::new((AtomicUsize::new(0), AtomicBool::new(false)));
    let other = shared.clone();
    let parks = thread::spawn(move || {
        while !other.1.load(Acquire) {
            thread::park();
        }
        let _ = other.0.compare_exchange(0, 9, AcqRel, Relaxed);
        other.0.load(Relaxed)
    });
    shared.0.store(1, Relaxed);
    shared.0.swap(0, Relaxed);
    shared.0.fetch_add(2, Relaxed);
    shared.1.store(true, Release);
    parks.thread().unpark();
    parks.join().unwrap();
}

#[refrain::model]
fn a_wait_with_a_time() {
    let shared = Arc::new((Mutex::new(()), Condvar::new()));
    let other = shared.clone();
    let thread = thread::spawn(move || {
        let _guard = other.0.lock().unwrap();
        other.1.notify_one();
    });
    drop(shared.1.wait_timeout(shared.0.lock().unwrap(), Duration::from_secs(1)).unwrap());
    thread.join().unwrap();
}

/// Number of executions that are checked per model and engine.
const EXECUTIONS: u64 = 80;

fn recorded(worker: &mut Started, threads: Threads) -> Vec<Step> {
    let plan = Plan { threads: Some(threads), ..Plan::default() };
    let job = Job::Record { source: Source::Plan(Box::new(plan)), until: None, locate: None };
    match serde_json::from_value(worker.ask(&serde_json::to_value(job).unwrap())).unwrap() {
        Answer::Ran(ran) => {
            let step = |event: Event| if let Kind::Step(step) = event.kind { Some(step) } else { None };
            ran.events.into_iter().filter_map(step).collect()
        }
        other => panic!("{other:?}"),
    }
}

/// Returns the first executions of the exhaustive search, as plans.
fn searched(worker: &mut Started) -> Vec<Threads> {
    let whole = r#"{"preemption_bound":null,"pos":0,"branches":{"entries":[]},"exploring":true,"skipping":false,
        "exploring_on_start":true}"#;
    let mut from = whole.to_owned();
    let mut plans = vec![];
    for _ in 0..EXECUTIONS {
        let search = Search::Exhaust { from, total_order: false, executions: 1, within: 0 };
        let answer = worker.ask(&serde_json::to_value(Job::Search(search)).unwrap());
        let Answer::Searched(searched) = serde_json::from_value(answer).unwrap() else { panic!() };
        let Some(next) = searched.next else { break };
        plans.push(Threads::Choices { choices: choices(&next), total_order: false });
        from = next;
    }
    plans
}

fn choices(path: &str) -> Vec<Choice> {
    let path: Value = serde_json::from_str(path).unwrap();
    let choice = |entry: &Value| {
        if let Some(load) = entry.get("Load") {
            let at = load["pos"].as_u64().unwrap() as usize;
            return Choice::Value(load["values"][at].as_u64().unwrap() as u8);
        }
        if let Some(spurious) = entry.get("Spurious") {
            return Choice::Wakes(spurious["spur"].as_bool().unwrap());
        }
        let threads = entry["Schedule"]["threads"].as_array().unwrap();
        let active = threads.iter().position(|thread| thread == "Active").unwrap_or(0);
        Choice::Thread { thread: active as u8, preempts: false }
    };
    path["branches"]["entries"].as_array().unwrap().iter().map(choice).collect()
}

fn drawn() -> Vec<Threads> {
    let mut random = fastrand::Rng::with_seed(1);
    (0..EXECUTIONS)
        .map(|_| {
            let steps: BTreeSet<usize> = (0..random.usize(1..8)).map(|_| random.usize(..30)).collect();
            let thread = |step| Deviation::Thread { step, thread: random.usize(..4), preempts: false };
            let mut deviations: Vec<Deviation> = steps.into_iter().map(thread).collect();
            deviations.extend((0..random.usize(..4)).map(|nth| Deviation::Load { nth: nth + 1, before: 1 }));
            Threads::Deviations(deviations)
        })
        .collect()
}

/// Replays every timeline, and returns the rules that were needed.
fn check(model: &str, exhaustively: bool) -> BTreeSet<&'static str> {
    let mut worker = Started::worker(&format!("model::timeline::{model}"));
    let plans = if exhaustively { searched(&mut worker) } else { drawn() };
    assert!(plans.len() >= 4, "{model} has {} executions", plans.len());
    let mut rules = BTreeSet::new();
    for threads in plans {
        let steps = recorded(&mut worker, threads.clone());
        let mut sequential = Sequential::new(if exhaustively { 1 } else { usize::MAX });
        for (nth, step) in steps.iter().enumerate() {
            if let Err(why) = sequential.does(step) {
                panic!("{model}, {threads:?}, event {nth}: {why}\n{steps:#?}");
            }
        }
        rules.extend(sequential.rules);
    }
    rules
}

#[test]
fn a_timeline_is_a_run_of_sequential_primitives() {
    let models = [
        "locks_and_conditions",
        "a_lock_that_is_tried",
        "readers_and_writers",
        "a_channel_and_a_barrier",
        "atomics_and_parks",
    ];
    let mut rules: BTreeSet<&str> = models.iter().flat_map(|model| check(model, true)).collect();
    assert!(rules.contains("old value"), "{rules:?}");
    let sampled = models.iter().chain(&["a_wait_with_a_time"]).flat_map(|model| check(model, false));
    rules.extend(sampled);
    for rule in [
        "lock",
        "unlock",
        "try_lock",
        "try_lock fails",
        "wait",
        "notify",
        "woken",
        "timed out",
        "read",
        "write",
        "try_read",
        "try_write",
        "try_write fails",
        "unlock after reading",
        "unlock after writing",
        "send",
        "receive",
        "barrier",
        "park",
        "unpark",
        "load",
        "store",
        "exchange",
        "exchange fails",
        "spawn",
        "join",
    ] {
        assert!(rules.contains(rule), "no timeline has {rule}: {rules:?}");
    }
}
