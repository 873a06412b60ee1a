//! Strategies for events, failures and causes of every kind, including hostile ones, for tests.
//!
//! Each strategy is boxed: as a single type, all of them together would overflow a test's stack.

use crate::{
    event::{Connection, Endpoint, Event, Holder, Operation, Primitive, SharedWait, UnixSocket},
    place::{Place, Task},
    plan::{Fault, Hold, Part, arbitrary},
    verdict::{
        Access, Actor, Allocation, Backtrace, Cause, Class, ConnectionState, Detail, EventPattern, Failure, Frame,
        OpenSocket, Outside, Property, Recorded, Signature, StaleRead, Store, ThreadWaiting, UnixWait, Wait, Waiting,
    },
};
use proptest::{collection, option, prelude::*, sample::select};

mod events;
mod origins;
mod steps;

pub use origins::answers;

/// Generates any event.
pub fn events() -> BoxedStrategy<Event> {
    (any::<u64>(), texts(), option::of(tasks()), events::kinds())
        .prop_map(|(at, host, task, kind)| Event { at, host, task, kind })
        .boxed()
}

/// Generates any failure.
pub fn failures() -> BoxedStrategy<Failure> {
    (select(Class::ALL), properties(), option::of(places()), details(), collection::vec(causes(), 0..5))
        .prop_map(|(class, property, place, detail, causes)| Failure { class, property, place, detail, causes })
        .boxed()
}

/// Generates any cause.
pub fn causes() -> BoxedStrategy<Cause> {
    let time = any::<u64>;
    one_of![
        waiting().prop_map(Cause::Waits),
        actors().prop_map(Cause::Runs),
        (any::<usize>(), steps::waits(), option::of(places()))
            .prop_map(|(thread, waits, place)| Cause::ThreadWaits(ThreadWaiting { thread, waits, place })),
        (faults(), time(), option::of(time())).prop_map(|(fault, began, ended)| Cause::LastFault {
            fault,
            began,
            ended
        }),
        Just(Cause::Unknown),
        any::<u64>().prop_map(Cause::MoreWait),
        (faults(), time(), option::of(time())).prop_map(|(fault, began, ended)| Cause::Fault { fault, began, ended }),
        holds().prop_map(Cause::Held),
        (texts(), texts(), time(), places(), option::of(tasks()))
            .prop_map(|(host, id, since, place, task)| Cause::Open { host, id, since, place, task }),
        (texts(), connections()).prop_map(|(host, conn)| Cause::OpenSocket { host, socket: OpenSocket::Tcp(conn) }),
        (texts(), endpoints()).prop_map(|(host, local)| Cause::OpenSocket { host, socket: OpenSocket::Udp(local) }),
        (texts(), unix_sockets())
            .prop_map(|(host, socket)| Cause::OpenSocket { host, socket: OpenSocket::Unix(socket) }),
        collection::vec(time(), 0..5).prop_map(Cause::Rose),
        (time(), time()).prop_map(|(opened, closed)| Cause::Totals { opened, closed }),
        (texts(), any::<u64>()).prop_map(|(kind, open)| Cause::Level { kind, open }),
        parts().prop_map(Cause::NotTriggered),
        (any::<usize>(), option::of(places()), stores(), stores()).prop_map(|(thread, place, was, newest)| {
            Cause::StaleRead(Box::new(StaleRead { thread, place, was, newest }))
        }),
        places().prop_map(Cause::LastPolled),
        places().prop_map(Cause::LastOperation),
        texts().prop_map(Cause::Printed),
        (any::<u8>(), events()).prop_map(|(run, event)| Cause::RunShows { run, event: Box::new(event) }),
        (any::<u8>(), option::of(signatures())).prop_map(|(run, failure)| Cause::RunEnds { run, failure }),
    ]
}

fn texts() -> BoxedStrategy<String> {
    arbitrary::texts().boxed()
}

fn faults() -> BoxedStrategy<Fault> {
    arbitrary::faults().boxed()
}

fn holds() -> BoxedStrategy<Hold> {
    arbitrary::holds().boxed()
}

/// Generates any place.
pub fn places() -> BoxedStrategy<Place> {
    (texts(), any::<u32>()).prop_map(|(file, line)| Place { file, line }).boxed()
}

fn tasks() -> BoxedStrategy<Task> {
    (places(), one_of![Just(1), any::<u32>()]).prop_map(|(place, nth)| Task { place, nth }).boxed()
}

fn parts() -> BoxedStrategy<Part> {
    one_of![faults().prop_map(Part::Fault), holds().prop_map(Part::Hold), Just(Part::Choices)]
}

fn endpoints() -> BoxedStrategy<Endpoint> {
    (texts(), any::<u16>()).prop_map(|(host, port)| Endpoint { host, port }).boxed()
}

fn connections() -> BoxedStrategy<Connection> {
    (endpoints(), endpoints()).prop_map(|(local, peer)| Connection { local, peer }).boxed()
}

fn unix_sockets() -> BoxedStrategy<UnixSocket> {
    (texts(), any::<u64>(), option::of(any::<u64>()))
        .prop_map(|(name, number, peer)| UnixSocket { name, number, peer })
        .boxed()
}

fn signatures() -> BoxedStrategy<Signature> {
    (select(Class::ALL), properties(), option::of(places()))
        .prop_map(|(class, property, place)| Signature { class, property, place })
        .boxed()
}

fn properties() -> BoxedStrategy<Property> {
    one_of![
        texts().prop_map(Property::Eventually),
        texts().prop_map(Property::Always),
        texts().prop_map(Property::Invariant),
        texts().prop_map(Property::Linearizable),
        texts().prop_map(Property::AgreesWithModel),
        (texts(), texts()).prop_map(|(target, message)| Property::Never(Box::new(EventPattern { target, message }))),
        texts().prop_map(Property::Conserved),
        texts().prop_map(Property::ClosedOnce),
        texts().prop_map(Property::KeepsRunning),
        select(&[
            Property::NoPanic,
            Property::TestAssertions,
            Property::NoCrash,
            Property::StackBounded,
            Property::MemoryBounded,
            Property::NoExit,
            Property::TimeAdvances,
            Property::ExecutionEnds,
            Property::Progress,
            Property::TimeLimit,
            Property::AccessesOrdered,
            Property::Freed,
            Property::FreedOnce,
            Property::NotUsedAfterFree,
            Property::StaysInside,
            Property::Deterministic,
        ]),
    ]
}

fn actors() -> BoxedStrategy<Actor> {
    one_of![
        Just(Actor::Test),
        (texts(), tasks()).prop_map(|(host, task)| Actor::Task { host, task }),
        any::<usize>().prop_map(Actor::Thread),
    ]
}

fn recorded() -> BoxedStrategy<Recorded> {
    let times = (any::<u64>(), option::of(any::<u64>()));
    (any::<u64>(), texts(), texts(), option::of(texts()), times)
        .prop_map(|(number, client, call, answer, (called, answered))| Recorded {
            number,
            client,
            call,
            answer,
            called,
            answered,
        })
        .boxed()
}

fn accesses() -> BoxedStrategy<Access> {
    (any::<usize>(), option::of(places()), any::<bool>())
        .prop_map(|(thread, place, writes)| Access { thread, place, writes })
        .boxed()
}

fn stores() -> BoxedStrategy<Store> {
    (steps::values(), any::<usize>(), option::of(places()))
        .prop_map(|(value, thread, place)| Store { value, thread, place })
        .boxed()
}

fn frames() -> BoxedStrategy<Frame> {
    (texts(), option::of(places())).prop_map(|(function, place)| Frame { function, place }).boxed()
}

fn backtraces() -> BoxedStrategy<Box<Backtrace>> {
    collection::vec(frames(), 0..3).prop_map(|frames| Box::new(Backtrace { frames })).boxed()
}

fn details() -> BoxedStrategy<Detail> {
    let number = any::<u64>;
    let allocations = select(&[Allocation::Arc, Allocation::Track, Allocation::Memory, Allocation::Unknown]);
    let of_processes = one_of![
        (actors(), texts(), backtraces()).prop_map(|(by, message, backtrace)| Detail::Panicked {
            by,
            message,
            backtrace
        }),
        texts().prop_map(|signal| Detail::Killed { signal }),
        Just(Detail::StackOverflowed),
        number().prop_map(|limit_bytes| Detail::OutOfMemory { limit_bytes }),
        any::<i32>().prop_map(|code| Detail::Exited { code }),
        (actors(), texts(), texts(), select(Outside::ALL), backtraces()).prop_map(
            |(by, call, to, outside, backtrace)| Detail::Escaped {
                by: Box::new(by),
                call: call.into(),
                to: to.into(),
                outside,
                backtrace
            }
        ),
        (texts(), option::of(texts())).prop_map(|(host, error)| Detail::ProcessExited { host, error }),
        (number(), any::<bool>()).prop_map(|(limit_ms, busy)| Detail::Hung { limit_ms, busy }),
    ];
    let of_runs = one_of![
        actors().prop_map(|last| Detail::Livelocked { last }),
        (number(), any::<bool>(), any::<u32>(), option::of(texts()), any::<bool>()).prop_map(
            |(within, healed, attempts, last, pending)| Detail::NotReached { within, healed, attempts, last, pending }
        ),
        number().prop_map(|at| Detail::TimedOut { at }),
        Just(Detail::Deadlocked),
        actors().prop_map(|by| Detail::Broken { by }),
        (actors(), texts(), texts()).prop_map(|(by, target, message)| Detail::Logged {
            by: Box::new(by),
            target,
            message
        }),
        (option::of(texts()), collection::vec(texts(), 0..3), collection::vec(recorded(), 0..3)).prop_map(
            |(key, begins, operations)| Detail::NotLinearizable {
                key: key.map(Into::into),
                begins: begins.into(),
                operations: operations.into()
            }
        ),
        (texts(), collection::vec(recorded(), 0..3), collection::vec(texts(), 0..3)).prop_map(
            |(begin, operations, expected)| Detail::Disagrees {
                begin: begin.into(),
                operations: operations.into(),
                expected: expected.into()
            }
        ),
        (number(), number(), number()).prop_map(|(open, limit, waited)| Detail::Leaked { open, limit, waited }),
        (texts(), actors()).prop_map(|(id, by)| Detail::ClosedTwice { id, by }),
        (number(), option::of(origins::origins()))
            .prop_map(|(event, origin)| Detail::RunsDiffer { event, origin: origin.map(Box::new) }),
    ];
    let of_models = one_of![
        any::<usize>().prop_map(|thread| Detail::LockedTwice { thread }),
        texts().prop_map(|said| Detail::Raced { said }),
        (any::<u32>(), option::of(places()), accesses(), accesses()).prop_map(|(cell, created, one, other)| {
            Detail::CellRaced { cell, created, accesses: Box::new([one, other]) }
        }),
        (accesses(), accesses(), any::<bool>()).prop_map(|(used, freed, after)| Detail::FreedUsed {
            used,
            freed,
            after
        }),
        Just(Detail::NotAllocated),
        (actors(), backtraces(), option::of(accesses())).prop_map(|(by, backtrace, before)| Detail::FreedAgain {
            by: Box::new(by),
            backtrace,
            before: before.map(Box::new),
        }),
        texts().prop_map(|said| Detail::UsedAfterFree { said }),
        allocations.prop_map(Detail::NotFreed),
        Just(Detail::NotAsPlanned),
    ];
    one_of![of_processes, of_runs, of_models]
}

fn states() -> BoxedStrategy<ConnectionState> {
    select(&[
        ConnectionState::SynSent,
        ConnectionState::Established,
        ConnectionState::Unacknowledged,
        ConnectionState::PeerClosed,
        ConnectionState::HalfOpen,
        ConnectionState::Gone,
        ConnectionState::Closed,
    ])
    .boxed()
}

fn waits() -> BoxedStrategy<Wait> {
    one_of![
        (connections(), states()).prop_map(|(conn, state)| Wait::Read(conn, state)),
        (connections(), states()).prop_map(|(conn, state)| Wait::Write(conn, state)),
        (connections(), states()).prop_map(|(conn, state)| Wait::Connect(conn, state)),
        any::<u16>().prop_map(|port| Wait::Accept { port }),
        endpoints().prop_map(Wait::Receive),
        (unix_sockets(), unix_waits()).prop_map(|(socket, what)| Wait::Unix { socket, what }),
        Just(Wait::Signal),
        tasks().prop_map(Wait::Join),
        shared_waits().prop_map(Wait::Shared),
        option::of(places()).prop_map(|at| Wait::Woken { at }),
        Just(Wait::Held),
    ]
}

fn unix_waits() -> BoxedStrategy<UnixWait> {
    select(&[
        UnixWait::Accept,
        UnixWait::Read,
        UnixWait::Write,
        UnixWait::Receive,
        UnixWait::Send,
        UnixWait::ReadUnaccepted,
        UnixWait::WriteUnaccepted,
    ])
    .boxed()
}

fn shared_waits() -> BoxedStrategy<SharedWait> {
    let primitives = select(&[
        Primitive::Mutex,
        Primitive::RwLock,
        Primitive::Semaphore,
        Primitive::Notify,
        Primitive::Mpsc,
        Primitive::Oneshot,
        Primitive::Broadcast,
        Primitive::Watch,
        Primitive::Barrier,
        Primitive::OnceCell,
        Primitive::SetOnce,
    ]);
    let operations = select(&[
        Operation::Lock,
        Operation::Read,
        Operation::Write,
        Operation::Acquire,
        Operation::Send,
        Operation::Receive,
        Operation::Closed,
        Operation::Notified,
        Operation::Meet,
        Operation::Init,
        Operation::Set,
    ]);
    let holders =
        (texts(), option::of(tasks()), any::<u64>()).prop_map(|(host, task, since)| Holder { host, task, since });
    (primitives, operations, places(), collection::vec(holders, 0..3), any::<u64>())
        .prop_map(|(primitive, operation, created, had_by, more)| SharedWait {
            primitive,
            operation,
            created,
            had_by,
            more,
        })
        .boxed()
}

fn waiting() -> BoxedStrategy<Waiting> {
    let used = option::of((connections(), states()));
    let times = (any::<u64>(), option::of(any::<u64>()), option::of(places()), option::of(any::<u64>()));
    (texts(), tasks(), any::<bool>(), collection::vec(waits(), 0..3), times, used)
        .prop_map(|(host, task, main, waits, (since, deadline, timer, gave_up), used)| Waiting {
            host,
            task,
            main,
            waits,
            since,
            deadline,
            timer,
            gave_up,
            used,
        })
        .boxed()
}
