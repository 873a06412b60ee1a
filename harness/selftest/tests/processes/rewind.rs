//! Runs of an exploration that one process makes: each begins as in a process of its own, whatever the one before has done to the process.
#![allow(unsafe_code)]

use crate::driver::{Started, Which, ask};
use crate::machine::system_call;
use nix::{
    libc,
    sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, raise, sigaction},
};
use refrain::World;
use refrain_core::{
    job::{Answer, Batch},
    protocol::{Budget, Exploration, Isolation, Machine, Outcome, Request},
};
use serde_json::json;
use std::{
    cell::Cell,
    env, fs, mem,
    ops::Range,
    path::Path,
    ptr,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    thread,
};

const RUNS: u64 = 24;

/// A run that looks whether its process is as no other has left it, and leaves it in another way. It tells rather than fails: a run that fails is
/// made again in a process of its own.
async fn in_a_process(world: World, is_fresh: impl FnOnce() -> bool + Send + 'static) {
    let is_fresh = world.client("client").run(async { is_fresh() }).await;
    world.saw(if is_fresh { "a fresh process" } else { "what another run has left" });
}

macro_rules! tests {
    ($($(#[$doc:meta])* $name:ident: $each:expr,)*) => {
        $($(#[$doc])* #[refrain::test(runs = 24)]
        async fn $name(world: World) {
            in_a_process(world, $each).await;
        })*
        const ALL: &[&str] = &[$(stringify!($name)),*];
    };
}

static COUNT: AtomicU32 = AtomicU32::new(0);
static KEPT: Mutex<Vec<String>> = Mutex::new(vec![]);

thread_local! {
    static OF_THREAD: Cell<u32> = const { Cell::new(0) };
}

/// A page of any machine.
const PAGE_BYTES: usize = 64 << 10;

/// A page of the program's own data.
#[repr(align(65536))]
struct Page(#[allow(dead_code)] [u8; PAGE_BYTES]);

static mut PAGE: Page = Page([7; PAGE_BYTES]);

fn page() -> *mut u8 {
    (&raw mut PAGE).cast()
}

/// Writes to the page. Returns whether it had what the program begins with.
fn replaces_page(with: u8) -> bool {
    // SAFETY: nobody else looks at it.
    unsafe { page().replace(with) == 7 }
}

/// How many threads this process has, from the links of the folder of its threads: its own two, and one for each.
fn threads() -> libc::nlink_t {
    let mut stat = mem::MaybeUninit::<libc::stat>::uninit();
    let path = c"/proc/self/task".as_ptr();
    // SAFETY: the path ends with a zero, and the kernel fills what it is given, or the call fails.
    unsafe {
        assert_eq!(libc::stat(path, stat.as_mut_ptr()), 0);
        stat.assume_init().st_nlink - 2
    }
}

/// Where nothing is mapped when a process begins.
const NOWHERE: usize = 0x6000_0000_0000;

fn map(at: usize) -> *mut libc::c_void {
    let (access, flags) =
        (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE);
    // SAFETY: it replaces no mapping.
    unsafe { libc::mmap(ptr::without_provenance_mut(at), PAGE_BYTES, access, flags, -1, 0) }
}

fn is_open(fd: i32) -> bool {
    // SAFETY: it only asks.
    unsafe { libc::fcntl(fd, libc::F_GETFD) >= 0 }
}

extern "C" fn ignore(_: libc::c_int) {}

fn handler_of(signal: Signal) -> SigHandler {
    let ignoring = SigAction::new(SigHandler::Handler(ignore), SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler does nothing.
    unsafe { sigaction(signal, &ignoring) }.unwrap().handler()
}

fn nice() -> i32 {
    // SAFETY: the call has no pointers.
    unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) }
}

fn files_max() -> libc::rlimit {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: it is a valid place for the answer.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) }, 0);
    limit
}

fn thread_name() -> Vec<u8> {
    let mut name = [0u8; 16];
    // SAFETY: there is room for a name.
    unsafe { libc::prctl(libc::PR_GET_NAME, name.as_mut_ptr()) };
    name.to_vec()
}

tests! {
    /// Statics, thread-locals, the environment and the heap.
    changes_memory: || {
        let counts = (COUNT.fetch_add(1, Relaxed), OF_THREAD.replace(1), KEPT.lock().unwrap().len());
        KEPT.lock().unwrap().push("x".repeat(5 << 20));
        mem::forget(vec![1u8; 50 << 20]);
        let variable = env::var_os("REFRAIN_HOSTILE");
        // SAFETY: this process has one thread.
        unsafe { env::set_var("REFRAIN_HOSTILE", "1") };
        counts == (0, 0, 0) && variable.is_none() && replaces_page(8)
    },
    changes_its_folder: || {
        let is_fresh = env::current_dir().unwrap().join("Cargo.toml").exists();
        env::set_current_dir("..").unwrap();
        is_fresh && !env::current_dir().unwrap().join("tests").exists()
    },
    // SAFETY: the call has no pointers.
    changes_its_umask: || unsafe { libc::umask(0o071) } != 0o071,
    lowers_a_limit: || {
        let limit = files_max();
        // SAFETY: it is a valid limit.
        unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &libc::rlimit { rlim_cur: 1_500, ..limit }) };
        limit.rlim_cur != 1_500 && files_max().rlim_cur == 1_500
    },
    handles_a_signal: || matches!(handler_of(Signal::SIGUSR1), SigHandler::SigDfl),
    blocks_a_signal: || {
        let is_fresh = !SigSet::thread_get_mask().unwrap().contains(Signal::SIGUSR2);
        SigSet::from(Signal::SIGUSR2).thread_block().unwrap();
        is_fresh
    },
    has_a_signal_pending: || {
        let mut pending = SigSet::empty();
        // SAFETY: it is a valid place for the answer.
        unsafe { libc::sigpending(ptr::from_mut(&mut pending).cast()) };
        SigSet::from(Signal::SIGUSR2).thread_block().unwrap();
        raise(Signal::SIGUSR2).unwrap();
        !pending.contains(Signal::SIGUSR2)
    },
    leaves_a_file_open: || {
        let is_fresh = !is_open(3);
        mem::forget(fs::File::open("Cargo.toml").unwrap());
        is_fresh && is_open(3)
    },
    closes_its_input: || {
        // SAFETY: nobody owns it.
        is_open(0) && unsafe { libc::close(0) } == 0
    },
    closes_most: || {
        let is_fresh = is_open(1);
        system_call(libc::SYS_close_range, [0, 999, 0, 0]);
        is_fresh && !is_open(1)
    },
    leaves_a_mapping: || map(NOWHERE).addr() == NOWHERE,
    /// As many bytes are mapped as before.
    moves_a_mapping: || {
        // SAFETY: nobody looks at it in this run.
        map(NOWHERE).addr() == NOWHERE && replaces_page(8) && unsafe { libc::munmap(page().cast(), PAGE_BYTES) } == 0
    },
    protects_its_data: || {
        // SAFETY: nobody else looks at it.
        replaces_page(8) && unsafe { libc::mprotect(page().cast(), PAGE_BYTES, libc::PROT_READ) } == 0
    },
    locks_its_memory: || {
        // SAFETY: the page is mapped.
        replaces_page(8) && unsafe { libc::mlock(page().cast(), PAGE_BYTES) } == 0
    },
    names_its_thread: || {
        let is_fresh = !thread_name().starts_with(b"hostile");
        // SAFETY: the name ends with a zero.
        unsafe { libc::prctl(libc::PR_SET_NAME, c"hostile".as_ptr()) };
        is_fresh && thread_name().starts_with(b"hostile")
    },
    is_nice: || {
        let before = nice();
        // SAFETY: the call has no pointers.
        unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 17) };
        before != 17 && nice() == 17
    },
    leaves_threads: || {
        let is_fresh = threads() == 1;
        for _ in 0..3 {
            thread::spawn(thread::park);
        }
        is_fresh && threads() == 4
    },
    leaves_a_thread_that_hears_no_signal: || {
        let is_fresh = threads() == 1;
        thread::spawn(|| {
            let most = [!(1u64 << (libc::SIGSYS - 1))];
            system_call(libc::SYS_rt_sigprocmask, [libc::SIG_BLOCK as usize, most.as_ptr().addr(), 0, 8]);
            thread::park();
        });
        thread::yield_now();
        is_fresh && threads() == 2
    },
    has_another_signal_stack: || {
        let mut stack = libc::stack_t { ss_sp: ptr::null_mut(), ss_flags: 0, ss_size: 0 };
        let own = libc::stack_t { ss_sp: page().cast(), ss_flags: 0, ss_size: PAGE_BYTES };
        // SAFETY: it is a valid place for the answer, and the page is nobody else's.
        unsafe {
            libc::sigaltstack(ptr::null(), &mut stack);
            stack.ss_sp != page().cast() && libc::sigaltstack(&own, ptr::null_mut()) == 0
        }
    },
}

/// Where the harness has its own descriptors: two more in a process that is rewound, which is all that a run can find out about it.
const ITS_FILES: Range<i32> = 992..1008;

fn open_files() -> usize {
    ITS_FILES.filter(|&fd| is_open(fd)).count()
}

/// How many of them a run that fails otherwise expects.
const EXPECTED: &str = "REFRAIN_EXPECTED_FILES";

#[refrain::test(runs = 24)]
async fn sees_that_it_is_rewound(world: World) {
    for files in 0..=ITS_FILES.len() {
        world.counts(&files.to_string(), "files", &format!("{files} are open"));
    }
    world.client("client").run(async { tracing::info!(target: "files", "{} are open", open_files()) }).await;
}

#[refrain::test(runs = 24)]
async fn fails_because_it_is_rewound(world: World) {
    let expected = env::var(EXPECTED).map_or(0, |files| files.parse().unwrap());
    world.client("client").run(async move { assert!(expected == 0 || expected == open_files()) }).await;
}

fn name(test: &str) -> String {
    format!("processes::rewind::{test}")
}

fn explored(test: &str, isolation: Isolation) -> Exploration {
    let request = Request::Explore { seed: 1, budget: Budget::Runs(RUNS), jobs: Some(1), isolation, coverage: None };
    match ask(&name(test), &request) {
        Outcome::Explored(exploration) => exploration,
        other => panic!("{test}: {other:?}"),
    }
}

/// What a worker says of runs that all pass.
fn batch(mut worker: Started, test: &str, isolation: Isolation) -> Batch {
    let job = json!({ "explore": { "base": 1, "first": 0, "count": RUNS, "isolation": isolation } });
    match serde_json::from_value(worker.ask(&job)).unwrap() {
        Answer::Explored(batch) if (batch.runs, batch.failed, batch.differ) == (RUNS, None, 0) => batch,
        other => panic!("{test}: {other:?}"),
    }
}

/// How many of a worker's runs were made in a process that others had been made in.
fn rewound(test: &str, isolation: Isolation) -> u64 {
    batch(Started::worker(&name(test)), test, isolation).rewound
}

#[test]
fn a_run_leaves_nothing_to_the_next_one() {
    for test in ALL {
        let Exploration { runs, caught, machine, .. } = explored(test, Isolation::Both);
        assert_eq!((runs, caught, machine), (RUNS, None, Machine::default()), "{test}");
    }
}

/// Whatever a run finds out, what counts is what it does in a process of its own.
#[test]
fn runs_that_differ_are_all_made_again_by_fork() {
    let seen = |isolation| {
        let explored = explored("sees_that_it_is_rewound", isolation);
        let files: Vec<_> = explored.coverage.counts.into_iter().filter(|&(_, runs)| runs > 0).collect();
        let [(files, RUNS)] = &files[..] else { panic!("{isolation:?}: {files:?}") };
        (files.clone(), explored.machine.differ > 0)
    };
    let (files, _) = seen(Isolation::Fork);
    assert_eq!(seen(Isolation::Fork), (files.clone(), false));
    assert_eq!(seen(Isolation::Rewind), (files.clone(), true));
    assert_eq!(seen(Isolation::Both), (files.clone(), true));

    let request = Request::Explore {
        seed: 1,
        budget: Budget::Runs(RUNS),
        jobs: Some(1),
        isolation: Isolation::Rewind,
        coverage: None,
    };
    let mut started =
        Started::command(&name("fails_because_it_is_rewound"), &request, &[(EXPECTED, Path::new(&files))]);
    let Outcome::Explored(explored) = started.outcome() else { panic!("not explored") };
    assert_eq!((explored.runs, explored.caught), (RUNS, None));
    assert_eq!(explored.machine.differ, 1);
}

/// Before Linux 6.7 the kernel does not tell which pages were written to.
#[test]
fn an_older_kernel_undoes_the_same() {
    const PAGEMAP_SCAN: u32 = 0xc060_6610;
    for test in ["changes_memory", "leaves_a_file_open", "leaves_a_mapping"] {
        let worker = Started::worker_refused(&name(test), libc::SYS_ioctl, Which::With(1, PAGEMAP_SCAN));
        let batch = batch(worker, test, Isolation::Both);
        assert_eq!((batch.rewound, batch.forks_each), (RUNS - 1, false), "{test}");
    }
}

/// A container may forbid what it takes to keep the memory. Each run has a process of its own then, which is said.
#[test]
fn where_nothing_can_be_rewound_each_run_has_a_process() {
    let worker = Started::worker_refused(&name("changes_memory"), libc::SYS_memfd_create, Which::All);
    let batch = batch(worker, "changes_memory", Isolation::Rewind);
    assert_eq!((batch.rewound, batch.forks_each), (0, true));
    let said = refrain::report::machine(Machine { forks_each: true, ..Machine::default() });
    assert!(said.contains("each run has a process of its own, which takes several times as long"), "{said}");
}

/// These are undone; whoever does anything else gets a new process.
#[test]
fn what_runs_do_usually_is_undone() {
    let undone = ["changes_memory", "handles_a_signal", "blocks_a_signal", "leaves_a_file_open", "leaves_a_mapping"];
    for test in undone {
        assert_eq!(rewound(test, Isolation::Rewind), RUNS - 1, "{test}");
    }
    // The first run finds the line that starts threads, which the others are told.
    assert_eq!(rewound("leaves_threads", Isolation::Rewind), RUNS - 2);
    assert_eq!(rewound("changes_memory", Isolation::Fork), 0);
    assert_eq!(rewound("changes_its_folder", Isolation::Rewind), 0);
}
