//! The exhaustive engine: loom, driven through its checkpoint, which is where its search stands.
//!
//! Facts of loom 0.7 that shape this: a checkpoint is written before an execution, so that of execution n names the one
//! that failed; the bound inside a checkpoint overrides the builder's; of a checkpoint's entries only thread, load and
//! spurious wake-up matter to a replay; an entry that is not `exploring` is never changed, so a path of such entries is
//! one execution.

use super::{
    Engine,
    child::{execution_begins, execution_ended, run_main, thread_ends},
    outlet::{limit, refuse},
    searcher::Searcher,
    seq_cst,
    threads::THREADS_MAX,
};
use crate::{
    engine::Heartbeat,
    job::{Search, Searched},
    plan::{Choice, Plan, Threads},
    protocol::EngineLimit,
    trace,
};
use ::loom::model::Builder;
use nix::sys::memfd::{MFdFlags, memfd_create};
use std::{
    fs::File,
    io::{Read, Seek, SeekFrom, Write},
    os::fd::AsRawFd,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

mod path;

pub(crate) use path::{Branch, Path, branches};

/// The engine as traces name it.
const ENGINE: (&str, &str) = ("loom", "0.7.3");
/// The most choices of an execution; a loop that waits for another thread makes more.
const CHOICES_MAX: usize = 10_000;

/// The searcher.
pub(super) struct Loom;

impl Searcher for Loom {
    fn engine(&self) -> Engine {
        Engine::Loom
    }

    fn version(&self) -> trace::Engine {
        let (name, version) = ENGINE;
        trace::Engine { name: name.into(), version: version.into() }
    }

    fn announced(&self, threads: &Threads) -> Threads {
        threads.clone()
    }

    fn must_follow(&self, threads: &Threads) -> bool {
        matches!(threads, Threads::Choices { choices, .. } if !choices.is_empty())
    }

    fn search(&self, body: fn(), search: &Search, heartbeat: &'static Heartbeat) -> Searched {
        let Search::Exhaust { from, total_order, executions, within } = search else { not_ours() };
        self::search(body, from, *total_order, *executions, *within, heartbeat)
    }

    fn locate(&self, body: fn(), search: &Search, nth: u64, heartbeat: &'static Heartbeat) -> Searched {
        let Search::Exhaust { from, total_order, .. } = search else { not_ours() };
        locate(body, from, *total_order, nth, heartbeat)
    }

    fn execute(&self, body: fn(), threads: &Threads, heartbeat: &'static Heartbeat) -> bool {
        let Threads::Choices { choices, total_order } = threads else { not_ours() };
        replay(body, choices, *total_order, heartbeat);
        // One that leaves the plan does not come back here: loom panics.
        true
    }
}

fn not_ours() -> ! {
    refuse("protocol error between the test and its worker: a search that loom does not make")
}

/// Searches from where `from` says, until it would change one of the first `within` choices or has made so many executions.
fn search(
    body: fn(),
    from: &str,
    total_order: bool,
    executions: u64,
    within: usize,
    heartbeat: &'static Heartbeat,
) -> Searched {
    let file = Checkpoint::new(from);
    let mut builder = builder(&file, total_order);
    let (mut made, mut text) = (0, from.to_owned());
    loop {
        // To look costs more than an execution, and before these are made the search does not leave its part.
        let path =
            (within > 0).then(|| Path::parse(&text).unwrap_or_else(|error| limit(EngineLimit::Checkpoint { error })));
        if let Some(path) = &path
            && made > 0
            && path.len() <= within
        {
            return Searched { executions: made, next: Some(text), ..Searched::default() };
        }
        let surely = path.map_or(u64::MAX, |path| path.executions_min(within)).min(executions - made);
        if surely == 0 {
            return Searched { executions: made, next: Some(text), ..Searched::default() };
        }
        // It writes the checkpoint before the execution that is one too many, and returns.
        builder.checkpoint_interval = surely as usize + 1;
        builder.max_permutations = Some(surely as usize + 1);
        let count = Arc::new(AtomicU64::new(0));
        let counts = count.clone();
        builder.check(move || {
            execution_ended();
            counts.fetch_add(1, Relaxed);
            execution_begins(heartbeat);
            seq_cst::run(|| run_main(body));
        });
        execution_ended();
        made += count.load(Relaxed);
        let next = file.text();
        if next == text {
            return Searched { executions: made, ..Searched::default() };
        }
        text = next;
    }
}

/// Finds the plan of the `nth` execution from where `from` says, counted from 1; those before it are known to pass.
fn locate(body: fn(), from: &str, total_order: bool, nth: u64, heartbeat: &'static Heartbeat) -> Searched {
    let file = Checkpoint::new(from);
    let mut builder = builder(&file, total_order);
    builder.checkpoint_interval = nth as usize;
    builder.max_permutations = Some(nth as usize);
    builder.check(move || {
        execution_begins(heartbeat);
        seq_cst::run(|| run_main(body));
    });
    let choices = Path::parse(&file.text()).map(|path| path.choices()).unwrap_or_default();
    let threads = Some(Threads::Choices { choices, total_order });
    Searched { executions: nth, failed: Some(Plan { threads, ..Plan::default() }), ..Searched::default() }
}

/// Makes one execution.
fn replay(body: fn(), choices: &[Choice], total_order: bool, heartbeat: &'static Heartbeat) {
    let file = Checkpoint::new(&Path::of_choices(choices).to_string());
    builder(&file, total_order).check(move || {
        execution_begins(heartbeat);
        if seq_cst::run(|| run_main(body)).is_some() {
            thread_ends();
        }
    });
    execution_ended();
}

/// Every field that the environment could have a say in is set.
fn builder(file: &Checkpoint, total_order: bool) -> Builder {
    seq_cst::watch(total_order);
    let mut builder = Builder::new();
    builder.max_threads = THREADS_MAX;
    builder.max_branches = CHOICES_MAX;
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.preemption_bound = None;
    builder.checkpoint_file = Some(file.path().into());
    builder.checkpoint_interval = usize::MAX;
    builder.location = false;
    builder.log = false;
    builder
}

/// A checkpoint file in memory: on a disk it would cost far more than an execution.
#[derive(Clone)]
struct Checkpoint(Arc<Mutex<File>>, String);

impl Checkpoint {
    fn new(text: &str) -> Checkpoint {
        let memory = memfd_create("refrain-checkpoint", MFdFlags::MFD_CLOEXEC).expect("a file in memory can be made");
        let path = format!("/proc/self/fd/{}", memory.as_raw_fd());
        let mut file = File::from(memory);
        file.write_all(text.as_bytes()).expect("memory can be written");
        Checkpoint(Arc::new(Mutex::new(file)), path)
    }

    fn path(&self) -> &str {
        &self.1
    }

    fn text(&self) -> String {
        let mut file = self.0.lock().expect("nobody panics with it");
        let mut text = String::new();
        let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_string(&mut text));
        read.expect("memory can be read");
        text
    }
}
