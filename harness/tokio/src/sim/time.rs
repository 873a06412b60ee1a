//! tokio's `time` on the simulated clock, with tokio's granularity of 1 ms.

use super::kernel::{self, Created, Timer, Wait};
use madsim::time::TimeHandle;
use pin_project_lite::pin_project;
use std::{
    future::{Future, IntoFuture, poll_fn},
    marker::PhantomPinned,
    panic::Location,
    pin::Pin,
    task::{Context, Poll, ready},
};

#[doc(no_inline)]
pub use real::time::{Instant, MissedTickBehavior};
#[doc(no_inline)]
pub use std::time::Duration;

/// tokio's timers fire at whole milliseconds since the runtime's start, never early.
const TICK_NS: u64 = 1_000_000;
/// The farthest deadline, about 300 years: half the range of 64-bit nanoseconds.
const FAR_NS: u64 = u64::MAX / 2;

/// Errors of this module.
pub mod error {
    use std::fmt;

    /// The error of a timeout whose deadline has elapsed.
    #[derive(Debug, PartialEq, Eq)]
    pub struct Elapsed(pub(super) ());

    impl fmt::Display for Elapsed {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("deadline has elapsed")
        }
    }

    impl std::error::Error for Elapsed {}

    impl From<Elapsed> for std::io::Error {
        fn from(_: Elapsed) -> std::io::Error {
            std::io::ErrorKind::TimedOut.into()
        }
    }
}

pub(crate) fn handle() -> TimeHandle {
    TimeHandle::try_current().unwrap_or_else(kernel::clock::handle)
}

fn start() -> Instant {
    Instant::from_std(kernel::clock::start())
}

/// Returns a deadline in virtual nanoseconds since the start of the run, rounded up to tokio's tick.
fn tick(deadline: Instant) -> u64 {
    let since = deadline.saturating_duration_since(start()).as_nanos().min(u128::from(FAR_NS)) as u64;
    since.div_ceil(TICK_NS) * TICK_NS
}

/// Waits for a duration.
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    sleep_until(after(duration))
}

fn after(duration: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(duration).unwrap_or_else(|| now + Duration::from_secs(86400 * 365 * 30))
}

/// Changes nothing: simulated time is never real. As tokio's `test-util`.
pub fn pause() {}

/// Changes nothing: simulated time is never real. As tokio's `test-util`.
pub fn resume() {}

/// Lets a duration pass. As tokio's `test-util`; other tasks run meanwhile.
pub async fn advance(duration: Duration) {
    sleep(duration).await;
}

/// Waits until a deadline.
#[track_caller]
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep::new(deadline, Location::caller())
}

pin_project! {
    /// Future returned by [`sleep`] and [`sleep_until`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Sleep {
        deadline: Instant,
        tick: u64,
        place: &'static Location<'static>,
        done: bool,
        timer: Timer,
        // `!Unpin` as in tokio, so that code which moves a polled `Sleep` does not compile here either.
        #[pin]
        _pinned: PhantomPinned,
    }

    impl PinnedDrop for Sleep {
        fn drop(this: Pin<&mut Self>) {
            kernel::wait_is_over(Wait::Timer(this.tick, Created(this.place)));
        }
    }
}

impl Sleep {
    #[track_caller]
    fn new(deadline: Instant, place: &'static Location<'static>) -> Sleep {
        kernel::check_entered();
        Sleep { deadline, tick: tick(deadline), place, done: false, timer: Timer::default(), _pinned: PhantomPinned }
    }

    /// Returns the deadline.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Returns whether the deadline has passed.
    pub fn is_elapsed(&self) -> bool {
        self.done
    }

    /// Changes the deadline.
    pub fn reset(mut self: Pin<&mut Self>, deadline: Instant) {
        let place = self.place;
        self.set(Sleep::new(deadline, place));
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let due = *this.tick;
        if this.timer.poll(&handle(), due, cx).is_ready() {
            *this.done = true;
            return Poll::Ready(());
        }
        kernel::with(|k| k.wait(Wait::Timer(due, Created(this.place))));
        Poll::Pending
    }
}

pin_project! {
    /// Future returned by [`timeout`] and [`timeout_at`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Timeout<F> {
        #[pin]
        value: F,
        #[pin]
        delay: Sleep,
    }
}

/// Limits a future to a duration.
#[track_caller]
pub fn timeout<F: IntoFuture>(duration: Duration, future: F) -> Timeout<F::IntoFuture> {
    timeout_at(after(duration), future)
}

/// Limits a future by a deadline.
#[track_caller]
pub fn timeout_at<F: IntoFuture>(deadline: Instant, future: F) -> Timeout<F::IntoFuture> {
    Timeout { value: future.into_future(), delay: sleep_until(deadline) }
}

impl<F> Timeout<F> {
    /// Returns a reference to the inner future.
    pub fn get_ref(&self) -> &F {
        &self.value
    }

    /// Returns a mutable reference to the inner future.
    pub fn get_mut(&mut self) -> &mut F {
        &mut self.value
    }

    /// Returns the inner future.
    pub fn into_inner(self) -> F {
        self.value
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, error::Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let before = kernel::with(|k| k.waits());
        if let Poll::Ready(value) = this.value.poll(cx) {
            return Poll::Ready(Ok(value));
        }
        ready!(this.delay.poll(cx));
        kernel::with(|k| k.give_up_waits(before));
        Poll::Ready(Err(error::Elapsed(())))
    }
}

/// Creates an interval that ticks every `period`; the first tick completes immediately.
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    interval_at(Instant::now(), period)
}

/// Creates an interval that ticks every `period`, starting at `start`.
#[track_caller]
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    assert!(period > Duration::ZERO, "`period` must be non-zero.");
    Interval { delay: Box::pin(sleep_until(start)), period, missed: MissedTickBehavior::default() }
}

/// Interval returned by [`interval`] and [`interval_at`].
#[derive(Debug)]
pub struct Interval {
    delay: Pin<Box<Sleep>>,
    period: Duration,
    missed: MissedTickBehavior,
}

impl Interval {
    /// Completes at the next tick.
    pub async fn tick(&mut self) -> Instant {
        poll_fn(|cx| self.poll_tick(cx)).await
    }

    /// Polls for the next tick.
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        ready!(self.delay.as_mut().poll(cx));
        let due = self.delay.deadline();
        let now = Instant::now();
        let on_time = now <= due + Duration::from_millis(5);
        let next = match self.missed {
            _ if on_time => due + self.period,
            MissedTickBehavior::Burst => due + self.period,
            MissedTickBehavior::Delay => now + self.period,
            MissedTickBehavior::Skip => {
                let late = now.duration_since(due).as_nanos() % self.period.as_nanos();
                now + self.period - Duration::from_nanos(late as u64)
            }
        };
        self.delay.as_mut().reset(next);
        Poll::Ready(due)
    }

    /// Resets the interval: the next tick is one period from now.
    pub fn reset(&mut self) {
        self.delay.as_mut().reset(Instant::now() + self.period);
    }

    /// Resets the interval: the next tick is immediate.
    pub fn reset_immediately(&mut self) {
        self.delay.as_mut().reset(Instant::now());
    }

    /// Resets the interval: the next tick is after a duration.
    pub fn reset_after(&mut self, after: Duration) {
        self.delay.as_mut().reset(Instant::now() + after);
    }

    /// Resets the interval: the next tick is at an instant.
    pub fn reset_at(&mut self, deadline: Instant) {
        self.delay.as_mut().reset(deadline);
    }

    /// Returns what happens when a tick is missed.
    pub fn missed_tick_behavior(&self) -> MissedTickBehavior {
        self.missed
    }

    /// Sets what happens when a tick is missed.
    pub fn set_missed_tick_behavior(&mut self, behavior: MissedTickBehavior) {
        self.missed = behavior;
    }

    /// Returns the period.
    pub fn period(&self) -> Duration {
        self.period
    }
}
