//! The table's guarantees with a single thread; `tests/session_table.rs` tests them with several.

use super::table::{Closing, Handle, Refused, State, Table};
use super::waiting::{Queue, Waiting};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};

fn last(released: Result<Option<Closing>, Refused>) -> Closing {
    released.expect("held").expect("by nobody else")
}

#[test]
fn there_are_as_many_sessions_as_slots() {
    let table = Table::new(2);
    let (first, second) = (table.open().expect("free"), table.open().expect("free"));
    assert_ne!(first, second);
    assert_eq!(table.open(), None);
    let closing = last(table.release(first));
    assert_eq!(table.open(), None, "one that closes has its slot still");
    table.closed(closing);
    assert!(table.open().is_some());
}

#[test]
fn a_stale_handle_is_refused() {
    let table = Table::new(1);
    let old = table.open().expect("free");
    table.closed(last(table.release(old)));
    for _ in 0..2 {
        assert_eq!(table.acquire(old), Err(Refused::Stale));
        assert_eq!(table.revoke(old), Err(Refused::Stale));
        assert!(matches!(table.release(old), Err(Refused::Stale)));
        // The same slot, but another session.
        table.open();
    }
}

#[test]
fn a_made_up_handle_is_refused() {
    let table = Table::new(1);
    let open = table.open().expect("free");
    assert_eq!(Handle::from_number(open.number()), open, "its own number is not");
    for number in [0, 1, u64::MAX, open.number() + 1, open.number() | 1 << 60] {
        assert_eq!(table.acquire(Handle::from_number(number)), Err(Refused::Stale), "{number:x}");
    }
}

#[test]
fn a_revoked_session_closes_after_the_last_release() {
    let table = Table::new(1);
    let session = table.open().expect("free");
    table.acquire(session).expect("open");
    table.revoke(session).expect("open");
    assert_eq!(table.acquire(session), Err(Refused::Closing));
    assert_eq!(table.revoke(session), Err(Refused::Closing));
    assert!(table.release(session).expect("held").is_none());
    let closing = last(table.release(session));
    assert!(matches!(table.release(session), Err(Refused::NotHeld)));
    table.closed(closing);
    assert_eq!(table.sessions().count(), 0);
}

#[test]
fn a_sweep_takes_what_was_not_used_since_the_one_before() {
    let table = Table::new(3);
    let [idle, held, used] = [(); 3].map(|()| table.open().expect("free"));
    table.acquire(held).expect("open");
    assert_eq!(table.sweep(), [], "all were used: they were opened");
    table.acquire(used).expect("open");
    assert!(table.release(used).expect("held").is_none());
    assert_eq!(table.sweep(), [idle]);
    let states: Vec<_> = table.sessions().map(|view| (view.state, view.holds)).collect();
    assert_eq!(states, [(State::Closing, 1), (State::Open, 2), (State::Open, 1)]);
    assert_eq!(table.sweep(), [used]);
}

/// Counts its wakeups.
#[derive(Default)]
struct Count(AtomicU32);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

#[test]
fn waiters_are_woken_in_the_order_in_which_they_came() {
    let queue = Queue::new();
    let counts = [(); 3].map(|()| Arc::new(Count::default()));
    let wakers = counts.clone().map(Waker::from);
    let mut waiters = [(); 3].map(|()| Waiting::new(&queue, || true));
    let mut poll = |which: usize| waiters[which].poll(&Context::from_waker(&wakers[which]), || None::<()>);
    let woken = || counts.each_ref().map(|count| count.0.load(Relaxed));
    assert!((0..3).all(|which| poll(which) == Poll::Pending));
    queue.wake_one();
    assert_eq!(woken(), [1, 0, 0]);
    // Somebody else took the slot: whoever has waited longest is still the next one.
    assert_eq!(poll(0), Poll::Pending);
    queue.wake_one();
    assert_eq!(woken(), [2, 0, 0]);
    queue.wake_one();
    queue.wake_one();
    assert_eq!(woken(), [2, 1, 1]);
    queue.wake_one();
    assert_eq!(woken(), [2, 1, 1], "nobody is left");
}
