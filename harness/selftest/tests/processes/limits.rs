//! Resource and time limits of a run.

use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    sys::{
        resource::{UsageWho, getrusage},
        time::TimeValLike,
    },
    unistd::{Pid, write},
};
use refrain::World;
use refrain_core::protocol::{Budget, Exploration, Outcome, Request};
use std::{
    fs,
    io::Write,
    os::fd::BorrowedFd,
    process::{Child, Command},
    thread,
    time::Duration,
};

#[refrain::test(runs = 3)]
async fn a_service_that_writes_to_low_descriptors_disturbs_nothing(world: World) {
    world.host("server", || async {
        for fd in 3..256 {
            // SAFETY: none: the owner of the descriptor gets garbage, which is what the test is about.
            let _ = write(unsafe { BorrowedFd::borrow_raw(fd) }, b"{\"garbage\":\n");
        }
        std::future::pending::<()>().await
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
}

/// Returns the shared memory of all processes, in KiB.
fn shared_memory() -> u64 {
    let info = fs::read_to_string("/proc/meminfo").unwrap();
    let line = info.lines().find(|line| line.starts_with("Shmem:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[refrain::test(runs = 1, allow = ["files"])]
async fn what_a_run_prints_takes_no_memory(_world: World) {
    const MIB: u64 = 512;
    let before = shared_memory();
    let text = vec![b'x'; 1 << 20];
    for _ in 0..MIB {
        std::io::stdout().write_all(&text).unwrap();
    }
    let taken = shared_memory().saturating_sub(before) >> 10;
    assert!(taken < MIB / 2, "{taken} MiB");
}

/// Computes for less than half of the poll limit. On a busy processor it takes longer than that.
#[refrain::test(runs = 1, poll_limit = "1s")]
async fn a_poll_that_computes(_world: World) {
    let used = || {
        let usage = getrusage(UsageWho::RUSAGE_THREAD).unwrap();
        (usage.user_time() + usage.system_time()).num_milliseconds()
    };
    let before = used();
    while used() - before < 400 {}
}

/// Processes that keep busy the core on which they are started.
struct Load(Vec<Child>);

impl Load {
    fn start(processes: usize) -> Load {
        let spin = || Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        Load((0..processes).map(|_| spin()).collect())
    }
}

/// Keeps this thread, and what it starts, on one processor of those that it has: the others are for other tests.
fn stay_on_one_processor() {
    let allowed = sched_getaffinity(Pid::from_raw(0)).unwrap();
    let first = (0..CpuSet::count()).find(|cpu| allowed.is_set(*cpu).unwrap()).unwrap();
    let mut one = CpuSet::new();
    one.set(first).unwrap();
    sched_setaffinity(Pid::from_raw(0), &one).unwrap();
}

impl Drop for Load {
    fn drop(&mut self) {
        for child in &mut self.0 {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

#[test]
fn a_sound_service_is_not_failed_because_the_machine_is_busy() {
    // A thread of its own, for only that one stays there.
    let outcome = thread::spawn(|| {
        stay_on_one_processor();
        let _load = Load::start(3);
        let request = Request::explore(1, Budget::Runs(1), Some(1));
        crate::driver::ask("processes::limits::a_poll_that_computes", &request)
    });
    let outcome = outcome.join().unwrap();
    assert!(matches!(outcome, Outcome::Explored(Exploration { caught: None, .. })), "{outcome:?}");
}
