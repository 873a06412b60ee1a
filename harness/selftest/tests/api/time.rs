//! Sleeps, intervals, timeouts. The test's own task is never held, so what it measures is exact.

use super::{MS, SECOND};
use refrain::World;
use std::{future::pending, time::Duration};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout};

/// Returns the elapsed whole milliseconds: timers fire at whole ones, and what runs then takes some nanoseconds.
fn ms_since(start: Instant) -> u128 {
    start.elapsed().as_millis()
}

#[refrain::test(runs = 20)]
async fn sleeps_end_in_the_order_of_their_deadlines_at_whole_milliseconds(_world: World) {
    let start = Instant::now();
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    for us in [3_500, 1_500, 2_400, 2_600, 500_500, 700] {
        let sender = sender.clone();
        tokio::spawn(async move {
            sleep(Duration::from_micros(us)).await;
            sender.send((start.elapsed(), Duration::from_micros(us))).unwrap();
        });
    }
    drop(sender);
    let mut ended = vec![];
    while let Some((end, asked)) = receiver.recv().await {
        assert!(asked <= end && end < asked + MS + Duration::from_micros(10), "{asked:?} took {end:?}");
        ended.push(asked.as_micros().div_ceil(1000));
    }
    // Those of the same tick end in any order.
    assert_eq!(ended, [1, 2, 3, 3, 4, 501]);
}

#[refrain::test(runs = 20)]
async fn a_sleep_is_never_early_and_at_most_a_tick_late(_world: World, #[any(1u64..100_000_000)] ns: u64) {
    let asked = Duration::from_nanos(ns);
    let start = Instant::now();
    sleep(asked).await;
    assert!((asked..asked + MS + Duration::from_micros(1)).contains(&start.elapsed()), "{:?}", start.elapsed());
}

#[refrain::test(runs = 5)]
async fn a_deadline_that_is_past_is_over_at_once(_world: World) {
    sleep(SECOND).await;
    let start = Instant::now();
    sleep_until(start - SECOND).await;
    assert!(start.elapsed() < MS);
    assert!(timeout(Duration::ZERO, async { 1 }).await.is_ok(), "the value comes before the deadline");
    assert!(timeout(SECOND, pending::<()>()).await.is_err());
    assert!(timeout(Duration::MAX, sleep(SECOND)).await.is_ok());
}

#[refrain::test(runs = 5)]
async fn a_sleep_can_be_reset(_world: World) {
    let start = Instant::now();
    let mut timer = Box::pin(sleep(SECOND));
    assert!(timeout(MS * 10, timer.as_mut()).await.is_err());
    timer.as_mut().reset(start + SECOND * 3);
    timer.as_mut().await;
    assert!(timer.is_elapsed());
    assert!((3000..=3001).contains(&ms_since(start)));
}

/// Returns the milliseconds at which an interval of 100 ms ticks, if its second tick is awaited at 350 ms.
async fn ticks(missed: MissedTickBehavior) -> Vec<u128> {
    // Starts on a whole millisecond, so that ticks are on whole ones.
    sleep(MS).await;
    let mut interval = interval(MS * 100);
    interval.set_missed_tick_behavior(missed);
    let start = interval.tick().await;
    sleep_until(start + MS * 350).await;
    let mut ticks = vec![];
    for _ in 0..6 {
        interval.tick().await;
        ticks.push(ms_since(start) / 10 * 10);
    }
    ticks
}

#[refrain::test(runs = 5)]
async fn missed_ticks_come_in_a_burst_or_late_or_not_at_all(_world: World) {
    assert_eq!(ticks(MissedTickBehavior::Burst).await, [350, 350, 350, 400, 500, 600]);
    assert_eq!(ticks(MissedTickBehavior::Delay).await, [350, 450, 550, 650, 750, 850]);
    assert_eq!(ticks(MissedTickBehavior::Skip).await, [350, 400, 500, 600, 700, 800]);
}

#[refrain::test(runs = 5)]
async fn a_dropped_timer_wakes_nobody_and_many_are_no_trouble(_world: World) {
    let start = Instant::now();
    for _ in 0..10_000 {
        assert!(timeout(SECOND, async {}).await.is_ok());
        let _ = timeout(Duration::ZERO, sleep(SECOND * 1000)).await;
    }
    assert!(start.elapsed() < SECOND * 20);
}
