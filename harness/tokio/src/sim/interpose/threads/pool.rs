//! The threads on which closures of `spawn_blocking` run, as in production: with thread-locals of their own, so that several may be parked
//! at a time. A process keeps those that are idle.

use super::{
    are_simulated,
    thread::{Said, Thread, own},
};
use crate::sim::{
    kernel::{self, HostId},
    stack::OneThread,
};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    thread,
};

/// As large as tokio's.
const STACK_BYTES: usize = 2 << 20;
/// The name that tokio gives them.
const NAME: &str = "tokio-rt-worker";

thread_local! {
    /// Whether the thread that starts next is one of these, and the one that was started.
    static STARTS: Cell<bool> = const { Cell::new(false) };
    static STARTED: Cell<Option<&'static Thread>> = const { Cell::new(None) };
    /// The idle threads of each process.
    static IDLE: RefCell<BTreeMap<(HostId, u32), Vec<&'static Thread>>> = const { RefCell::new(BTreeMap::new()) };
}

/// Whether the thread that starts now is one of these.
pub(super) fn starts() -> bool {
    STARTS.take()
}

/// Notes the thread that was started.
pub(super) fn started(thread: &'static Thread) {
    STARTED.set(Some(thread));
}

/// The result of a closure, once it has run.
type Result<R> = Rc<RefCell<Option<thread::Result<R>>>>;

/// A closure on its way to a thread, or on it.
struct Works<R> {
    job: Option<Box<dyn FnOnce()>>,
    thread: Option<&'static Thread>,
    result: Result<R>,
}

/// Runs a closure on a thread of the current process. `Err`: the closure, where threads are not simulated.
pub(crate) fn on_a_thread<R: 'static>(
    f: impl FnOnce() -> R + 'static,
) -> std::result::Result<impl Future<Output = R> + Send, impl FnOnce() -> R> {
    if !are_simulated() {
        return Err(f);
    }
    let result = Result::default();
    let there = result.clone();
    let job: Box<dyn FnOnce()> = Box::new(move || {
        let ran = catch_unwind(AssertUnwindSafe(f));
        *there.borrow_mut() = Some(ran);
    });
    Ok(OneThread(Works { job: Some(job), thread: None, result }))
}

impl<R> Future for OneThread<Works<R>> {
    type Output = R;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let OneThread(works) = self.get_mut();
        let thread = *works.thread.get_or_insert_with(take);
        if let Some(job) = works.job.take() {
            thread.task.set(kernel::current_task());
            thread.waker.replace(Some(cx.waker().clone()));
            thread.job.set(Some(job));
        }
        if thread.run().is_pending() {
            return Poll::Pending;
        }
        IDLE.with_borrow_mut(|idle| idle.entry(process()).or_default().push(thread));
        let ran = works.result.borrow_mut().take().expect("the closure has run");
        Poll::Ready(ran.unwrap_or_else(|panic| resume_unwind(panic)))
    }
}

impl<R> Unpin for Works<R> {}

/// The process of the current task.
fn process() -> (HostId, u32) {
    kernel::with(|k| {
        let task = &k.tasks[kernel::current_task()];
        (task.host, task.incarnation)
    })
}

/// An idle thread of the current process, or a new one.
fn take() -> &'static Thread {
    let idle = IDLE.with_borrow_mut(|idle| idle.get_mut(&process()).and_then(Vec::pop));
    idle.unwrap_or_else(|| {
        STARTS.set(true);
        let made = thread::Builder::new().name(NAME.to_owned()).stack_size(STACK_BYTES).spawn(|| work());
        made.unwrap_or_else(|error| panic!("OS can't spawn worker thread: {error}"));
        STARTED.take().expect("a thread was started")
    })
}

/// Runs one closure after the other.
fn work() -> ! {
    let thread = own().expect("it is a thread of a process");
    loop {
        if let Some(job) = thread.job.take() {
            job();
        }
        thread.say(Said::Idle);
    }
}
