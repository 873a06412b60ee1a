//! `crossbeam-deque`: a worker looks whether there is a task, and then takes it; each task is taken once.

use crossbeam_deque::{Steal, Worker};
use refrain::sync::thread;

/// A stealer may take the task in between.
#[refrain::model(expect = "panic")]
fn a_check_and_a_pop_are_two_steps() {
    let worker = Worker::new_lifo();
    worker.push(1);
    let stealer = worker.stealer();
    let thread = thread::spawn(move || stealer.steal().is_success());
    if !worker.is_empty() {
        worker.pop().unwrap();
    }
    thread.join().unwrap();
}

#[refrain::model(complete)]
fn each_task_is_taken_once() {
    let worker = Worker::new_lifo();
    worker.push(1);
    let stealer = worker.stealer();
    let thread = thread::spawn(move || match stealer.steal() {
        Steal::Success(_) => 1,
        Steal::Empty | Steal::Retry => 0,
    });
    let popped = i32::from(worker.pop().is_some());
    assert_eq!(popped + thread.join().unwrap(), 1);
}
