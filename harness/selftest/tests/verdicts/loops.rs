//! Services in which virtual time does not advance. Each run of these takes its poll limit in real time.

use refrain::World;
use std::{hint::black_box, time::Duration};

async fn spins() {
    loop {
        black_box(());
    }
}

#[refrain::test(runs = 1, poll_limit = "200ms", expect = "endless-loop")]
async fn a_loop_without_end_is_caught(world: World) {
    world.host("server", spins);
    tokio::time::sleep(Duration::from_secs(1)).await;
}

async fn talks() {
    for round in 0u64.. {
        tracing::info!(round, "still here");
    }
}

#[refrain::test(runs = 1, poll_limit = "200ms", expect = "endless-loop")]
async fn a_loop_that_talks_without_end_is_caught(world: World) {
    world.host("server", talks);
    tokio::time::sleep(Duration::from_secs(1)).await;
}

#[refrain::test(runs = 1, poll_limit = "200ms", expect = "endless-loop")]
async fn a_call_that_blocks_the_thread_is_caught(world: World) {
    world.host("server", || async { std::thread::sleep(Duration::from_secs(3600)) });
    tokio::time::sleep(Duration::from_secs(1)).await;
}

#[refrain::test(runs = 1, expect = "endless-loop")]
async fn tasks_that_only_yield_are_caught(world: World) {
    world.host("server", || async {
        loop {
            tokio::task::yield_now().await;
        }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
}
