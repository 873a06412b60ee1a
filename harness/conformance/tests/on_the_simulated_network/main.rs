//! Runs every case on the simulated network: its outcomes must match the kernel's, or a documented difference.

extern crate simulated_tokio as tokio;

#[path = "../../src/cases/mod.rs"]
mod cases;
#[path = "../../../selftest/tests/driver/mod.rs"]
mod driver;
mod net;
#[path = "../../src/network.rs"]
mod network;
#[path = "../../src/record.rs"]
mod record;
#[path = "../../src/seen.rs"]
mod seen;

use net::Net;
use record::Record;
use refrain::World;
use refrain_core::protocol::{Budget, Outcome, Request};
use std::{future::Future, sync::LazyLock};

/// The kernel's outcomes.
static KERNEL: LazyLock<Record> = LazyLock::new(|| record::parse(include_str!("../../KERNEL.txt")));
/// Documented differences: the reasons are paragraphs, the simulated network's outcomes are indented lines.
static DIFFERENCES: LazyLock<Record> = LazyLock::new(|| differences(include_str!("../../DIFFERENCES.md")));

/// Runs each case in a few worlds, and racing cases in as many as their rarest outcome requires.
macro_rules! test {
    ($($place:ident $manner:ident $module:ident::$name:ident;)*) => {
        $(test!(@ $manner $module $name);)*
        /// The racing cases.
        const RACES: &[&str] = &[$(test!(? $manner $name)),*];
        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
    (@ steady $module:ident $name:ident) => {
        #[refrain::test(runs = 20, time_limit = "12h", without_holds)]
        async fn $name(world: World) {
            conforms(stringify!($name), world, cases::$module::$name).await;
        }
    };
    (@ races $module:ident $name:ident) => {
        #[refrain::test(runs = 200, time_limit = "12h", without_holds)]
        async fn $name(world: World) {
            conforms(stringify!($name), world, cases::$module::$name).await;
        }
    };
    (? steady $name:ident) => { "" };
    (? races $name:ident) => { stringify!($name) };
}

cases::each_case!(test);

/// Returns the outcomes that the simulated network must show.
fn expected(name: &str) -> &'static [String] {
    let expected = DIFFERENCES.get(name).or_else(|| KERNEL.get(name));
    expected.unwrap_or_else(|| panic!("{name} has no record of the kernel: run `ci/conformance --save`"))
}

async fn conforms<F: Future<Output = ()>>(name: &str, world: World, case: impl FnOnce(Net) -> F) {
    let expected = expected(name);
    // A steady outcome is asserted below; each possible outcome of a race must be reached.
    if expected.len() > 1 {
        for (n, outcome) in (1..).zip(expected) {
            world.sometimes(&format!("{name}, outcome {n}"), "conformance", &said(outcome));
        }
    }
    let net = Net::new(world).await;
    case(net.clone()).await;
    let outcome = net.seen().outcome();
    assert!(
        expected.contains(&outcome),
        "{name}\nthe kernel shows  {}\nthe wire shows    {outcome}\n",
        expected.join("\n                  ")
    );
    tracing::info!(target: "conformance", "{}", said(&outcome));
}

/// Returns an outcome as a message that is not contained in any other one's.
fn said(outcome: &str) -> String {
    format!("the outcome is {outcome}.")
}

#[test]
fn every_outcome_of_a_race_is_met() {
    for name in RACES.iter().filter(|name| !name.is_empty()) {
        let request = Request::explore(1, Budget::OfTest, None);
        let Outcome::Explored(explored) = driver::ask(name, &request) else { panic!("{name} is not explored") };
        assert!(explored.caught.is_none(), "{name}: {:?}", explored.caught);
        let missing = explored.coverage.sometimes.iter().filter(|(_, runs)| **runs == 0).collect::<Vec<_>>();
        assert!(missing.is_empty(), "{name} never came to {missing:?}");
    }
}

#[test]
fn every_difference_is_one_and_has_a_reason() {
    for (name, outcomes) in &*DIFFERENCES {
        let kernel = KERNEL.get(name).unwrap_or_else(|| panic!("DIFFERENCES.md lists {name}, which is no case"));
        assert_ne!(
            outcomes, kernel,
            "DIFFERENCES.md lists {name}, where the simulated network is to show what the kernel does"
        );
    }
}

#[test]
fn every_record_is_of_a_case() {
    let unknown = KERNEL.keys().filter(|name| !NAMES.contains(&name.as_str())).collect::<Vec<_>>();
    assert!(unknown.is_empty(), "KERNEL.txt lists {unknown:?}: run `ci/conformance --save`");
}

/// Parses the outcomes from the document: a heading names the case, an indented line is an outcome.
fn differences(text: &str) -> Record {
    let mut record = Record::new();
    let (mut name, mut reason) = (String::new(), false);
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            (name, reason) = (heading.trim().to_owned(), false);
        } else if let Some(outcome) = line.strip_prefix("    ") {
            assert!(reason, "DIFFERENCES.md gives no reason for {name} before its outcome");
            record.entry(name.clone()).or_default().push(outcome.trim().to_owned());
        } else {
            reason |= !line.trim().is_empty();
        }
    }
    record
}
