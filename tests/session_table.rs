//! The session table in every interleaving: closed once, never more than the limit, and no waiter sleeps forever.

// A service calls functions that a single model does not.
#[allow(dead_code)]
#[path = "../src/session/table.rs"]
mod table;
#[path = "../src/session/waiting.rs"]
mod waiting;

use crate::sync::{
    self,
    atomic::{AtomicU32, Ordering::Relaxed},
    thread,
};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use table::{Closing, Handle, Refused, State, Table};

/// Creates a table with one session with this many holds.
fn held(holds: usize) -> (Arc<Table>, Handle) {
    let table = Arc::new(Table::new(1));
    let session = table.open().expect("free");
    for _ in 1..holds {
        table.acquire(session).expect("open");
    }
    (table, session)
}

fn releases(table: &Arc<Table>, session: Handle, count: usize) -> Vec<thread::JoinHandle<Option<Closing>>> {
    let release = |table: Arc<Table>| thread::spawn(move || table.release(session).expect("held"));
    (0..count).map(|_| release(Arc::clone(table))).collect()
}

/// Checks that one of the threads closes the session, and that nothing is left.
fn closed_once(table: &Table, session: Handle, threads: Vec<thread::JoinHandle<Option<Closing>>>) {
    let mut told: Vec<Closing> = threads.into_iter().filter_map(|thread| thread.join().expect("ended")).collect();
    assert_eq!(told.len(), 1, "so many were told to close the session");
    table.closed(told.remove(0));
    assert_eq!(table.sessions().count(), 0);
    assert_eq!(table.acquire(session), Err(Refused::Stale));
}

fn close_if_last(table: &Table, session: Handle) {
    if let Some(closing) = table.release(session).expect("held") {
        table.closed(closing);
    }
}

#[refrain::model(complete)]
fn two_releases_close_the_session_once() {
    let (table, session) = held(2);
    let threads = releases(&table, session, 2);
    closed_once(&table, session, threads);
}

#[refrain::model(complete)]
fn three_releases_close_the_session_once() {
    let (table, session) = held(3);
    let threads = releases(&table, session, 3);
    closed_once(&table, session, threads);
}

/// The closer of a session may undo what any holder did to it.
#[refrain::model(complete)]
fn whoever_closes_sees_what_every_holder_did() {
    let (table, session) = held(2);
    let done = Arc::new([AtomicU32::new(0), AtomicU32::new(0)]);
    let threads = [0, 1].map(|holder| {
        let (table, done) = (Arc::clone(&table), Arc::clone(&done));
        thread::spawn(move || {
            done[holder].store(1, Relaxed);
            let closing = table.release(session).expect("held")?;
            assert!(done.iter().all(|one| one.load(Relaxed) == 1), "what a holder did is not seen");
            Some(closing)
        })
    });
    closed_once(&table, session, threads.into());
}

/// The administrator, the connection reset and the idle sweep all revoke.
#[refrain::model(complete)]
fn two_releases_and_a_revocation_close_the_session_once() {
    let (table, session) = held(2);
    let threads = releases(&table, session, 2);
    let _ = table.revoke(session);
    closed_once(&table, session, threads);
}

#[refrain::model(complete)]
fn two_revocations_and_a_release_close_the_session_once() {
    let (table, session) = held(1);
    let revoke = {
        let table = Arc::clone(&table);
        thread::spawn(move || table.revoke(session))
    };
    let threads = releases(&table, session, 1);
    let _ = table.revoke(session);
    let _ = revoke.join().expect("ended");
    closed_once(&table, session, threads);
}

/// A lookup of a session that is being closed gets it, or an error that it is closing or gone; never a closed one.
#[refrain::model(complete)]
fn what_was_acquired_is_not_closed() {
    let (table, session) = held(1);
    let user = {
        let table = Arc::clone(&table);
        thread::spawn(move || {
            if table.acquire(session).is_ok() {
                let held = table.sessions().any(|view| view.handle == session && view.state != State::Closed);
                assert!(held, "closed while it was used");
                close_if_last(&table, session);
            }
        })
    };
    close_if_last(&table, session);
    user.join().expect("ended");
    assert_eq!(table.sessions().count(), 0);
}

#[refrain::model(complete)]
fn a_sweep_takes_no_session_that_is_used() {
    let (table, session) = held(1);
    assert_eq!(table.sweep(), [], "it is new");
    let user = {
        let table = Arc::clone(&table);
        thread::spawn(move || table.acquire(session).map(|()| table.release(session).expect("held").is_none()))
    };
    let swept = table.sweep();
    let used = user.join().expect("ended");
    match used {
        Ok(is_open) => assert!(is_open, "the opener holds it"),
        Err(reason) => assert_eq!((reason, swept.len()), (Refused::Closing, 1)),
    }
    close_if_last(&table, session);
    assert_eq!(table.sessions().count(), 0);
}

#[refrain::model(complete)]
fn two_openers_of_one_slot_have_two_sessions() {
    let table = Arc::new(Table::new(1));
    let opener = |table: Arc<Table>| {
        thread::spawn(move || {
            let session = table.open()?;
            assert_eq!(table.sessions().count(), 1);
            close_if_last(&table, session);
            Some(session)
        })
    };
    let threads = [opener(Arc::clone(&table)), opener(Arc::clone(&table))];
    let [first, second] = threads.map(|thread| thread.join().expect("ended"));
    assert!(first.is_some() || second.is_some(), "a slot was free");
    assert_ne!(first, second);
    assert_eq!(table.sessions().count(), 0);
}

/// Wakes a thread that waits for a slot.
struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for a slot, uses a session, and closes it.
fn wait_and_close(table: &Table) {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut waiting = table.waiting();
    let session = loop {
        match waiting.poll(&Context::from_waker(&waker), || table.open()) {
            Poll::Ready(session) => break session,
            Poll::Pending => thread::park(),
        }
    };
    drop(waiting);
    close_if_last(table, session);
}

/// Joins the queue, and leaves it whether there was a slot or not.
fn give_up(table: &Table) {
    let mut waiting = table.waiting();
    if let Poll::Ready(session) = waiting.poll(&Context::from_waker(Waker::noop()), || table.open()) {
        close_if_last(table, session);
    }
}

#[refrain::model(complete)]
fn who_waits_for_a_slot_is_woken() {
    let (table, session) = held(1);
    let waiter = {
        let table = Arc::clone(&table);
        thread::spawn(move || wait_and_close(&table))
    };
    close_if_last(&table, session);
    waiter.join().expect("ended");
    assert_eq!(table.sessions().count(), 0);
}

/// A waiter that was woken and is cancelled before its poll must not consume the wakeup.
#[refrain::model(complete)]
fn who_gives_up_passes_the_wake_on() {
    let (table, session) = held(1);
    let mut first = table.waiting();
    let attempt = first.poll(&Context::from_waker(Waker::noop()), || table.open());
    assert!(attempt.is_pending(), "the slot is taken");
    let waiter = {
        let table = Arc::clone(&table);
        thread::spawn(move || wait_and_close(&table))
    };
    let closer = {
        let table = Arc::clone(&table);
        thread::spawn(move || close_if_last(&table, session))
    };
    drop(first);
    closer.join().expect("ended");
    waiter.join().expect("ended");
    assert_eq!(table.sessions().count(), 0);
}

/// The same if it also joins the queue meanwhile, and may get the session. There are too many interleavings to search
/// all of them: loom's search is complete with up to three preemptions, and unlimited preemptions are sampled.
#[refrain::model]
fn who_joins_and_gives_up_passes_the_wake_on() {
    let (table, session) = held(1);
    let quitter = {
        let table = Arc::clone(&table);
        thread::spawn(move || give_up(&table))
    };
    let waiter = {
        let table = Arc::clone(&table);
        thread::spawn(move || wait_and_close(&table))
    };
    close_if_last(&table, session);
    quitter.join().expect("ended");
    waiter.join().expect("ended");
    assert_eq!(table.sessions().count(), 0);
}
