//! What the process does that is made for one execution of a model, or for a part of its search.

use super::{
    blocked,
    child::{end, end_with, fail, follow, follows, not_followed},
    choose, foreign,
    log::{self, Log},
    loom::Loom,
    outlet::{self, limit, refuse, send},
    quarantine,
    searcher::Searcher,
    seq_cst,
    shuttle::{self, Shuttle},
    verdict,
};
use crate::{
    engine::{Heartbeat, Outlet, Watch, exit},
    job::{RunMessage, Search, Source},
    place::Place,
    plan::{Plan, Threads},
    protocol::EngineLimit,
    verdict::Verdict,
};
use nix::unistd::gettid;
use std::{cell::Cell, panic, sync::mpsc, thread};

/// The stack of the thread on which an engine runs.
const STACK_BYTES: usize = 8 << 20;

thread_local! {
    /// Whether this is the thread on which the engine runs, and with it all threads of the model.
    static IS_ENGINES: Cell<bool> = const { Cell::new(false) };
}

/// Makes one execution and tells the worker how it ended. Does not return.
pub(super) fn run(body: fn(), source: Source, watch: Watch, outlet: Outlet) {
    on_a_fresh_thread(outlet, move || {
        if let Source::Branch { after, seed, .. } = &source {
            shuttle::leave_after(*after, *seed);
        }
        let (plan, again) = match source {
            Source::Plan(plan) | Source::Branch { plan, .. } => (*plan, false),
            Source::Again(plan) => (*plan, true),
            // Nothing is drawn: without a plan each thread goes on as long as it can.
            Source::Seed(_) | Source::FaultFree(_) => {
                (Plan { threads: Some(Threads::Deviations(vec![])), ..Plan::default() }, false)
            }
        };
        let Some(threads) = plan.threads.clone() else {
            refuse("the plan is one of a simulation, and this test is a model: delete the trace and explore again")
        };
        let searcher = searcher_of(&threads);
        send(&RunMessage::Plan(Plan { threads: Some(searcher.announced(&threads)), ..plan }));
        catch_panics();
        follow(searcher.must_follow(&threads));
        choose(searcher.engine());
        if again {
            searcher.execute(body, &threads, watch.heartbeat);
        }
        quarantine::locate(watch.locate);
        log::start(Log::new(watch));
        match searcher.execute(body, &threads, watch.heartbeat) {
            true => match foreign::nothing_is_shared() {
                Some(why) => refuse(&why),
                None => end(Verdict::Passed),
            },
            false => end_with(Verdict::Passed, vec![not_followed()]),
        }
    });
}

/// Makes a part of a search, or finds the plan of its `nth` execution, counted from 1. Does not return.
pub(super) fn search(body: fn(), search: Search, nth: Option<u64>, heartbeat: &'static Heartbeat, outlet: Outlet) {
    on_a_fresh_thread(outlet, move || {
        catch_panics();
        let searcher = match &search {
            Search::Exhaust { .. } => &Loom as &dyn Searcher,
            Search::Sample { .. } => &Shuttle,
        };
        choose(searcher.engine());
        let searched = match nth {
            None => searcher.search(body, &search, heartbeat),
            Some(nth) => searcher.locate(body, &search, nth, heartbeat),
        };
        send(&RunMessage::Searched(searched));
        exit(0)
    });
}

/// The searcher that finds plans of this sort.
pub(super) fn searcher_of(threads: &Threads) -> &'static dyn Searcher {
    match threads {
        Threads::Choices { .. } => &Loom,
        Threads::Deviations(_) => &Shuttle,
    }
}

fn on_a_fresh_thread(outlet: Outlet, run: impl FnOnce() + Send + 'static) {
    outlet::open(outlet);
    let (sender, receiver) = mpsc::channel();
    let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn(move || {
        let _ = sender.send(gettid());
        IS_ENGINES.set(true);
        quarantine::begin(fail);
        run();
    });
    // What comes back here without having told how it ended is taken for a death by the worker.
    if let (Ok(thread), Ok(id)) = (thread, receiver.recv()) {
        blocked::watch(&thread, id);
    }
}

/// Turns each panic into the run's result. Nothing is printed.
fn catch_panics() {
    panic::set_hook(Box::new(|info| {
        let message = info.payload_as_str().unwrap_or("a panic without a message");
        let place = info.location().map(Place::from);
        if !IS_ENGINES.get() {
            let place = place.map_or_else(|| "an unknown place".to_owned(), |place| place.to_string());
            refuse(&format!(
                "a thread that std::thread spawned panicked at {place} ({message}): a model sees its own threads only, so \
                 spawn them with refrain::sync::thread, and use refrain::sync on no others"
            ))
        }
        if seq_cst::is_left() {
            if log::records() {
                end(Verdict::Passed)
            }
            limit(EngineLimit::NotLeft { place, message: message.to_owned() })
        }
        let meaning = verdict::of_panic(message, place);
        if follows() && meaning.is_another_execution() {
            // What was saved is an execution of another model: the code has changed.
            end_with(Verdict::Passed, vec![not_followed()])
        }
        match meaning {
            verdict::Meaning::Failure(failure) => fail(failure),
            verdict::Meaning::Limit(why) => limit(why),
            verdict::Meaning::Misuse(why) => refuse(&why),
        }
    }));
}
