//! Strategies for whole plans, including unusual ones, for tests.

pub use super::parts::{durations, texts, values};
use super::{
    Argument, Choice, Deviation, Fault, Hold, HoldUntil, Plan, Threads, Trigger, TriggerEvent,
    fault::{Lasts, any_kind},
    parts::{hosts, names, routes},
};
use proptest::{collection, option, prelude::*, strategy::Union};

/// Generates any plan.
pub fn plans() -> BoxedStrategy<Plan> {
    let models = threads().prop_map(|threads| Plan { threads: Some(threads), ..Plan::default() });
    Union::new_weighted(vec![(4, plans_of_simulations()), (1, models.boxed())]).boxed()
}

fn threads() -> BoxedStrategy<Threads> {
    let choice = one_of![
        (0..5_u8, any::<bool>()).prop_map(|(thread, preempts)| Choice::Thread { thread, preempts }),
        any::<u8>().prop_map(Choice::Value),
        any::<bool>().prop_map(Choice::Wakes),
    ];
    let run = (choice, 1..4_usize).prop_map(|(choice, times)| vec![choice; times]);
    let choices = collection::vec(run, 0..9).prop_map(|runs| runs.concat());
    let deviation = one_of![
        (any::<usize>(), any::<usize>(), any::<bool>()).prop_map(|(step, thread, preempts)| Deviation::Thread {
            step,
            thread,
            preempts
        }),
        (any::<usize>(), any::<usize>()).prop_map(|(nth, before)| Deviation::Load { nth, before }),
    ];
    one_of![
        (choices, any::<bool>()).prop_map(|(choices, total_order)| Threads::Choices { choices, total_order }),
        collection::vec(deviation, 0..9).prop_map(Threads::Deviations),
    ]
}

fn plans_of_simulations() -> BoxedStrategy<Plan> {
    let faults = collection::vec(faults(), 0..4);
    let holds = collection::vec(holds(), 0..4);
    (any::<u64>(), workloads(), faults, holds)
        .prop_map(|(seed, workload, faults, holds)| Plan { seed, workload, faults, holds, threads: None })
        .boxed()
}

/// Generates any fault.
pub fn faults() -> BoxedStrategy<Fault> {
    (any_kind(), triggers(), option::of(durations()))
        .prop_map(|(kind, trigger, duration)| {
            let duration = duration.filter(|_| kind.lasts() != Lasts::Not);
            Fault { kind, trigger, duration }
        })
        .boxed()
}

/// Generates any hold.
pub fn holds() -> BoxedStrategy<Hold> {
    let until = one_of![Just(HoldUntil::Idle), durations().prop_map(HoldUntil::For)];
    (hosts(), places(), nths(), nths(), until)
        .prop_map(|(host, place, nth, poll, until)| Hold { host, place, nth, poll, until })
        .boxed()
}

fn workloads() -> BoxedStrategy<Vec<Argument>> {
    let arguments = collection::hash_map(names(), values(), 0..4);
    arguments.prop_map(|all| all.into_iter().map(|(name, value)| Argument { name, value }).collect()).boxed()
}

fn triggers() -> BoxedStrategy<Trigger> {
    let event = one_of![
        routes().prop_map(TriggerEvent::Connects),
        hosts().prop_map(TriggerEvent::Accepts),
        routes().prop_map(TriggerEvent::Writes),
        routes().prop_map(TriggerEvent::Reads),
        routes().prop_map(TriggerEvent::Closes),
        routes().prop_map(TriggerEvent::Receives),
    ];
    one_of![durations().prop_map(Trigger::At), (event, nths()).prop_map(|(event, nth)| Trigger::On { event, nth })]
}

fn places() -> BoxedStrategy<String> {
    let parts = one_of![
        Just("src/link.rs:88".to_string()),
        Just(" at its ".to_string()),
        Just(" at its 3rd poll for 2 s".to_string()),
        Just(" ".to_string()),
        "\\PC{1,8}",
    ];
    collection::vec(parts, 1..4).prop_map(|parts| parts.concat()).boxed()
}

fn nths() -> BoxedStrategy<u32> {
    one_of![1u32..130, 1..=u32::MAX, Just(u32::MAX)]
}
