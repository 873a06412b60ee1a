//! What must never be logged, and invariants that the service states itself.

use refrain::World;
use std::time::Duration;
use tracing::{debug, info, warn};

/// Gives up after the third attempt.
async fn gives_up() {
    for attempt in 1..=3 {
        info!(attempt, "trying");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    warn!("gave up after 3 attempts");
    std::future::pending().await
}

#[refrain::test(runs = 1, expect = "safety")]
async fn what_must_never_be_logged_is_watched(world: World) {
    world.never(module_path!(), "gave up");
    world.host("client", gives_up);
    tokio::time::sleep(Duration::from_secs(10)).await;
}

#[refrain::test(runs = 20)]
async fn other_messages_and_other_targets_may_be_logged(world: World) {
    world.never(module_path!(), "gave up after 4");
    world.never("elsewhere", "gave up");
    world.host("client", gives_up);
    tokio::time::sleep(Duration::from_secs(10)).await;
}

/// Has a queue that grows beyond what it says.
async fn queues(jobs: usize) {
    for length in 0..jobs {
        debug!(invariant = "the queue is short", holds = length <= 2, "{length} jobs");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    std::future::pending().await
}

#[refrain::test(runs = 1, expect = "safety")]
async fn an_invariant_that_does_not_hold_is_a_failure(world: World) {
    world.invariants();
    world.host("server", || queues(5));
    tokio::time::sleep(Duration::from_secs(10)).await;
}

#[refrain::test(runs = 20)]
async fn an_invariant_that_holds_is_none(world: World) {
    world.invariants();
    world.host("server", || queues(3));
    tokio::time::sleep(Duration::from_secs(10)).await;
}

#[refrain::test(runs = 1)]
async fn nobody_looks_at_invariants_unless_the_test_asks(world: World) {
    world.host("server", || queues(5));
    tokio::time::sleep(Duration::from_secs(10)).await;
}
