//! Formats operations of a model's threads as they would be written in the source: `mutex1.lock()`.

use super::words::raw;
use refrain_core::{
    event::step::{
        Arc, Atomic, Barrier, Cell, Channel, Condvar, Fetch, Memory, Mutex, Operation, Pointer, Read, RwLock, Stored,
        Thread, Track, Value,
    },
    verdict::ThreadWait,
};
use std::time::Duration;

/// Formats an operation: `atomic1.load(Acquire) -> 0`.
pub(super) fn operation(operation: &Operation) -> String {
    match operation {
        Operation::Atomic { id, what } => atomic(&format!("atomic{id}"), what),
        Operation::Fence { ordering } => format!("fence({ordering:?})"),
        Operation::Mutex { id, what } => mutex(&format!("mutex{id}"), what),
        Operation::RwLock { id, what } => rwlock(&format!("rwlock{id}"), what),
        Operation::Condvar { id, what } => condvar(&format!("condvar{id}"), what),
        Operation::Barrier { id, what } => barrier(&format!("barrier{id}"), what),
        Operation::Channel { id, what: Channel::New } => format!("channel{id} is created"),
        Operation::Channel { id, what: Channel::Send { message } } => format!("channel{id} takes message {message}"),
        Operation::Channel { id, what: Channel::Receive { message } } => {
            format!("channel{id} gives message {message}")
        }
        Operation::Cell { id, what: Cell::New } => format!("cell{id} = UnsafeCell::new"),
        Operation::Cell { id, what: Cell::With } => format!("cell{id}.with()"),
        Operation::Cell { id, what: Cell::WithMut } => format!("cell{id}.with_mut()"),
        Operation::Arc { id, what: Arc::New } => format!("arc{id} = Arc::new"),
        Operation::Arc { id, what: Arc::Clone } => format!("arc{id}.clone()"),
        Operation::Arc { id, what: Arc::StrongCount { count } } => format!("arc{id}.strong_count() -> {count}"),
        Operation::Arc { id, what: Arc::Drop } => format!("arc{id} dropped"),
        Operation::Track { id, what: Track::New } => format!("track{id} = Track::new"),
        Operation::Track { id, what: Track::Drop } => format!("track{id} dropped"),
        Operation::Memory(Memory::Alloc { bytes, pointer: at }) => format!("alloc({bytes}) -> {}", pointer(*at)),
        Operation::Memory(Memory::Dealloc { pointer: at }) => format!("dealloc({})", pointer(*at)),
        Operation::Thread(what) => thread(what),
        other => raw(other),
    }
}

/// Formats what a thread waits for, as the call that does not return: `mutex1.lock()`.
pub(super) fn wait(wait: &ThreadWait) -> String {
    match wait {
        ThreadWait::Lock { mutex } => format!("mutex{mutex}.lock()"),
        ThreadWait::Read { rwlock } => format!("rwlock{rwlock}.read()"),
        ThreadWait::Write { rwlock } => format!("rwlock{rwlock}.write()"),
        ThreadWait::Notification { condvar, timed: false } => format!("condvar{condvar}.wait()"),
        ThreadWait::Notification { condvar, timed: true } => format!("condvar{condvar}.wait_timeout()"),
        ThreadWait::Join { thread } => format!("join thread {thread}"),
        ThreadWait::Unpark => "park()".to_owned(),
        ThreadWait::Loop { atomic: Some(atomic) } => format!("a loop that reads atomic{atomic}, which never changes"),
        ThreadWait::Loop { atomic: None } => "a loop that nothing ends".to_owned(),
        other => raw(other),
    }
}

/// Formats a value: `7`, `true`, `pointer1`.
pub(super) fn value(value: Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Unsigned(value) => value.to_string(),
        Value::Signed(value) => value.to_string(),
        Value::Pointer(at) => pointer(at),
        other => raw(&other),
    }
}

fn pointer(at: Pointer) -> String {
    if at == 0 { "null".to_owned() } else { format!("pointer{at}") }
}

fn atomic(name: &str, what: &Atomic) -> String {
    match what {
        Atomic::New { of, value: first } => format!("{name} = {of:?}::new({})", value(*first)),
        Atomic::Load { ordering, read: was } => format!("{name}.load({ordering:?}) -> {}", read(was)),
        Atomic::Store { value: new, ordering } => format!("{name}.store({}, {ordering:?})", value(*new)),
        Atomic::Fetch { by, value: argument, ordering, was } => {
            format!("{name}.{}({}, {ordering:?}) -> {}", method(*by), value(*argument), value(*was))
        }
        Atomic::CompareExchange { current, new, success, failure, result } => {
            let (current, new) = (value(*current), value(*new));
            let result = match result {
                Ok(was) => format!("Ok({})", value(*was)),
                Err(was) => format!("Err({})", read(was)),
            };
            format!("{name}.compare_exchange({current}, {new}, {success:?}, {failure:?}) -> {result}")
        }
        other => raw(other),
    }
}

fn method(by: Fetch) -> String {
    let name = match by {
        Fetch::Swap => "swap",
        Fetch::Add => "fetch_add",
        Fetch::Sub => "fetch_sub",
        Fetch::And => "fetch_and",
        Fetch::Nand => "fetch_nand",
        Fetch::Or => "fetch_or",
        Fetch::Xor => "fetch_xor",
        Fetch::Max => "fetch_max",
        Fetch::Min => "fetch_min",
        other => return raw(&other),
    };
    name.to_owned()
}

/// Formats the result of a load: `1`, or `1 of store 2 by thread 0, while the newest is 3 of store 4 by thread 1`.
fn read(read: &Read) -> String {
    let stored = |Stored { value: stored, nth, thread }: &Stored| {
        format!("{} of store {nth} by thread {thread}", value(*stored))
    };
    match read {
        Read::Newest(newest) => value(*newest),
        Read::Stale { was, newest } => format!("{}, while the newest is {}", stored(was), stored(newest)),
    }
}

fn mutex(name: &str, what: &Mutex) -> String {
    match what {
        Mutex::New => format!("{name} = Mutex::new"),
        Mutex::Lock => format!("{name}.lock()"),
        Mutex::TryLock { locks } => format!("{name}.try_lock() -> {locks}"),
        Mutex::Unlock => format!("{name} unlocked"),
        other => raw(other),
    }
}

fn rwlock(name: &str, what: &RwLock) -> String {
    match what {
        RwLock::New => format!("{name} = RwLock::new"),
        RwLock::Read => format!("{name}.read()"),
        RwLock::Write => format!("{name}.write()"),
        RwLock::TryRead { locks } => format!("{name}.try_read() -> {locks}"),
        RwLock::TryWrite { locks } => format!("{name}.try_write() -> {locks}"),
        RwLock::UnlockRead => format!("{name} unlocked after reading"),
        RwLock::UnlockWrite => format!("{name} unlocked after writing"),
        other => raw(other),
    }
}

fn condvar(name: &str, what: &Condvar) -> String {
    match what {
        Condvar::New => format!("{name} = Condvar::new"),
        Condvar::WaitBegins { mutex, timed: false } => format!("{name}.wait() begins: mutex{mutex} unlocked"),
        Condvar::WaitBegins { mutex, timed: true } => format!("{name}.wait_timeout() begins: mutex{mutex} unlocked"),
        Condvar::WaitEnds { mutex, timed_out: None } => format!("{name}.wait() ends: mutex{mutex} locked"),
        Condvar::WaitEnds { mutex, timed_out: Some(timed_out) } => {
            format!("{name}.wait_timeout() ends: mutex{mutex} locked, timed out: {timed_out}")
        }
        Condvar::NotifyOne => format!("{name}.notify_one()"),
        Condvar::NotifyAll => format!("{name}.notify_all()"),
        other => raw(other),
    }
}

fn barrier(name: &str, what: &Barrier) -> String {
    match what {
        Barrier::New { threads } => format!("{name} = Barrier::new({threads})"),
        Barrier::Arrive { arrived, threads } => format!("{name}: {arrived} of {threads} are there"),
        Barrier::Leave { leader: true } => format!("{name} lets go, the leader"),
        Barrier::Leave { leader: false } => format!("{name} lets go"),
        other => raw(other),
    }
}

fn thread(what: &Thread) -> String {
    match what {
        Thread::Begins => "thread begins".to_owned(),
        Thread::Ends => "thread ends".to_owned(),
        Thread::Spawn { thread } => format!("spawn() -> thread {thread}"),
        Thread::Join { thread } => format!("join thread {thread}"),
        Thread::Park => "park()".to_owned(),
        Thread::ParkTimeout { time_ns } => format!("park_timeout({:?})", Duration::from_nanos(*time_ns)),
        Thread::Unpark { thread } => format!("unpark thread {thread}"),
        Thread::YieldNow => "yield_now()".to_owned(),
        Thread::Sleep { time_ns } => format!("sleep({:?})", Duration::from_nanos(*time_ns)),
        Thread::YieldInLoop => "yields: it reads the same again and again".to_owned(),
        other => raw(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use refrain_core::event::step::Ordering;

    #[track_caller]
    fn check(does: Operation, expected: &str) {
        assert_eq!(operation(&does), expected);
    }

    #[test]
    fn a_failing_exchange_tells_both_orderings_and_which_store_it_read() {
        let stored = |value, nth, thread| Stored { value: Value::Unsigned(value), nth, thread };
        let what = Atomic::CompareExchange {
            current: Value::Unsigned(0),
            new: Value::Unsigned(9),
            success: Ordering::AcqRel,
            failure: Ordering::Relaxed,
            result: Err(Read::Stale { was: stored(1, 2, 0), newest: stored(3, 4, 1) }),
        };
        check(
            Operation::Atomic { id: 7, what },
            "atomic7.compare_exchange(0, 9, AcqRel, Relaxed) -> Err(1 of store 2 by thread 0, while the newest is 3 of \
             store 4 by thread 1)",
        );
    }

    #[test]
    fn pointers_have_numbers_and_null_has_none() {
        let swap = |value, was| {
            let [value, was] = [value, was].map(Value::Pointer);
            let what = Atomic::Fetch { by: Fetch::Swap, value, ordering: Ordering::SeqCst, was };
            Operation::Atomic { id: 1, what }
        };
        check(swap(0, 2), "atomic1.swap(null, SeqCst) -> pointer2");
    }
}
