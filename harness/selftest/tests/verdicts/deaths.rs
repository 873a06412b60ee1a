//! Services that terminate the whole process.

use refrain::World;
use std::{future::pending, hint::black_box, time::Duration};

#[refrain::test(runs = 1, expect = "panic")]
async fn a_panic_of_a_task_is_caught(world: World) {
    world.host("server", || async {
        tokio::spawn(async { panic!("no slot is free") });
        pending::<()>().await
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
}

#[refrain::test(runs = 1, expect = "panic")]
async fn a_panic_of_the_test_itself_is_caught(world: World) {
    world.client("client").run(async {}).await;
    assert_eq!(1 + 1, 3, "the sum");
}

#[refrain::test(runs = 1, expect = "panic")]
async fn a_panic_while_a_process_starts_is_caught(world: World) {
    let settings = "".parse::<u16>().ok();
    world.host("server", move || {
        let _port = settings.expect("a port is set");
        pending::<()>()
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
}

#[refrain::test(runs = 1, expect = "panic")]
async fn a_panic_of_a_destructor_is_caught(world: World) {
    struct Guard;
    impl Drop for Guard {
        fn drop(&mut self) {
            panic!("a guard of a task that is aborted");
        }
    }
    world.host("server", || async {
        let guard = Guard;
        let task = tokio::spawn(async move {
            let _guard = guard;
            pending::<()>().await
        });
        tokio::task::yield_now().await;
        task.abort();
        pending::<()>().await
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
}

async fn aborts() {
    std::process::abort()
}

#[refrain::test(runs = 1, expect = "crash")]
async fn an_abort_is_caught(world: World) {
    world.host("server", aborts);
    tokio::time::sleep(Duration::from_secs(1)).await;
}

async fn writes_nowhere() {
    // SAFETY: none: nothing is mapped at this address, which is what the test is about.
    unsafe { black_box(8 as *mut u8).write_volatile(1) }
}

#[refrain::test(runs = 1, expect = "crash")]
async fn a_segmentation_fault_is_caught(world: World) {
    world.host("server", writes_nowhere);
    tokio::time::sleep(Duration::from_secs(1)).await;
}

#[refrain::test(runs = 1, expect = "crash")]
async fn a_kill_from_outside_is_caught(world: World) {
    world.host("server", || async {
        let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL);
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
}

fn depth(of: u64) -> u64 {
    if of == u64::MAX { 0 } else { 1 + black_box(depth(black_box(of + 1))) }
}

#[refrain::test(runs = 1, expect = "crash")]
async fn a_recursion_without_end_is_caught(world: World) {
    world.host("server", || async {
        black_box(depth(0));
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
}

#[refrain::test(runs = 1, expect = "out-of-memory")]
async fn memory_without_bound_is_caught(world: World) {
    world.host("server", || async {
        let mut cache = vec![];
        loop {
            cache.push(vec![0u8; 1 << 20]);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    tokio::time::sleep(Duration::from_secs(60)).await;
}

async fn exits_well() {
    std::process::exit(0)
}

async fn exits_badly() {
    std::process::exit(7)
}

#[refrain::test(runs = 1, expect = "exit")]
async fn an_exit_with_0_is_caught(world: World) {
    world.host("server", exits_well);
    tokio::time::sleep(Duration::from_secs(1)).await;
}

#[refrain::test(runs = 1, expect = "exit")]
async fn an_exit_with_7_is_caught(world: World) {
    world.host("server", exits_badly);
    tokio::time::sleep(Duration::from_secs(1)).await;
}

/// A cache that grows to its size at once. What is never written to takes no memory of the machine.
async fn keeps_a_large_cache() {
    let cache = Vec::<u8>::with_capacity(std::hint::black_box(3 << 30));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(cache.is_empty());
    std::future::pending::<()>().await
}

#[refrain::test(runs = 1, expect = "out-of-memory")]
async fn a_cache_larger_than_a_run_may_be_is_caught(world: World) {
    world.host("server", keeps_a_large_cache);
    tokio::time::sleep(Duration::from_secs(10)).await;
}

#[refrain::test(runs = 1, memory = "4 GiB")]
async fn a_run_may_take_the_memory_that_the_test_says(world: World) {
    world.host("server", keeps_a_large_cache);
    tokio::time::sleep(Duration::from_secs(10)).await;
}

#[refrain::test(runs = 1, memory = "256 MiB", expect = "out-of-memory")]
async fn a_run_may_take_no_more_memory_than_the_test_says(world: World) {
    world.host("server", || async {
        let cache = Vec::<u8>::with_capacity(std::hint::black_box(300 << 20));
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(cache.is_empty());
        std::future::pending::<()>().await
    });
    tokio::time::sleep(Duration::from_secs(10)).await;
}
