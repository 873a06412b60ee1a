//! Plain sequential primitives, which do what a step of a timeline says or tell why they cannot.

use refrain_core::event::step::{
    Atomic, Barrier, Channel, Condvar, Fetch, Mutex, Operation, Read, RwLock, Step, Thread, Value,
};
use std::collections::{BTreeMap, BTreeSet};

/// What is so far.
#[derive(Debug, Default)]
pub struct Sequential {
    /// Maximum number of spurious wakeups of a parked thread: one under loom, unlimited under shuttle.
    wakes_alone_max: usize,
    mutexes: BTreeMap<u32, usize>,
    rwlocks: BTreeMap<u32, Readers>,
    /// Who waits at which condition variable, and whether it was notified.
    waiting: BTreeMap<usize, (u32, bool)>,
    /// For each notification of one thread, who may have it.
    offered: Vec<Vec<usize>>,
    stores: BTreeMap<u32, Vec<Value>>,
    sent: BTreeMap<u32, (u64, u64)>,
    arrived: BTreeMap<u32, usize>,
    unparked: BTreeMap<usize, u64>,
    woke_alone: BTreeMap<usize, usize>,
    spawned: BTreeSet<usize>,
    ended: BTreeSet<usize>,
    /// What was needed.
    pub rules: BTreeSet<&'static str>,
}

/// Who has locked a lock of readers and writers.
#[derive(Debug, Default)]
struct Readers {
    reading: Vec<usize>,
    writing: Option<usize>,
}

type Done = Result<&'static str, String>;

impl Sequential {
    pub fn new(wakes_alone_max: usize) -> Sequential {
        Sequential { wakes_alone_max, ..Sequential::default() }
    }

    /// A thread did this.
    pub fn does(&mut self, step: &Step) -> Result<(), String> {
        let thread = step.thread;
        let rule = match &step.does {
            Operation::Mutex { id, what } => self.mutex(thread, *id, what),
            Operation::RwLock { id, what } => self.rwlock(thread, *id, what),
            Operation::Condvar { id, what } => self.condvar(thread, *id, what),
            Operation::Atomic { id, what } => self.atomic(*id, what),
            Operation::Channel { id, what } => self.channel(*id, what),
            Operation::Barrier { id, what } => self.barrier(*id, what),
            Operation::Thread(what) => self.thread(thread, what),
            other => Err(format!("no model does {other:?}")),
        }?;
        self.rules.insert(rule);
        Ok(())
    }

    fn lock(&mut self, thread: usize, mutex: u32, rule: &'static str) -> Done {
        match self.mutexes.insert(mutex, thread) {
            None => Ok(rule),
            Some(owner) => Err(format!("it is locked by thread {owner}")),
        }
    }

    fn unlock(&mut self, thread: usize, mutex: u32, rule: &'static str) -> Done {
        match self.mutexes.remove(&mutex) {
            Some(owner) if owner == thread => Ok(rule),
            other => Err(format!("it is locked by {other:?}")),
        }
    }

    fn mutex(&mut self, thread: usize, id: u32, what: &Mutex) -> Done {
        match what {
            Mutex::New => Ok("new"),
            Mutex::Lock => self.lock(thread, id, "lock"),
            Mutex::TryLock { locks: true } => self.lock(thread, id, "try_lock"),
            Mutex::TryLock { locks: false } if self.mutexes.contains_key(&id) => Ok("try_lock fails"),
            Mutex::TryLock { locks: false } => Err("it is not locked".into()),
            Mutex::Unlock => self.unlock(thread, id, "unlock"),
            other => Err(format!("no model does {other:?}")),
        }
    }

    fn rwlock(&mut self, thread: usize, id: u32, what: &RwLock) -> Done {
        let lock = self.rwlocks.entry(id).or_default();
        let (is_read, is_written) = (!lock.reading.is_empty(), lock.writing.is_some());
        match what {
            RwLock::New => return Ok("new"),
            RwLock::Read | RwLock::TryRead { locks: true } if !is_written => {
                lock.reading.push(thread);
                return Ok(if *what == RwLock::Read { "read" } else { "try_read" });
            }
            RwLock::Write | RwLock::TryWrite { locks: true } if !is_read && !is_written => {
                lock.writing = Some(thread);
                return Ok(if *what == RwLock::Write { "write" } else { "try_write" });
            }
            RwLock::TryRead { locks: false } if is_written => return Ok("try_read fails"),
            RwLock::TryWrite { locks: false } if is_read || is_written => return Ok("try_write fails"),
            RwLock::UnlockRead => {
                if let Some(at) = lock.reading.iter().position(|reader| *reader == thread) {
                    lock.reading.remove(at);
                    return Ok("unlock after reading");
                }
            }
            RwLock::UnlockWrite if lock.writing.take() == Some(thread) => return Ok("unlock after writing"),
            _ => {}
        }
        Err(format!("the lock is {lock:?}"))
    }

    fn condvar(&mut self, thread: usize, id: u32, what: &Condvar) -> Done {
        let here = self.waiting.iter_mut().filter(|(_, (condvar, _))| *condvar == id);
        match what {
            Condvar::New => return Ok("new"),
            Condvar::WaitBegins { mutex, .. } => {
                self.waiting.insert(thread, (id, false));
                return self.unlock(thread, *mutex, "wait");
            }
            Condvar::WaitEnds { mutex, timed_out } => {
                let (_, notified) = self.waiting.remove(&thread).ok_or("it did not wait")?;
                let offer = self.offered.iter().position(|offer| offer.contains(&thread));
                let offer = offer.map(|at| self.offered.remove(at));
                self.offered.iter_mut().for_each(|offer| offer.retain(|other| *other != thread));
                let timed_out = *timed_out == Some(true);
                if !timed_out && !notified && offer.is_none() {
                    return Err(format!("nobody notified thread {thread}"));
                }
                return self.lock(thread, *mutex, if timed_out { "timed out" } else { "woken" });
            }
            Condvar::NotifyOne => self.offered.push(here.map(|(thread, _)| *thread).collect()),
            Condvar::NotifyAll => here.for_each(|(_, (_, notified))| *notified = true),
            other => return Err(format!("no model does {other:?}")),
        }
        Ok("notify")
    }

    fn atomic(&mut self, id: u32, what: &Atomic) -> Done {
        if let Atomic::New { value, .. } = what {
            self.stores.insert(id, vec![*value]);
            return Ok("new");
        }
        let stores = self.stores.get_mut(&id).ok_or("it is not created")?;
        let newest = *stores.last().expect("its creation");
        let is = |read: Value, value: Value| match read == value {
            true => Ok(()),
            false => Err(format!("it is {value:?}, not {read:?}")),
        };
        match what {
            Atomic::New { .. } => Ok("new"),
            Atomic::Load { read: was, .. } => read(stores, was, "load"),
            Atomic::Store { value, .. } => {
                stores.push(*value);
                Ok("store")
            }
            Atomic::Fetch { by, value, was, .. } => {
                is(*was, newest)?;
                stores.push(match (by, newest, value) {
                    (Fetch::Swap, _, value) => *value,
                    (Fetch::Add, Value::Unsigned(one), Value::Unsigned(other)) => Value::Unsigned(one + other),
                    _ => return Err(format!("no model does {by:?}")),
                });
                Ok("exchange")
            }
            Atomic::CompareExchange { current, new, result: Ok(was), .. } => {
                is(*was, newest)?;
                is(*current, newest)?;
                stores.push(*new);
                Ok("exchange")
            }
            Atomic::CompareExchange { current, result: Err(was), .. } => {
                let value = match was {
                    Read::Newest(value) => value,
                    Read::Stale { was, .. } => &was.value,
                };
                if value == current {
                    return Err("it need not fail".into());
                }
                read(stores, was, "exchange fails")
            }
            other => Err(format!("no model does {other:?}")),
        }
    }

    fn channel(&mut self, id: u32, what: &Channel) -> Done {
        let (sent, received) = self.sent.entry(id).or_default();
        match what {
            Channel::New => Ok("new"),
            Channel::Send { message } if *message == *sent + 1 => {
                *sent = *message;
                Ok("send")
            }
            Channel::Receive { message } if *message == *received + 1 && message <= sent => {
                *received = *message;
                Ok("receive")
            }
            _ => Err(format!("{sent} sent and {received} received")),
        }
    }

    fn barrier(&mut self, id: u32, what: &Barrier) -> Done {
        let are = self.arrived.entry(id).or_default();
        match what {
            Barrier::New { .. } => return Ok("new"),
            Barrier::Arrive { arrived, threads: 2 } => {
                *are += 1;
                if are == arrived {
                    return Ok("barrier");
                }
            }
            Barrier::Leave { .. } if *are == 2 => return Ok("barrier"),
            _ => {}
        }
        Err(format!("{are} are there"))
    }

    fn thread(&mut self, thread: usize, what: &Thread) -> Done {
        match what {
            Thread::Park => {
                let unparked = self.unparked.entry(thread).or_default();
                if *unparked > 0 {
                    *unparked -= 1;
                    return Ok("park");
                }
                let alone = self.woke_alone.entry(thread).or_default();
                *alone += 1;
                if *alone > self.wakes_alone_max { Err("nobody unparked it".into()) } else { Ok("park alone") }
            }
            Thread::Begins if self.spawned.contains(&thread) => Ok("begin"),
            Thread::Ends => {
                self.ended.insert(thread);
                Ok("end")
            }
            Thread::Spawn { thread } if self.spawned.insert(*thread) => Ok("spawn"),
            Thread::Unpark { thread } => {
                *self.unparked.entry(*thread).or_default() += 1;
                Ok("unpark")
            }
            Thread::Join { thread } if self.ended.contains(thread) => Ok("join"),
            Thread::YieldInLoop => Ok("yield"),
            other => Err(format!("it cannot do {other:?}")),
        }
    }
}

fn read(stores: &[Value], read: &Read, rule: &'static str) -> Done {
    let newest = *stores.last().expect("its creation");
    let is_right = match read {
        Read::Newest(value) => *value == newest,
        Read::Stale { was, newest: last } => {
            was.nth < stores.len()
                && stores[was.nth - 1] == was.value
                && (last.nth, last.value) == (stores.len(), newest)
        }
    };
    match read {
        _ if !is_right => Err(format!("it read {read:?} of {stores:?}")),
        Read::Newest(_) => Ok(rule),
        Read::Stale { .. } => Ok("old value"),
    }
}
