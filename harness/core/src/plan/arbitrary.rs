//! Strategies for whole plans, including unusual ones, for tests.

pub use super::parts::{durations, texts, values};
use super::{
    Argument, Choice, Deviation, Fault, Hold, HoldUntil, Plan, Threads, Trigger, TriggerEvent,
    fault::{Lasts, any_kind},
    parts::{hosts, names, routes},
};
use proptest::{collection, option, prelude::*};

/// Generates any plan.
pub fn plans() -> impl Strategy<Value = Plan> {
    let models = threads().prop_map(|threads| Plan { threads: Some(threads), ..Plan::default() });
    prop_oneof![4 => plans_of_simulations(), 1 => models]
}

fn threads() -> impl Strategy<Value = Threads> {
    let choice = prop_oneof![
        (0..5_u8, any::<bool>()).prop_map(|(thread, preempts)| Choice::Thread { thread, preempts }),
        any::<u8>().prop_map(Choice::Value),
        any::<bool>().prop_map(Choice::Wakes),
    ];
    let run = (choice, 1..4_usize).prop_map(|(choice, times)| vec![choice; times]);
    let choices = collection::vec(run, 0..9).prop_map(|runs| runs.concat());
    let deviation = (any::<usize>(), any::<usize>(), any::<bool>()).prop_map(|(step, thread, preempts)| Deviation {
        step,
        thread,
        preempts,
    });
    prop_oneof![
        (choices, any::<bool>()).prop_map(|(choices, total_order)| Threads::Choices { choices, total_order }),
        collection::vec(deviation, 0..9).prop_map(Threads::Deviations),
    ]
}

fn plans_of_simulations() -> impl Strategy<Value = Plan> {
    let faults = collection::vec(faults(), 0..4);
    let holds = collection::vec(holds(), 0..4);
    (any::<u64>(), workloads(), faults, holds).prop_map(|(seed, workload, faults, holds)| Plan {
        seed,
        workload,
        faults,
        holds,
        threads: None,
    })
}

/// Generates any fault.
pub fn faults() -> impl Strategy<Value = Fault> {
    (any_kind(), triggers(), option::of(durations())).prop_map(|(kind, trigger, duration)| {
        let duration = duration.filter(|_| kind.lasts() != Lasts::Not);
        Fault { kind, trigger, duration }
    })
}

/// Generates any hold.
pub fn holds() -> impl Strategy<Value = Hold> {
    let until = prop_oneof![Just(HoldUntil::Idle), durations().prop_map(HoldUntil::For)];
    (hosts(), places(), nths(), nths(), until).prop_map(|(host, place, nth, poll, until)| Hold {
        host,
        place,
        nth,
        poll,
        until,
    })
}

fn workloads() -> impl Strategy<Value = Vec<Argument>> {
    let arguments = collection::hash_map(names(), values(), 0..4);
    arguments.prop_map(|all| all.into_iter().map(|(name, value)| Argument { name, value }).collect())
}

fn triggers() -> impl Strategy<Value = Trigger> {
    let event = prop_oneof![
        routes().prop_map(TriggerEvent::Connects),
        hosts().prop_map(TriggerEvent::Accepts),
        routes().prop_map(TriggerEvent::Writes),
        routes().prop_map(TriggerEvent::Reads),
        routes().prop_map(TriggerEvent::Closes),
        routes().prop_map(TriggerEvent::Receives),
    ];
    prop_oneof![durations().prop_map(Trigger::At), (event, nths()).prop_map(|(event, nth)| Trigger::On { event, nth })]
}

fn places() -> impl Strategy<Value = String> {
    let parts = prop_oneof![
        Just("src/link.rs:88".to_string()),
        Just(" at its ".to_string()),
        Just(" at its 3rd poll for 2 s".to_string()),
        Just(" ".to_string()),
        "\\PC{1,8}",
    ];
    collection::vec(parts, 1..4).prop_map(|parts| parts.concat())
}

fn nths() -> impl Strategy<Value = u32> {
    prop_oneof![1u32..130, 1..=u32::MAX, Just(u32::MAX)]
}
