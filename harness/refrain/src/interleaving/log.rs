//! The log of an execution: which thread did what to which object, with what value, where.
//!
//! It is kept only while somebody records. The engines' own logs carry neither values nor places.

use super::{Engine, at::At, engine, outlet::send, seq_cst, spin, stuck};
pub(crate) use super::{Number, at::shown, threads::running as thread};
use crate::{
    engine::{Watch, debugger, exit},
    event::{
        Event, Kind,
        step::{Operation, Pointer, Step},
    },
    job::RunMessage,
    place::Place,
    seed::seed_of,
    verdict::{Cause, StaleRead, Store, ThreadWait, ThreadWaiting, Verdict},
};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    panic::Location,
};
use tokio::control::unguarded;

/// What is kept about one execution.
pub(crate) struct Log {
    watch: Watch,
    digest: u64,
    events: usize,
    pointers: BTreeMap<usize, Pointer>,
    /// What each thread may have to wait for now, and where: in a deadlock, what it waits for.
    about_to: BTreeMap<usize, (ThreadWait, At)>,
    last: usize,
    /// What each thread does as soon as it is chosen to go on.
    when_chosen: BTreeMap<usize, Step>,
    /// The first load that read an old value.
    old: Option<StaleRead>,
    /// What the load that is told next read, if that is old, and the newest.
    reads_old: Option<(Store, Store)>,
}

thread_local! {
    static RECORDS: Cell<bool> = const { Cell::new(false) };
    static LOG: RefCell<Option<Log>> = const { RefCell::new(None) };
    /// How many objects of each kind the execution has made.
    static OBJECTS: RefCell<Vec<(&'static str, Number)>> = const { RefCell::new(vec![]) };
}

impl Log {
    pub fn new(watch: Watch) -> Log {
        Log {
            watch,
            digest: 0,
            events: 0,
            pointers: BTreeMap::new(),
            about_to: BTreeMap::new(),
            last: 0,
            when_chosen: BTreeMap::new(),
            old: None,
            reads_old: None,
        }
    }

    /// A thread made an operation.
    fn step(&mut self, step: Step) {
        self.last = step.thread;
        self.fold(step.thread, Some(&step.does));
        if let Some((was, newest)) = self.reads_old.take() {
            let (thread, place) = (step.thread, step.place.clone());
            self.old.get_or_insert(StaleRead { thread, place, was, newest });
        }
        self.emit(event(Kind::Step(step)));
    }

    /// The digest knows what was done and by whom, as the trace has it, and not where: lines of the source move.
    fn fold(&mut self, thread: usize, does: Option<&Operation>) {
        let does = does.map(|does| serde_json::to_vec(does).expect("plain data goes to JSON")).unwrap_or_default();
        self.digest =
            does.into_iter().fold(seed_of(self.digest, thread as u64), |digest, byte| seed_of(digest, byte.into()));
    }

    fn emit(&mut self, event: Event) {
        if self.watch.debug == Some(self.events) {
            debugger::stop(|process| send(&RunMessage::AwaitsDebugger(process)));
        }
        self.events += 1;
        if self.watch.record {
            send(&RunMessage::Event(event));
        }
        if self.watch.until.is_some_and(|until| self.events >= until) {
            send(&RunMessage::Stopped(self.waits()));
            exit(0)
        }
    }

    fn waits(&self) -> Vec<Cause> {
        let wait = |(thread, (waits, at)): (&usize, &(ThreadWait, At))| {
            Cause::ThreadWaits(ThreadWaiting { thread: *thread, waits: *waits, place: at.shown() })
        };
        self.about_to.iter().map(wait).collect()
    }
}

/// Begins to keep the log of the execution that comes.
pub(super) fn start(log: Log) {
    if log.watch.until == Some(0) {
        send(&RunMessage::Stopped(vec![]));
        exit(0)
    }
    LOG.with(|kept| *kept.borrow_mut() = Some(log));
    RECORDS.set(true);
}

/// Ends the log with its verdict; gives back its digest, or 0 if none was kept.
pub(super) fn end(verdict: &Verdict) -> u64 {
    with(|log| {
        if *verdict != Verdict::Passed {
            log.fold(log.last, None);
            log.emit(event(Kind::Verdict));
        }
        log.digest
    })
    .unwrap_or(0)
}

/// Whether somebody records. Everything else here costs time: ask before.
#[inline]
pub(crate) fn records() -> bool {
    RECORDS.get()
}

fn with<R>(f: impl FnOnce(&mut Log) -> R) -> Option<R> {
    // It allocates apart: addresses in the model do not depend on whether it is recorded. And it is destroyed before others of
    // the thread's if the process exits.
    let with = || LOG.try_with(|log| log.try_borrow_mut().ok().and_then(|mut log| log.as_mut().map(f)));
    unguarded(with).ok().flatten()
}

/// Gives a new object its number among those of its kind.
#[inline]
pub(crate) fn number(kind: &'static str) -> Number {
    if engine() == Engine::Std {
        return 0;
    }
    OBJECTS.with(|objects| {
        let mut objects = objects.borrow_mut();
        match objects.iter_mut().find(|(other, _)| *other == kind) {
            Some((_, count)) => {
                *count += 1;
                *count
            }
            None => {
                objects.push((kind, 1));
                1
            }
        }
    })
}

/// An execution begins.
pub(super) fn forget() {
    OBJECTS.with(|objects| objects.borrow_mut().clear());
}

/// The running thread is about to do something that may have to wait.
#[inline]
pub(crate) fn begin(place: &'static Location<'static>, wait: ThreadWait) {
    seq_cst::leave();
    if records() {
        let thread = thread();
        with(|log| {
            log.watch.heartbeat.tick(Some(place.into()));
            log.about_to.insert(thread, (wait, At::new(place)))
        });
    }
}

/// The running thread did something that may change what others see.
#[inline]
pub(crate) fn log_effect(place: &'static Location<'static>, does: impl FnOnce() -> Operation) {
    spin::changed();
    stuck::changed();
    log_step(place, does);
}

/// The running thread made an object. The place of a dependency's is in the dependency: it says what the object is.
#[inline]
pub(crate) fn log_creation(place: &'static Location<'static>, does: impl FnOnce() -> Operation) {
    spin::changed();
    stuck::changed();
    log_at(place, |_| shown(place), does);
}

/// The running thread did something that changes nothing.
#[inline]
pub(crate) fn log_step(place: &'static Location<'static>, does: impl FnOnce() -> Operation) {
    log_at(place, |records| if records { At::new(place).shown() } else { shown(place) }, does);
}

#[inline]
fn log_at(at: &'static Location<'static>, place: impl FnOnce(bool) -> Option<Place>, does: impl FnOnce() -> Operation) {
    seq_cst::leave();
    if records() {
        // What it does may ask the log itself: which pointer it is.
        let (thread, does, is_repeated) = (thread(), unguarded(does), stuck::is_repeated());
        with(|log| {
            log.about_to.remove(&thread);
            log.watch.heartbeat.comes_to(at);
            if is_repeated {
                return;
            }
            let place = place(log.watch.record);
            log.step(Step { thread, place, does });
        });
    }
}

/// The running thread does something as soon as it is chosen to go on. Its engine chooses first and acts then, in one call.
#[inline]
pub(crate) fn does_when_chosen(place: &'static Location<'static>, does: impl FnOnce() -> Operation) {
    spin::changed();
    stuck::changed();
    if records() {
        let (thread, does) = (thread(), unguarded(does));
        with(|log| log.when_chosen.insert(thread, Step { thread, place: shown(place), does }));
    }
}

/// A thread is chosen to go on.
pub(super) fn chosen(thread: usize) {
    with(|log| {
        if let Some(step) = log.when_chosen.remove(&thread) {
            log.step(step);
        }
    });
}

/// The running thread read an old value, as it tells next.
pub(crate) fn reads_old(was: Store, newest: Store) {
    with(|log| log.reads_old = Some((was, newest)));
}

/// A pointer as it is in every run: by the order in which they were first seen.
pub(crate) fn pointer(address: usize) -> Pointer {
    if address == 0 {
        return 0;
    }
    let nth = with(|log| {
        let next = log.pointers.len() as Pointer + 1;
        *log.pointers.entry(address).or_insert(next)
    });
    nth.unwrap_or(0)
}

/// How many events the execution has had.
pub(super) fn events() -> usize {
    with(|log| log.events).unwrap_or(0)
}

/// What each thread waits for, with the first of the places.
pub(super) fn waits() -> (Vec<Cause>, Option<Place>) {
    with(|log| (log.waits(), log.about_to.values().filter_map(|(_, at)| at.shown()).min())).unwrap_or_default()
}

/// The first load that read an old value: without it, there may be no failure.
pub(super) fn old() -> Option<StaleRead> {
    with(|log| log.old.clone()).flatten()
}

/// The thread that did something last.
pub(super) fn last() -> usize {
    with(|log| log.last).unwrap_or(0)
}

fn event(kind: Kind) -> Event {
    Event { at: 0, host: String::new(), task: None, kind }
}
