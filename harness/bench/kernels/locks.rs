//! Locks that are held too briefly, or are the wrong ones.

use super::{
    sync::{
        Condvar, Mutex,
        atomic::{AtomicUsize, Ordering::*},
        thread,
    },
    threads,
};
use std::sync::Arc;

/// SCTBench, `account_bad`: the expected balance after a deposit and a withdrawal is wrong.
pub fn account(repaired: bool) {
    #[derive(Default)]
    struct Account {
        balance: i32,
        deposited: bool,
        withdrawn: bool,
    }
    const BEFORE: i32 = 1;
    const DEPOSIT: i32 = 2;
    const WITHDRAWAL: i32 = 4;
    let account = Arc::new(Mutex::new(Account { balance: BEFORE, ..Account::default() }));
    let [checks, deposits, withdraws] = [0; 3].map(|_| account.clone());
    let check = thread::spawn(move || {
        let account = checks.lock().unwrap();
        if account.deposited && account.withdrawn {
            let deposit = if repaired { DEPOSIT } else { -DEPOSIT };
            assert_eq!(account.balance, BEFORE + deposit - WITHDRAWAL, "the balance");
        }
    });
    let deposit = thread::spawn(move || {
        let mut account = deposits.lock().unwrap();
        account.balance += DEPOSIT;
        account.deposited = true;
    });
    let withdrawal = thread::spawn(move || {
        let mut account = withdraws.lock().unwrap();
        account.balance -= WITHDRAWAL;
        account.withdrawn = true;
    });
    super::join([check, deposit, withdrawal]);
}

/// SCTBench, `lazy01_bad`: a thread expects that at most one of the two others came before it.
pub fn lazy01(repaired: bool) {
    let data = Arc::new(Mutex::new(0));
    threads(3, move |nth| match nth {
        0 => *data.lock().unwrap() += 1,
        1 => *data.lock().unwrap() += 2,
        _ => {
            let most = if repaired { 3 } else { 2 };
            assert!(*data.lock().unwrap() <= most, "both were first");
        }
    });
}

/// SCTBench, `wronglock_3_bad`.
pub fn wronglock_3(repaired: bool) {
    wrong_lock(3, repaired);
}

/// SCTBench, `wronglock_bad`.
pub fn wronglock(repaired: bool) {
    wrong_lock(7, repaired);
}

/// Some threads change the data while they hold a different lock.
fn wrong_lock(others: usize, repaired: bool) {
    let shared = Arc::new((Mutex::new(()), Mutex::new(()), AtomicUsize::new(0)));
    threads(1 + others, move |nth| {
        let (own, wrong, data) = &*shared;
        if nth == 0 {
            let _guard = own.lock().unwrap();
            let before = data.load(Acquire);
            data.store(before + 1, Release);
            assert_eq!(data.load(Acquire), before + 1, "somebody else changed it");
        } else {
            let _guard = if repaired { own } else { wrong }.lock().unwrap();
            data.store(data.load(Acquire) + 1, Release);
        }
    });
}

/// SCTBench, `sync02_bad`, and many others: a woken thread does not check the condition again.
pub fn sync02(repaired: bool) {
    let shared = Arc::new((Mutex::new(0_u32), Condvar::new()));
    let consumer = |shared: Arc<(Mutex<u32>, Condvar)>| {
        thread::spawn(move || {
            let (items, added) = &*shared;
            let mut left = items.lock().unwrap();
            if *left == 0 {
                left = added.wait(left).unwrap();
            }
            while repaired && *left == 0 {
                left = added.wait(left).unwrap();
            }
            *left = left.checked_sub(1).expect("there is an item");
        })
    };
    let consumers = [consumer(shared.clone()), consumer(shared.clone())];
    for _ in 0..2 {
        *shared.0.lock().unwrap() += 1;
        shared.1.notify_all();
    }
    super::join(consumers);
}

/// SCTBench, `stringbuffer-jdk1.4`: the length of the other buffer is read and then used in two separate critical sections.
pub fn stringbuffer(repaired: bool) {
    let shared = Arc::new((Mutex::new(String::from("abc")), Mutex::new(String::from("xyz"))));
    let erases = shared.clone();
    let erase = thread::spawn(move || erases.1.lock().unwrap().clear());
    let mut own = shared.0.lock().unwrap();
    if repaired {
        let other = shared.1.lock().unwrap();
        own.push_str(&other);
    } else {
        let len = shared.1.lock().unwrap().len();
        let copied = shared.1.lock().unwrap();
        own.push_str(copied.get(..len).expect("it is as long as before"));
    }
    drop(own);
    erase.join().unwrap();
}

/// ConVul, CVE-2009-3547: a pipe is opened while its last user releases it.
pub fn cve_2009_3547(repaired: bool) {
    struct Pipe {
        users: u32,
    }
    let inode = Arc::new(Mutex::new(Some(Pipe { users: 1 })));
    let releases = inode.clone();
    let release = thread::spawn(move || {
        let mut pipe = releases.lock().unwrap();
        if let Some(users) = pipe.as_mut().map(|pipe| &mut pipe.users) {
            *users -= 1;
            if *users == 0 {
                *pipe = None;
            }
        }
    });
    let is_open = inode.lock().unwrap().is_some();
    if is_open {
        match inode.lock().unwrap().as_mut() {
            Some(pipe) => pipe.users += 1,
            None => assert!(repaired, "there is no pipe"),
        }
    }
    release.join().unwrap();
}

/// ConVul, CVE-2017-15265: a port is listed before it is named, and another thread deletes it in between.
pub fn cve_2017_15265(repaired: bool) {
    let ports: Arc<Mutex<Vec<Option<&str>>>> = Arc::default();
    let deletes = ports.clone();
    let delete = thread::spawn(move || {
        let first = deletes.lock().unwrap().first().copied();
        if first.is_some() {
            deletes.lock().unwrap().clear();
        }
    });
    if repaired {
        ports.lock().unwrap().push(Some("port"));
    } else {
        ports.lock().unwrap().push(None);
        *ports.lock().unwrap().first_mut().expect("the port is there") = Some("port");
    }
    delete.join().unwrap();
}

/// A thread that does not get the lock at once skips its update, as a `trylock` without a fallback does.
pub fn skipped_update(repaired: bool) {
    let count = Arc::new(Mutex::new(0));
    let own = count.clone();
    threads(2, move |_| match count.try_lock() {
        Ok(mut count) => *count += 1,
        Err(_) if repaired => *count.lock().unwrap() += 1,
        Err(_) => {}
    });
    assert_eq!(*own.lock().unwrap(), 2, "both updates");
}
