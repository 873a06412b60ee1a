//! Strategies for operations of every kind, and for what threads wait for.

use super::places;
use crate::{
    event::step::{
        Arc, Atomic, AtomicType, Barrier, Cell, Channel, Condvar, Fetch, Memory, Mutex, Operation, Ordering, Read,
        RwLock, Step, Stored, Thread, Track, Value,
    },
    verdict::ThreadWait,
};
use proptest::{option, prelude::*, result::maybe_ok, sample::select};

/// Generates any step.
pub(super) fn steps() -> BoxedStrategy<Step> {
    (any::<usize>(), option::of(places()), operations())
        .prop_map(|(thread, place, does)| Step { thread, place, does })
        .boxed()
}

/// Generates any value.
pub(super) fn values() -> BoxedStrategy<Value> {
    one_of![
        any::<bool>().prop_map(Value::Bool),
        any::<u64>().prop_map(Value::Unsigned),
        any::<i64>().prop_map(Value::Signed),
        one_of![Just(0), any::<u32>()].prop_map(Value::Pointer),
    ]
}

/// Generates anything that a thread may wait for.
pub(super) fn waits() -> BoxedStrategy<ThreadWait> {
    one_of![
        any::<u32>().prop_map(|mutex| ThreadWait::Lock { mutex }),
        any::<u32>().prop_map(|rwlock| ThreadWait::Read { rwlock }),
        any::<u32>().prop_map(|rwlock| ThreadWait::Write { rwlock }),
        any::<(u32, bool)>().prop_map(|(condvar, timed)| ThreadWait::Notification { condvar, timed }),
        any::<usize>().prop_map(|thread| ThreadWait::Join { thread }),
        Just(ThreadWait::Unpark),
        any::<Option<u32>>().prop_map(|atomic| ThreadWait::Loop { atomic }),
    ]
}

fn operations() -> BoxedStrategy<Operation> {
    let id = any::<u32>;
    let of_locks = one_of![
        (id(), mutexes()).prop_map(|(id, what)| Operation::Mutex { id, what }),
        (id(), rwlocks()).prop_map(|(id, what)| Operation::RwLock { id, what }),
        (id(), condvars()).prop_map(|(id, what)| Operation::Condvar { id, what }),
        (id(), barriers()).prop_map(|(id, what)| Operation::Barrier { id, what }),
        (id(), channels()).prop_map(|(id, what)| Operation::Channel { id, what }),
    ];
    let arcs = one_of![
        select(&[Arc::New, Arc::Clone, Arc::Drop]),
        any::<usize>().prop_map(|count| Arc::StrongCount { count })
    ];
    let of_memory = one_of![
        (id(), select(&[Cell::New, Cell::With, Cell::WithMut])).prop_map(|(id, what)| Operation::Cell { id, what }),
        (id(), arcs).prop_map(|(id, what)| Operation::Arc { id, what }),
        (id(), select(&[Track::New, Track::Drop])).prop_map(|(id, what)| Operation::Track { id, what }),
        any::<(usize, u32)>().prop_map(|(bytes, pointer)| Operation::Memory(Memory::Alloc { bytes, pointer })),
        id().prop_map(|pointer| Operation::Memory(Memory::Dealloc { pointer })),
    ];
    one_of![
        (id(), atomics()).prop_map(|(id, what)| Operation::Atomic { id, what }),
        orderings().prop_map(|ordering| Operation::Fence { ordering }),
        of_locks,
        of_memory,
        threads().prop_map(Operation::Thread),
    ]
}

fn atomics() -> BoxedStrategy<Atomic> {
    let types = select(&[
        AtomicType::AtomicBool,
        AtomicType::AtomicU8,
        AtomicType::AtomicU16,
        AtomicType::AtomicU32,
        AtomicType::AtomicU64,
        AtomicType::AtomicUsize,
        AtomicType::AtomicI8,
        AtomicType::AtomicI16,
        AtomicType::AtomicI32,
        AtomicType::AtomicI64,
        AtomicType::AtomicIsize,
        AtomicType::AtomicPtr,
    ]);
    let fetches = select(&[
        Fetch::Swap,
        Fetch::Add,
        Fetch::Sub,
        Fetch::And,
        Fetch::Nand,
        Fetch::Or,
        Fetch::Xor,
        Fetch::Max,
        Fetch::Min,
    ]);
    let results = maybe_ok(values(), reads());
    one_of![
        (types, values()).prop_map(|(of, value)| Atomic::New { of, value }),
        (orderings(), reads()).prop_map(|(ordering, read)| Atomic::Load { ordering, read }),
        (values(), orderings()).prop_map(|(value, ordering)| Atomic::Store { value, ordering }),
        (fetches, values(), orderings(), values()).prop_map(|(by, value, ordering, was)| Atomic::Fetch {
            by,
            value,
            ordering,
            was
        }),
        (values(), values(), orderings(), orderings(), results).prop_map(|(current, new, success, failure, result)| {
            Atomic::CompareExchange { current, new, success, failure, result }
        }),
    ]
}

fn orderings() -> BoxedStrategy<Ordering> {
    select(&[Ordering::Relaxed, Ordering::Acquire, Ordering::Release, Ordering::AcqRel, Ordering::SeqCst]).boxed()
}

fn reads() -> BoxedStrategy<Read> {
    let stored =
        || (values(), any::<usize>(), any::<usize>()).prop_map(|(value, nth, thread)| Stored { value, nth, thread });
    one_of![values().prop_map(Read::Newest), (stored(), stored()).prop_map(|(was, newest)| Read::Stale { was, newest }),]
}

fn mutexes() -> BoxedStrategy<Mutex> {
    one_of![select(&[Mutex::New, Mutex::Lock, Mutex::Unlock]), any::<bool>().prop_map(|locks| Mutex::TryLock { locks })]
}

fn rwlocks() -> BoxedStrategy<RwLock> {
    one_of![
        select(&[RwLock::New, RwLock::Read, RwLock::Write, RwLock::UnlockRead, RwLock::UnlockWrite]),
        any::<bool>().prop_map(|locks| RwLock::TryRead { locks }),
        any::<bool>().prop_map(|locks| RwLock::TryWrite { locks }),
    ]
}

fn condvars() -> BoxedStrategy<Condvar> {
    one_of![
        select(&[Condvar::New, Condvar::NotifyOne, Condvar::NotifyAll]),
        any::<(u32, bool)>().prop_map(|(mutex, timed)| Condvar::WaitBegins { mutex, timed }),
        (any::<u32>(), option::of(any::<bool>())).prop_map(|(mutex, timed_out)| Condvar::WaitEnds { mutex, timed_out }),
    ]
}

fn barriers() -> BoxedStrategy<Barrier> {
    one_of![
        any::<usize>().prop_map(|threads| Barrier::New { threads }),
        any::<(usize, usize)>().prop_map(|(arrived, threads)| Barrier::Arrive { arrived, threads }),
        any::<bool>().prop_map(|leader| Barrier::Leave { leader }),
    ]
}

fn channels() -> BoxedStrategy<Channel> {
    one_of![
        Just(Channel::New),
        any::<u64>().prop_map(|message| Channel::Send { message }),
        any::<u64>().prop_map(|message| Channel::Receive { message }),
    ]
}

fn threads() -> BoxedStrategy<Thread> {
    one_of![
        select(&[Thread::Begins, Thread::Ends, Thread::Park, Thread::YieldNow, Thread::YieldInLoop]),
        any::<usize>().prop_map(|thread| Thread::Spawn { thread }),
        any::<usize>().prop_map(|thread| Thread::Join { thread }),
        any::<usize>().prop_map(|thread| Thread::Unpark { thread }),
        any::<u64>().prop_map(|time_ns| Thread::ParkTimeout { time_ns }),
        any::<u64>().prop_map(|time_ns| Thread::Sleep { time_ns }),
    ]
}
