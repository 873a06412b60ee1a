//! The gate that every poll of a task passes: it counts polls, may hold the task, and catches its panics.
//!
//! The future of a task and its output are boxed, so that what runs tasks is compiled once, and not again for each future of a service.

use super::{
    kernel::{self, TaskId, Timer, Turn},
    stack::{self, Blocked, OneThread, Ran},
    time,
};
use refrain_core::plan::HoldUntil;
use std::{
    any::Any,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
    thread,
};

/// The future of any task, and the result of its last poll. One pointer goes to the stack of a poll and comes back.
struct Inner {
    future: Pin<Box<dyn Future<Output = Output>>>,
    polled: thread::Result<Poll<Output>>,
}

/// What a task returns.
#[derive(Debug)]
pub(crate) struct Output(OneThread<Box<dyn Any>>);

impl Output {
    /// Returns the value.
    ///
    /// # Panics
    /// Panics if the task returns another type.
    pub fn take<T: 'static>(self) -> T {
        *self.0.0.downcast().expect("a task returns what its handle says")
    }
}

/// A task's future with the task's id. A panic is its output, if whoever awaits the task may see it.
pub(crate) struct Gate {
    /// Boxed, so that an abandoned future is leaked in place, as pinning requires.
    inner: Option<OneThread<Box<Inner>>>,
    /// A poll that blocks: the future is in it.
    blocked: Option<Blocked<Box<Inner>>>,
    task: TaskId,
    held: Option<Held>,
    /// Whether the task's `JoinHandle` can be awaited and reports its panic.
    joinable: bool,
}

impl Drop for Gate {
    fn drop(&mut self) {
        let Some(OneThread(inner)) = self.inner.take() else { return self.end() };
        // A process that was killed or lost power runs no destructors.
        if kernel::with(|k| k.tasks[self.task].killed) {
            std::mem::forget(inner);
            return self.end();
        }
        // The future's destructors still run as this task.
        let outer = kernel::switch_task(self.task);
        if let Ran::Done(Err(panic)) = stack::run(None, |_| catch_unwind(AssertUnwindSafe(|| drop(inner)))) {
            (kernel::hooks().panicked)(panic, self.joinable);
        }
        self.end();
        kernel::switch_task(outer);
    }
}

/// When no task is polled for this long, no other task can run: each poll advances the clock by at most 100 ns.
const IDLE_NS: u64 = 10_000;

/// A hold in progress.
struct Held {
    until: HoldUntil,
    due: u64,
    /// The total number of polls when the timer was armed.
    polls: u64,
    timer: Timer,
}

impl Held {
    fn new(until: HoldUntil) -> Held {
        let (now, polls) = kernel::with(|k| (k.now, k.polls));
        let lasts = if let HoldUntil::For(lasts) = until { kernel::ns(lasts) } else { IDLE_NS };
        Held { until, due: now + lasts.min(kernel::FAR_NS), polls, timer: Timer::default() }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.timer.poll(&time::handle(), self.due, cx).is_ready() {
            let (now, polls) = kernel::with(|k| (k.now, k.polls));
            // The enclosing tasks, for example of a `LocalSet`, were polled to get here.
            let own = self.polls + stack::depth() as u64;
            if self.until != HoldUntil::Idle || polls <= own {
                return Poll::Ready(());
            }
            (self.due, self.polls) = (now + IDLE_NS, polls);
        }
        Poll::Pending
    }
}

impl Gate {
    /// Wraps a task that others can await: its `JoinHandle` reports a panic, if the test allows it.
    pub fn joinable<F: Future<Output: 'static> + 'static>(task: TaskId, inner: F) -> Gate {
        Gate::new(task, inner, true)
    }

    /// Wraps the main task of a process or of the test: its panic ends the run.
    pub fn main<F: Future<Output: 'static> + 'static>(task: TaskId, inner: F) -> Gate {
        Gate::new(task, inner, false)
    }

    fn new<F: Future<Output: 'static> + 'static>(task: TaskId, inner: F, joinable: bool) -> Gate {
        let future = Box::pin(async move { Output(OneThread(Box::new(inner.await))) });
        let inner = Box::new(Inner { future, polled: Ok(Poll::Pending) });
        Gate { inner: Some(OneThread(inner)), blocked: None, task, held: None, joinable }
    }

    fn end(&self) {
        kernel::with(|k| k.end_task(self.task));
    }

    /// Returns whether the task may be polled now.
    fn may_run(&mut self, cx: &mut Context<'_>) -> bool {
        if self.held.is_none() {
            let (turn, place) = kernel::with(|k| (k.begin_poll(self.task), k.tasks[self.task].spawned_at()));
            (kernel::hooks().polling)(place);
            match turn {
                Turn::Run => return true,
                Turn::Never => return false,
                Turn::Hold(until) => self.held = Some(Held::new(until)),
                Turn::OutOfTime => (kernel::hooks().out_of_time)(),
                Turn::Busy => (kernel::hooks().busy)(),
            }
        }
        if self.held.as_mut().is_some_and(|held| held.poll(cx).is_pending()) {
            return false;
        }
        self.held = None;
        kernel::with(|k| {
            k.release(self.task);
            !k.is_dead(self.task)
        })
    }

    /// Polls the future on its own stack. If its host dies during the poll, it is not polled again.
    fn poll_inner(&mut self, cx: &Context<'_>) -> Poll<thread::Result<Output>> {
        let ran = match self.blocked.take() {
            Some(blocked) => blocked.resume(),
            None => {
                let OneThread(mut inner) = self.inner.take().expect("a finished task is not polled again");
                stack::run(Some(cx.waker().clone()), move |waker| {
                    let mut cx = Context::from_waker(waker);
                    inner.polled = catch_unwind(AssertUnwindSafe(|| inner.future.as_mut().poll(&mut cx)));
                    inner
                })
            }
        };
        let mut inner = match ran {
            Ran::Done(done) => done,
            Ran::Gone => return Poll::Pending,
            Ran::Blocks(blocked) => {
                self.blocked = Some(blocked);
                return Poll::Pending;
            }
        };
        let polled = std::mem::replace(&mut inner.polled, Ok(Poll::Pending));
        self.inner = Some(OneThread(inner));
        match polled {
            Ok(polled) => polled.map(Ok),
            Err(_) if kernel::with(|k| k.is_dead(self.task)) => Poll::Pending,
            Err(panic) => Poll::Ready(Err((kernel::hooks().panicked)(panic, self.joinable))),
        }
    }
}

impl Future for Gate {
    type Output = thread::Result<Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let outer = kernel::switch_task(this.task);
        if !this.may_run(cx) {
            kernel::switch_task(outer);
            return Poll::Pending;
        }
        let polled = this.poll_inner(cx);
        if polled.is_ready() {
            this.end();
        }
        if kernel::watched() {
            (kernel::hooks().polled)();
        }
        kernel::switch_task(outer);
        polled
    }
}
