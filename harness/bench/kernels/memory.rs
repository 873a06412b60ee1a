//! Memory orderings that are too weak.

use super::{
    Plain, join,
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering::*, fence},
        thread,
    },
    threads,
};
use std::sync::Arc;

/// A reference count without the fence that `Arc`'s drop has: the last drop is unordered with earlier accesses.
pub fn arc_drop(repaired: bool) {
    let shared = Arc::new((AtomicUsize::new(2), Plain::new(0)));
    threads(2, move |nth| {
        let (count, value) = &*shared;
        if nth == 0 {
            value.set(1);
        }
        if count.fetch_sub(1, Release) == 1 {
            if repaired {
                fence(Acquire);
            }
            value.set(2);
        }
    });
}

/// `Arc::get_mut` before Rust 1.28: the check that there is no other reference does not acquire.
pub fn arc_get_mut(repaired: bool) {
    let shared = Arc::new((AtomicUsize::new(2), Plain::new(0)));
    let drops = shared.clone();
    let dropped = thread::spawn(move || {
        drops.1.get();
        drops.0.fetch_sub(1, Release);
    });
    let (count, value) = &*shared;
    if count.load(if repaired { Acquire } else { Relaxed }) == 1 {
        value.set(1);
    }
    join([dropped]);
}

/// RUSTSEC-2022-0006, `thread_local`: an iterator sees that a value is present, but not the value.
pub fn thread_local_iter(repaired: bool) {
    let entries = Arc::new([0; 2].map(|_| (AtomicBool::new(false), Plain::new(0))));
    let inserts = entries.clone();
    let insert = thread::spawn(move || {
        for (present, value) in &*inserts {
            value.set(7);
            present.store(true, Release);
        }
    });
    let order = if repaired { Acquire } else { Relaxed };
    let present = entries.iter().filter(|(present, _)| present.load(order));
    assert!(present.map(|(_, value)| value.get()).all(|value| value == 7));
    join([insert]);
}

/// RUSTSEC-2019-0013, `spin::RwLock`: accesses may move past the release of the lock.
pub fn spin_rwlock(repaired: bool) {
    const WRITER: usize = 1;
    let shared = Arc::new((AtomicUsize::new(0), Plain::new(0)));
    threads(2, move |_| {
        let (lock, value) = &*shared;
        if lock.compare_exchange(0, WRITER, Acquire, Relaxed).is_ok() {
            value.set(value.get() + 1);
            lock.store(0, if repaired { Release } else { Relaxed });
        }
    });
}

/// A ring of one producer and one consumer, whose index is published without release ordering.
pub fn spsc_ring(repaired: bool) {
    const LEN: usize = 2;
    let shared = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0), [0; LEN].map(Plain::new)));
    let produces = shared.clone();
    let producer = thread::spawn(move || {
        let (head, tail, slots) = &*produces;
        for nth in 0..3 {
            if nth - head.load(Acquire) == LEN {
                break;
            }
            slots[nth % LEN].set(nth + 1);
            tail.store(nth + 1, if repaired { Release } else { Relaxed });
        }
    });
    let (head, tail, slots) = &*shared;
    for nth in 0..2 {
        if tail.load(Acquire) > nth {
            assert_eq!(slots[nth % LEN].get(), nth + 1);
            head.store(nth + 1, Release);
        } else {
            break;
        }
    }
    join([producer]);
}

/// A sequence lock, as in Boehm (MSPC 2012): the reader's second load may be reordered before its accesses.
pub fn seqlock(repaired: bool) {
    let shared = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0)));
    let writes = shared.clone();
    let writer = thread::spawn(move || {
        let (sequence, one, two) = &*writes;
        sequence.store(1, Relaxed);
        fence(Release);
        one.store(1, Relaxed);
        two.store(1, Relaxed);
        sequence.store(2, Release);
    });
    let (sequence, one, two) = &*shared;
    let before = sequence.load(Acquire);
    let seen = (one.load(Relaxed), two.load(Relaxed));
    if repaired {
        fence(Acquire);
    }
    if before.is_multiple_of(2) && sequence.load(Relaxed) == before {
        assert_eq!(seen.0, seen.1, "half of it");
    }
    join([writer]);
}

/// Message passing, as in Sarkar et al. (PLDI 2011): neither the flag nor the message is released.
pub fn message(repaired: bool) {
    let shared = Arc::new((AtomicUsize::new(0), AtomicBool::new(false)));
    let sends = shared.clone();
    let sender = thread::spawn(move || {
        sends.0.store(7, Relaxed);
        sends.1.store(true, if repaired { Release } else { Relaxed });
    });
    if shared.1.load(Acquire) {
        assert_eq!(shared.0.load(Relaxed), 7, "the message");
    }
    join([sender]);
}

/// Peterson's algorithm, whose flags are released and acquired: the load of the other's flag may be performed first.
pub fn peterson(repaired: bool) {
    let shared = Arc::new(([0; 2].map(AtomicUsize::new), AtomicUsize::new(0), AtomicUsize::new(0)));
    threads(2, move |nth| {
        let (flags, turn, inside) = &*shared;
        let (stores, loads) = if repaired { (SeqCst, SeqCst) } else { (Release, Acquire) };
        flags[nth].store(1, stores);
        turn.store(1 - nth, stores);
        // A thread that would have to wait gives up.
        if flags[1 - nth].load(loads) == 0 || turn.load(loads) == nth {
            assert_eq!(inside.fetch_add(1, AcqRel), 0, "both are inside");
            inside.fetch_sub(1, AcqRel);
        }
        flags[nth].store(0, stores);
    });
}

/// Dekker's algorithm without the fence that it needs: both threads enter, because neither sees the other's flag.
pub fn dekker(repaired: bool) {
    let shared = Arc::new(([0; 2].map(AtomicUsize::new), Plain::new(0)));
    threads(2, move |nth| {
        let (flags, inside) = &*shared;
        flags[nth].store(1, Release);
        if repaired {
            fence(SeqCst);
        }
        if flags[1 - nth].load(Acquire) == 0 {
            inside.set(nth);
        }
    });
}

/// Three threads, as `ISA2` in Sarkar et al. (PLDI 2011): one of the two flags through which the message passes is not released.
pub fn relay(repaired: bool) {
    let shared = Arc::new([0; 3].map(AtomicUsize::new));
    let [sends, passes_on] = [0; 2].map(|_| shared.clone());
    let sender = thread::spawn(move || {
        sends[0].store(7, Relaxed);
        sends[1].store(1, Release);
    });
    let relay = thread::spawn(move || {
        if passes_on[1].load(Acquire) == 1 {
            passes_on[2].store(1, if repaired { Release } else { Relaxed });
        }
    });
    if shared[2].load(Acquire) == 1 {
        assert_eq!(shared[0].load(Relaxed), 7, "the message");
    }
    join([sender, relay]);
}

/// C++20, 6.9.2.2: a read-modify-write of another thread continues a release sequence, its store does not.
pub fn release_sequence(repaired: bool) {
    let shared = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
    let [sends, counts] = [0; 2].map(|_| shared.clone());
    let sender = thread::spawn(move || {
        sends.0.store(7, Relaxed);
        sends.1.store(1, Release);
    });
    let counter = thread::spawn(move || {
        if counts.1.load(Relaxed) == 1 {
            if repaired {
                counts.1.fetch_add(1, Relaxed);
            } else {
                counts.1.store(2, Relaxed);
            }
        }
    });
    if shared.1.load(Acquire) == 2 {
        assert_eq!(shared.0.load(Relaxed), 7, "the message");
    }
    join([sender, counter]);
}
