//! The gate that every task passes at each poll: it is counted, may be held back, and its panic is caught.

use super::{
    kernel::{self, HeldUntil, TaskId, Timer, Turn},
    time,
};
use pin_project_lite::pin_project;
use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

pin_project! {
    /// A task's future with its number.
    pub(crate) struct Gate<F> {
        #[pin]
        inner: Option<F>,
        task: TaskId,
        held: Option<Held>,
    }

    impl<F> PinnedDrop for Gate<F> {
        fn drop(this: Pin<&mut Self>) {
            // Destructors of the future are still its task's doing.
            let mut this = this.project();
            let outer = kernel::switch_task(*this.task);
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| this.inner.set(None))) {
                (kernel::hooks().panicked)(panic);
            }
            kernel::with(|k| k.end_task(*this.task));
            kernel::switch_task(outer);
        }
    }
}

/// While nothing is polled for this long, nothing else can run: a poll moves the clock by at most 100 ns.
const IDLE_NS: u64 = 10_000;

/// A task that is held back.
struct Held {
    until: HeldUntil,
    due: u64,
    /// How many polls there had been when the timer was armed.
    polls: u64,
    timer: Timer,
}

impl Held {
    fn new(until: HeldUntil) -> Held {
        let (now, polls) = kernel::with(|k| (k.now, k.polls));
        let lasts = if let HeldUntil::For(lasts) = until { lasts } else { IDLE_NS };
        Held { until, due: now + lasts.min(kernel::FAR_NS), polls, timer: Timer::default() }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.timer.poll(&time::handle(), self.due, cx).is_ready() {
            let (now, polls) = kernel::with(|k| (k.now, k.polls));
            if self.until != HeldUntil::Idle || polls == self.polls {
                return Poll::Ready(());
            }
            (self.due, self.polls) = (now + IDLE_NS, polls);
        }
        Poll::Pending
    }
}

impl<F> Gate<F> {
    pub fn new(task: TaskId, inner: F) -> Gate<F> {
        Gate { inner: Some(inner), task, held: None }
    }
}

/// Leaves the task that was polled.
fn leave_pending<T>(outer: TaskId) -> Poll<T> {
    kernel::switch_task(outer);
    Poll::Pending
}

impl<F: Future> Future for Gate<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let outer = kernel::switch_task(*this.task);
        if this.held.is_none() {
            let (turn, place) = kernel::with(|k| (k.begin_poll(*this.task), k.tasks[*this.task].spawned_at()));
            (kernel::hooks().polling)(place);
            match turn {
                Turn::Run => {}
                Turn::Never => return leave_pending(outer),
                Turn::Hold(until) => *this.held = Some(Held::new(until)),
                Turn::OutOfTime => (kernel::hooks().out_of_time)(),
                Turn::Busy => (kernel::hooks().busy)(),
            }
        }
        if let Some(held) = this.held {
            if held.poll(cx).is_pending() {
                return leave_pending(outer);
            }
            *this.held = None;
            if kernel::with(|k| (k.let_go(*this.task), k.is_dead(*this.task)).1) {
                return leave_pending(outer);
            }
        }
        let inner = this.inner.as_mut().as_pin_mut().expect("a finished task is not polled again");
        let polled = match catch_unwind(AssertUnwindSafe(|| inner.poll(cx))) {
            Ok(polled) => polled,
            Err(panic) => (kernel::hooks().panicked)(panic),
        };
        if polled.is_ready() {
            kernel::with(|k| k.end_task(*this.task));
        }
        if kernel::watched() {
            (kernel::hooks().polled)();
        }
        kernel::switch_task(outer);
        polled
    }
}
