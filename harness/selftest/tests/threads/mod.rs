//! Threads that a service starts belong to their host and run under the plan's schedule.

use refrain::World;
use std::{sync::mpsc, thread};
use tokio::task::spawn_blocking;

#[refrain::test(runs = 20)]
async fn a_thread_sends_to_a_blocking_task(world: World) {
    let client = world.client("client");
    let received = client.run(async {
        let (tx, rx) = mpsc::channel();
        thread::spawn(move || tx.send(1).unwrap());
        spawn_blocking(move || rx.recv().unwrap()).await.unwrap()
    });
    assert_eq!(received.await, 1);
}
