//! Strategies for events of every kind.

use super::{connections, endpoints, faults, holds, places, shared_waits, steps, tasks, texts, unix_sockets};
use crate::{
    event::{Effect, End, Kind, Level, Log, Ordered, Span, Stuck, Tcp, Udp, Unix},
    plan::arbitrary::values,
};
use proptest::{collection, option, prelude::*, sample::select};

/// Generates any kind of event.
pub(super) fn kinds() -> BoxedStrategy<Kind> {
    let ends = one_of![
        Just(End::Returned),
        texts().prop_map(End::Failed),
        Just(End::Killed),
        Just(End::Restarted),
        any::<i32>().prop_map(End::Signalled)
    ];
    let of_hosts = one_of![
        Just(Kind::Start),
        ends.prop_map(Kind::End),
        Just(Kind::NotRestarted),
        tasks().prop_map(Kind::Spawn),
        any::<i32>().prop_map(|number| Kind::Signal { number }),
    ];
    let of_sockets = one_of![
        any::<u16>().prop_map(|port| Kind::Listen { port }),
        Just(Kind::NotAccepted),
        texts().prop_map(|name| Kind::NotResolved { name }),
        (connections(), tcp()).prop_map(|(conn, what)| Kind::Tcp { conn, what }),
        (endpoints(), udp()).prop_map(|(local, what)| Kind::Udp { local, what }),
        (unix_sockets(), unix()).prop_map(|(socket, what)| Kind::Unix { socket, what }),
    ];
    let of_the_test = one_of![
        faults().prop_map(Kind::FaultBegins),
        faults().prop_map(Kind::FaultEnds),
        Just(Kind::Heal),
        holds().prop_map(Kind::Hold),
        shared_waits().prop_map(Kind::Blocks),
        shared_waits().prop_map(Kind::Unblocks),
        (texts(), collection::vec(texts(), 0..3)).prop_map(|(name, hosts)| Kind::Resolve { name, hosts }),
        texts().prop_map(|property| Kind::Holds { property }),
        texts().prop_map(|value| Kind::Saw { value }),
        (texts(), any::<u64>(), texts(), texts()).prop_map(|(history, number, client, call)| Kind::Called {
            history,
            number,
            client,
            call
        }),
        (texts(), any::<u64>(), texts()).prop_map(|(history, number, answer)| Kind::Answered {
            history,
            number,
            answer
        }),
        ordered().prop_map(|ordered| Kind::Ordered(Box::new(ordered))),
        (texts(), texts()).prop_map(|(history, call)| Kind::NotCalled { history, call }),
        (option::of(places()), texts()).prop_map(|(place, message)| Kind::PanicAllowed { place, message }),
        Just(Kind::Verdict),
    ];
    let of_models = steps::steps().prop_map(Kind::Step);
    one_of![of_hosts, of_sockets, of_the_test, logs().prop_map(Kind::Log), of_models]
}

fn ordered() -> BoxedStrategy<Ordered> {
    let numbers = collection::vec(any::<u64>(), 0..3);
    let effects = (any::<u64>(), texts()).prop_map(|(number, state)| Effect { number, state });
    let stuck = (any::<u64>(), texts()).prop_map(|(number, would_answer)| Stuck { number, would_answer });
    let found = (collection::vec(effects, 0..3), collection::vec(stuck, 0..3));
    (texts(), option::of(texts()), texts(), numbers, found)
        .prop_map(|(history, key, begin, operations, (order, stuck))| Ordered {
            history,
            key,
            begin,
            operations,
            order,
            stuck,
        })
        .boxed()
}

fn tcp() -> BoxedStrategy<Tcp> {
    one_of![
        any::<u64>().prop_map(Tcp::Write),
        any::<u64>().prop_map(Tcp::Read),
        any::<i32>().prop_map(Tcp::Error),
        select(&[
            Tcp::Connect,
            Tcp::ConnectNowhere,
            Tcp::Connected,
            Tcp::Accept,
            Tcp::ReadEnd,
            Tcp::Shutdown,
            Tcp::Close,
            Tcp::Refused,
            Tcp::Reset,
            Tcp::TimedOut,
        ]),
    ]
}

fn udp() -> BoxedStrategy<Udp> {
    one_of![
        Just(Udp::Open),
        Just(Udp::Close),
        (endpoints(), any::<u64>()).prop_map(|(to, bytes)| Udp::Send { to, bytes }),
        (endpoints(), any::<u64>()).prop_map(|(from, bytes)| Udp::Receive { from, bytes }),
    ]
}

fn unix() -> BoxedStrategy<Unix> {
    one_of![
        any::<u64>().prop_map(Unix::Write),
        any::<u64>().prop_map(Unix::Read),
        any::<i32>().prop_map(Unix::Error),
        (unix_sockets(), any::<u64>()).prop_map(|(to, bytes)| Unix::Send { to, bytes }),
        (unix_sockets(), any::<u64>()).prop_map(|(from, bytes)| Unix::Receive { from, bytes }),
        select(&[
            Unix::Listen,
            Unix::Open,
            Unix::Pair,
            Unix::Connect,
            Unix::Accept,
            Unix::ReadEnd,
            Unix::Shutdown,
            Unix::Close,
            Unix::Remove,
        ]),
    ]
}

fn logs() -> BoxedStrategy<Log> {
    let levels = select(&[Level::Error, Level::Warn, Level::Info, Level::Debug, Level::Trace]);
    let fields = || collection::btree_map(texts(), values(), 0..4);
    let spans = collection::vec((texts(), fields()).prop_map(|(name, fields)| Span { name, fields }), 0..3);
    (levels, texts(), texts(), fields(), spans)
        .prop_map(|(level, target, message, fields, spans)| Log { level, target, message, fields, spans })
        .boxed()
}
