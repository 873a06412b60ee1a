//! Wrong assumptions about the order of threads.

use super::{
    join,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering::*},
        thread,
    },
    threads,
};
use std::sync::Arc;

/// SCTBench, `bluetooth_driver_bad`: a request checks whether the driver is stopping before it counts itself.
pub fn bluetooth(repaired: bool) {
    struct Driver {
        pending: AtomicUsize,
        stopping: AtomicBool,
        stopped: AtomicBool,
    }

    impl Driver {
        fn ends(&self) -> bool {
            self.pending.fetch_sub(1, AcqRel) == 1
        }

        fn request(&self, repaired: bool) {
            if !repaired && self.stopping.load(Acquire) {
                return;
            }
            self.pending.fetch_add(1, AcqRel);
            if !repaired || !self.stopping.load(Acquire) {
                assert!(!self.stopped.load(Acquire), "the driver works for the request");
            }
            self.ends();
        }
    }

    let (stopping, stopped) = (AtomicBool::new(false), AtomicBool::new(false));
    let driver = Arc::new(Driver { pending: AtomicUsize::new(1), stopping, stopped });
    let stops = driver.clone();
    let stop = thread::spawn(move || {
        stops.stopping.store(true, Release);
        if stops.ends() {
            stops.stopped.store(true, Release);
        }
    });
    driver.request(repaired);
    stop.join().unwrap();
}

/// MySQL 3596, as in Lu et al. (ASPLOS 2008): another thread clears the text between the check and its use.
pub fn mysql_3596(repaired: bool) {
    let info = Arc::new(AtomicUsize::new(1));
    let clears = info.clone();
    let clear = thread::spawn(move || clears.store(0, Release));
    let checked = info.load(Acquire);
    if checked != 0 {
        let used = if repaired { checked } else { info.load(Acquire) };
        assert_ne!(used, 0, "there is a text");
    }
    join([clear]);
}

/// Apache 21287, as in Lu et al. (ASPLOS 2008): the count is lowered and then tested, so that both threads free the object.
pub fn apache_21287(repaired: bool) {
    let object = Arc::new((AtomicUsize::new(2), AtomicUsize::new(0)));
    threads(2, move |_| {
        let (count, freed) = &*object;
        let was = count.fetch_sub(1, AcqRel);
        let is_last = if repaired { was == 1 } else { count.load(Acquire) == 0 };
        if is_last {
            assert_eq!(freed.fetch_add(1, AcqRel), 0, "it is freed once");
        }
    });
}

/// SCTBench, `reorder_3_bad`.
pub fn reorder_3(repaired: bool) {
    reorder(2, repaired);
}

/// SCTBench, `reorder_4_bad`.
pub fn reorder_4(repaired: bool) {
    reorder(3, repaired);
}

/// SCTBench, `reorder_10_bad`.
pub fn reorder_10(repaired: bool) {
    reorder(9, repaired);
}

/// SCTBench, `reorder_20_bad`.
pub fn reorder_20(repaired: bool) {
    reorder(19, repaired);
}

/// Two related values are set one after the other.
fn reorder(setters: usize, repaired: bool) {
    let shared = Arc::new((Mutex::new(()), AtomicI32::new(0), AtomicI32::new(0)));
    threads(setters + 1, move |nth| {
        let (lock, one, two) = &*shared;
        let _guard = repaired.then(|| lock.lock().unwrap());
        if nth < setters {
            one.store(1, Release);
            two.store(-1, Release);
        } else {
            let seen = (one.load(Acquire), two.load(Acquire));
            assert!(matches!(seen, (0, 0) | (1, -1)), "half of it: {seen:?}");
        }
    });
}

/// SCTBench, `twostage_bad`.
pub fn twostage(repaired: bool) {
    two_stages(1, repaired);
}

/// As `twostage_100_bad` of SCTBench, with fewer threads.
pub fn twostage_20(repaired: bool) {
    two_stages(19, repaired);
}

/// Two related values have separate locks.
fn two_stages(setters: usize, repaired: bool) {
    let values = Arc::new((Mutex::new(0), Mutex::new(0)));
    threads(setters + 1, move |nth| {
        let (one, two) = &*values;
        if nth < setters {
            let mut first = one.lock().unwrap();
            *first = 1;
            let first = if repaired {
                Some(first)
            } else {
                drop(first);
                None
            };
            *two.lock().unwrap() = 2;
            drop(first);
            return;
        }
        let first = *one.lock().unwrap();
        if first != 0 {
            assert_eq!(*two.lock().unwrap(), first + 1, "the second value");
        }
    });
}

/// SCTBench, `token_ring_bad`: each thread copies its predecessor's value, in any order.
pub fn token_ring(repaired: bool) {
    let ring = Arc::new(Mutex::new([0; 4]));
    threads(5, move |nth| {
        let mut ring = ring.lock().unwrap();
        match nth {
            0 => ring[0] = (ring[2] + 1) % 4,
            1..4 => ring[nth] = ring[nth - 1],
            _ => assert!(repaired || ring.iter().all(|token| *token == ring[0]), "{ring:?}"),
        }
    });
}

/// SCTBench, `pbzip2`: the main thread destroys the queue while a consumer may still use it.
pub fn pbzip2(repaired: bool) {
    let queue = Arc::new(Mutex::new(Some(vec![1, 2])));
    let consumes = queue.clone();
    let consumer =
        thread::spawn(move || while consumes.lock().unwrap().as_mut().expect("the queue is there").pop().is_some() {});
    if repaired {
        join([consumer]);
        queue.lock().unwrap().take();
        return;
    }
    // An empty queue does not mean that the consumer is done.
    if queue.lock().unwrap().as_ref().is_some_and(Vec::is_empty) {
        queue.lock().unwrap().take();
    }
    join([consumer]);
}
