//! Threads.

use super::{On, each, loom, on, shuttle};
use crate::{
    event::step::{self, Operation},
    interleaving::{
        self, Engine,
        clocks::{self, Through},
        foreign, limit,
        log::{self, Number, begin, log_effect, log_step},
        seq_cst, spin, stuck,
        threads::{self, THREADS_MAX, number_under_loom, parked},
    },
    protocol::EngineLimit,
    verdict::ThreadWait,
};
use std::{any::TypeId, fmt, io, panic::Location, time::Duration};

#[doc(no_inline)]
pub use std::thread::{Result, panicking};

/// Like `std::thread::JoinHandle`.
pub struct JoinHandle<T> {
    raw: Handles<Option<T>>,
    thread: Thread,
}

/// A thread of an abandoned execution returns `None`, and nobody joins it.
type Handles<T> = On<loom::thread::JoinHandle<T>, shuttle::thread::JoinHandle<T>, std::thread::JoinHandle<T>>;

/// Like `std::thread::Thread`.
#[derive(Debug, Clone)]
pub struct Thread {
    raw: Raw,
    number: Number,
}

#[derive(Debug, Clone)]
enum Raw {
    Loom(loom::thread::Thread),
    Shuttle(shuttle::thread::Thread),
    Std(std::thread::Thread),
}

/// Like `std::thread::ThreadId`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ThreadId(Id);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Id {
    Loom(loom::thread::ThreadId),
    Shuttle(shuttle::thread::ThreadId),
    Std(std::thread::ThreadId),
}

/// Like `std::thread::Builder`. Names and stack sizes have no effect in a model.
#[derive(Debug, Default)]
pub struct Builder(());

/// Stack size of a thread under loom, in words; its default is 32 KiB.
const STACK_WORDS: usize = 32 << 10;

/// Like `std::thread::spawn`.
#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    spawn_at(f, Location::caller())
}

pub(super) fn spawn_at<F, T>(f: F, place: &'static Location<'static>) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let nth = threads::next();
    clocks::release(Through::Spawn(nth));
    let thread = move || {
        clocks::acquire(Through::Spawn(nth));
        log_effect(place, || Operation::Thread(step::Thread::Begins));
        let value = f();
        refrain_std::thread::end();
        if TypeId::of::<T>() != TypeId::of::<()>() {
            foreign::passes();
        }
        clocks::release(Through::Join(log::thread() as Number));
        log_effect(place, || Operation::Thread(step::Thread::Ends));
        interleaving::thread_ends();
        value
    };
    let run = || seq_cst::run(thread);
    let raw = on!(
        {
            if nth as usize >= THREADS_MAX {
                limit(EngineLimit::TooManyThreads { most: THREADS_MAX })
            }
            loom::thread::Builder::new().stack_size(STACK_WORDS).spawn(run).expect("loom's threads cost nothing")
        },
        shuttle::thread::spawn(run),
        std::thread::spawn(run)
    );
    // An engine may run other threads before it spawns, so that the numbers are not in the order of the calls.
    let (thread, number) = match &raw {
        On::Loom(raw) => (Raw::Loom(raw.thread().clone()), number_under_loom(raw.thread().id()) as Number),
        On::Shuttle(raw) => (Raw::Shuttle(raw.thread().clone()), usize::from(raw.thread().id()) as Number),
        On::Std(raw) => (Raw::Std(raw.thread().clone()), nth),
    };
    log_effect(place, || Operation::Thread(step::Thread::Spawn { thread: number as usize }));
    JoinHandle { raw, thread: Thread { raw: thread, number } }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").finish_non_exhaustive()
    }
}

impl<T> JoinHandle<T> {
    /// See `std`. In a model it never returns a panic, because the execution would have ended.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        self.join_at(Location::caller())
    }

    pub(super) fn join_at(self, place: &'static Location<'static>) -> Result<T> {
        let number = self.thread.number;
        let thread = number as usize;
        begin(place, ThreadWait::Join { thread });
        let value = seq_cst::joining(|| each!(self.raw, raw => raw.join()))?;
        clocks::acquire(Through::Join(number));
        log_effect(place, || Operation::Thread(step::Thread::Join { thread }));
        value.ok_or_else(|| Box::new("the thread ended without a result") as Box<_>)
    }

    /// See `std`.
    pub fn thread(&self) -> &Thread {
        &self.thread
    }
}

impl Thread {
    /// Returns its number in the model.
    pub(super) fn number(&self) -> usize {
        self.number as usize
    }

    /// See `std`.
    pub fn id(&self) -> ThreadId {
        ThreadId(match &self.raw {
            Raw::Loom(raw) => Id::Loom(raw.id()),
            Raw::Shuttle(raw) => Id::Shuttle(raw.id()),
            Raw::Std(raw) => Id::Std(raw.id()),
        })
    }

    /// See `std`.
    #[track_caller]
    pub fn unpark(&self) {
        self.unpark_at(Location::caller());
    }

    pub(super) fn unpark_at(&self, place: &'static Location<'static>) {
        match &self.raw {
            Raw::Loom(_) => parked(self.number).notify(),
            Raw::Shuttle(raw) => raw.unpark(),
            Raw::Std(raw) => raw.unpark(),
        }
        clocks::release(Through::Park(self.number));
        foreign::passes();
        log_effect(place, || Operation::Thread(step::Thread::Unpark { thread: self.number as usize }));
    }
}

impl Builder {
    /// See `std`.
    pub fn new() -> Builder {
        Builder::default()
    }

    /// See `std`.
    pub fn name(self, _: String) -> Builder {
        self
    }

    /// See `std`.
    pub fn stack_size(self, _: usize) -> Builder {
        self
    }

    /// See `std`.
    ///
    /// # Errors
    /// None in a model.
    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Ok(spawn(f))
    }
}

/// Like `std::thread::current`.
pub fn current() -> Thread {
    let raw = match on!(loom::thread::current(), shuttle::thread::current(), std::thread::current()) {
        On::Loom(raw) => Raw::Loom(raw),
        On::Shuttle(raw) => Raw::Shuttle(raw),
        On::Std(raw) => Raw::Std(raw),
    };
    Thread { raw, number: log::thread() as Number }
}

/// Like `std::thread::park`. Under loom each thread wakes spuriously once, in some of the executions.
#[track_caller]
pub fn park() {
    park_at(Location::caller());
}

pub(super) fn park_at(place: &'static Location<'static>) {
    begin(place, ThreadWait::Unpark);
    match interleaving::engine() {
        Engine::Loom => parked(log::thread() as Number).wait(),
        Engine::Shuttle => shuttle::thread::park(),
        Engine::Std => return std::thread::park(),
    }
    clocks::acquire(Through::Park(log::thread() as Number));
    log_effect(place, || Operation::Thread(step::Thread::Park));
}

/// Like `std::thread::park_timeout`. Rejected under loom; under shuttle the timeout elapses as soon as other threads
/// have run.
#[track_caller]
pub fn park_timeout(time: Duration) {
    park_timeout_at(time, Location::caller());
}

pub(super) fn park_timeout_at(time: Duration, place: &'static Location<'static>) {
    match interleaving::engine() {
        Engine::Loom => limit(EngineLimit::Time { call: "thread::park_timeout".into() }),
        Engine::Shuttle => shuttle::thread::yield_now(),
        Engine::Std => std::thread::park_timeout(time),
    }
    yielded(place, step::Thread::ParkTimeout { time_ns: nanoseconds(time) });
}

/// Like `std::thread::yield_now`: other threads run first.
#[track_caller]
pub fn yield_now() {
    yield_at(Location::caller());
}

pub(super) fn yield_at(place: &'static Location<'static>) {
    each!(on!(loom::thread::yield_now(), shuttle::thread::yield_now(), std::thread::yield_now()), done => done);
    yielded(place, step::Thread::YieldNow);
}

/// Like `std::thread::sleep`. In a model it takes no time, and other threads run.
#[track_caller]
pub fn sleep(time: Duration) {
    sleep_at(time, Location::caller());
}

pub(super) fn sleep_at(time: Duration, place: &'static Location<'static>) {
    each!(on!(loom::thread::yield_now(), shuttle::thread::yield_now(), std::thread::sleep(time)), done => done);
    yielded(place, step::Thread::Sleep { time_ns: nanoseconds(time) });
}

/// The running thread let other threads run.
fn yielded(place: &'static Location<'static>, what: step::Thread) {
    spin::changed();
    stuck::yields(place);
    log_step(place, || Operation::Thread(what));
}

/// Returns a duration in nanoseconds, saturating.
fn nanoseconds(time: Duration) -> u64 {
    time.as_nanos().try_into().unwrap_or(u64::MAX)
}
