//! Plans survive printing and parsing, and texts that are not plans are rejected.

use crate::plan::{
    Argument, DisplayDuration, Fault, FaultKind, Hold, HoldUntil, Link, Ordinal, Plan, Route, Trigger, arbitrary,
    fault::Pause,
};
use proptest::prelude::*;
use serde_json::json;
use std::{fmt::Display, str::FromStr, time::Duration};

const SENTENCES: &[&str] = &[
    "cut exchange <-> notes at 12.3 s for 4.2 s",
    "cut notes -> exchange when notes -> exchange makes its 2nd write for 4.2 s",
    "cut exchange <-> notes at 0 s",
    "reset exchange <-> notes when exchange accepts its 3rd connection",
    "kill exchange at 1 s and restart it after 2 s",
    "kill exchange at 1 s",
    "crash exchange at 1 s and reboot it after 3 s",
    "pause notes at 3 s for 2 s",
    "slow exchange <-> notes by 300 ms at 3 s for 5 s",
    "pause a-1 when notes -> exchange starts its 2nd connect",
    "pause a.b when exchange reads from notes the 4th time for 1.5 us",
    "pause a_b when notes closes a connection with exchange the 2nd time for 7 ns",
    "slow notes -> exchange by 300 ms at 3 s",
    "delay 1 % of exchange <-> notes by 300 ms at 1 s for 5 s",
    "lose 100 % of notes -> exchange at 1 s for 5 s",
    "duplicate 10 % of exchange <-> notes at 1 s for 5 s",
    "reorder 10 % of exchange <-> notes at 1 s for 5 s",
    "limit exchange <-> notes to 1000 B/s at 1 s for 5 s",
    "limit exchange -> notes to 18446744073709551615 B/s at 1 s",
    "drop SYNs on notes -> exchange when notes -> exchange starts its 2nd connect for 5 s",
    "refuse SYNs on notes <-> exchange at 1 s for 5 s",
    "stretch writes on notes -> exchange at 1 s for 5 s",
    "stretch reads on notes -> exchange at 1 s for 5 s",
    "stall reads on notes -> exchange at 1 s for 5 s",
    "shrink buffers on notes -> exchange to 1 B at 1 s for 5 s",
    "fail lookups on notes at 1 s for 5 s",
    "fail accepts on exchange at 1 s",
    "rule lose_nth 3 on notes -> exchange at 1 s for 5 s",
    "rule lose_all on notes <-> exchange at 1 s",
    "lose 10 % of acknowledgements on exchange <-> notes at 1 s for 5 s",
    "rule lose_text {\"text\":\" on a -> b at 1 s\"} on notes -> exchange at 1 s",
    "reset exchange <-> notes when exchange receives the 1000th byte from notes",
];

const HOLDS: &[&str] = &[
    "hold the 1st task spawned on notes at src/link.rs:88 at its 3rd poll until nothing else can run",
    "hold the 21st task spawned on notes at src/my dir/li nk.rs:88 at its 11th poll for 200 ms",
    "hold the 1st task spawned on notes at src/a at its 3rd poll for 2 s at its 12th poll for 2 s",
];

fn reads_back<T: FromStr + Display>(sentence: &str)
where
    T::Err: Display,
{
    match sentence.parse::<T>() {
        Ok(part) => assert_eq!(part.to_string(), sentence),
        Err(error) => panic!("{error}"),
    }
}

#[track_caller]
fn refused<T: FromStr>(text: &str, why: &str)
where
    T::Err: Display,
{
    let error = text.parse::<T>().err().expect(text).to_string();
    assert!(error.contains(why), "{error}");
}

#[test]
fn every_kind_of_sentence_reads_back() {
    SENTENCES.iter().for_each(|sentence| reads_back::<Fault>(sentence));
    HOLDS.iter().for_each(|sentence| reads_back::<Hold>(sentence));
    reads_back::<FaultKind>("slow exchange <-> notes by 300 ms");
    reads_back::<Trigger>("when exchange reads from notes the 4th time");
    reads_back::<Link>("exchange <-> notes");
    reads_back::<Route>("exchange -> notes");
    reads_back::<HoldUntil>("until nothing else can run");
    reads_back::<Argument>(r#"queries = [{"user":"alice"}]"#);
}

#[test]
fn a_plan_is_one_sentence_a_line() {
    let text = format!("seed 42\nqueries = [{{\"user\":\"alice\"}}]\n{}\n{}", SENTENCES.join("\n"), HOLDS.join("\n"));
    reads_back::<Plan>(&text);
    let plan: Plan = text.parse().unwrap();
    assert_eq!((plan.seed, plan.faults.len(), plan.holds.len()), (42, SENTENCES.len(), HOLDS.len()));
    assert_eq!(plan.workload, [Argument { name: "queries".into(), value: json!([{"user": "alice"}]) }]);
}

#[test]
fn sentences_mean_what_they_say() {
    let fault: Fault = SENTENCES[10].parse().unwrap();
    let route = Route { from: "notes".into(), to: "exchange".into() };
    let event = crate::plan::TriggerEvent::Reads(route);
    assert_eq!(fault, Pause { host: "a.b".into() }.when(event, 4).lasting(Duration::from_nanos(1500)));
    let hold: Hold = HOLDS[2].parse().unwrap();
    assert_eq!((hold.place.as_str(), hold.poll), ("src/a at its 3rd poll for 2 s", 12));
}

#[test]
fn durations_are_exact_in_the_largest_unit_that_reads_well() {
    let cases = [
        (Duration::ZERO, "0 s"),
        (Duration::from_nanos(7), "7 ns"),
        (Duration::from_nanos(1_500), "1.5 us"),
        (Duration::from_nanos(250_000_001), "250.000001 ms"),
        (Duration::from_millis(250), "250 ms"),
        (Duration::from_millis(4_200), "4.2 s"),
        (Duration::from_nanos(12_301_000_123), "12.301000123 s"),
        (Duration::from_secs(100), "100 s"),
        (Duration::MAX, "18446744073709551615.999999999 s"),
    ];
    for (duration, text) in cases {
        assert_eq!(DisplayDuration(duration).to_string(), text);
        assert_eq!(text.parse::<DisplayDuration>().unwrap(), DisplayDuration(duration));
    }
    assert_eq!("1500 ms".parse::<DisplayDuration>().unwrap().to_string(), "1.5 s");
}

#[test]
fn ordinals_have_their_english_endings() {
    let cases = [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (13, "13th")];
    let more = [(20, "20th"), (21, "21st"), (22, "22nd"), (101, "101st"), (111, "111th"), (u32::MAX, "4294967295th")];
    for (nth, text) in cases.into_iter().chain(more) {
        assert_eq!(Ordinal(nth).to_string(), text);
        assert_eq!(text.parse::<Ordinal>().unwrap(), Ordinal(nth));
    }
    for wrong in ["2st", "11st", "0th", "01st", "+1st", "1", "st", "", "4294967296th", "1sts", "-1st", "1 st"] {
        refused::<Ordinal>(wrong, "expected");
    }
}

#[test]
fn errors_say_where_and_what_was_expected() {
    refused::<Fault>("cut exchange <-> notes at 12.3", "ends after 6 words, expected a unit");
    refused::<Fault>("cut exchange <-> notes att 1 s", r#"word 5 is "att", expected "at" or "when""#);
    refused::<Fault>("cut exchange <=> notes at 1 s", r#"word 3 is "<=>", expected "<->" or "->""#);
    refused::<Fault>("cut ex/change <-> notes at 1 s", r#"word 2 is "ex/change", expected a host"#);
    refused::<Fault>("pause notes at 3 s  for 2 s", r#"word 6 is "", expected nothing more"#);
    refused::<Fault>("reset a <-> b at 1 s for 2 s", r#"word 8 is "for", expected nothing more"#);
    refused::<Fault>("kill a at 1 s and reboot it after 2 s", r#"word 7 is "reboot", expected "restart""#);
    refused::<Fault>("kill a at 1 s for 2 s", "expected nothing more");
    refused::<Fault>("pause a when b makes its 2nd write", r#""makes", expected "->", "accepts", "reads""#);
    refused::<Fault>("pause a when b accepts its 2st connection", r#"word 7 is "2st", expected an ordinal"#);
    refused::<Fault>("stop a at 1 s", r#"word 1 is "stop", expected a fault"#);
    refused::<Fault>("pause a when b has its 2nd write", r#""receives" or "closes""#);
    refused::<Fault>("lose 0 % of a <-> b at 1 s", r#"word 2 is "0", expected a whole number from 1 to 100"#);
    refused::<Fault>("lose 101 % of a <-> b at 1 s", "from 1 to 100");
    refused::<Fault>("lose 010 % of a <-> b at 1 s", "from 1 to 100");
    refused::<Fault>("lose 10% of a <-> b at 1 s", r#"word 2 is "10%""#);
    refused::<Fault>("delay 10 % of a <-> b at 1 s", r#"word 8 is "at", expected "by""#);
    refused::<Fault>("limit a <-> b to 0 B/s at 1 s", "from 1 to 18446744073709551615");
    refused::<Fault>("shrink buffers on a <-> b to 0 B at 1 s", "from 1 to 18446744073709551615");
    refused::<Fault>("shrink buffers on a <-> b at 1 s", r#"word 7 is "at", expected "to""#);
    refused::<Fault>("drop packets on a -> b at 1 s", r#"word 2 is "packets", expected "SYNs""#);
    refused::<Fault>("stretch a -> b at 1 s", r#"word 2 is "a", expected "writes" or "reads""#);
    refused::<Fault>("fail accept on a at 1 s", r#"word 2 is "accept", expected "lookups" or "accepts""#);
    refused::<Fault>("rule 3 on a -> b at 1 s", r#"word 2 is "3", expected a name"#);
    refused::<Fault>("rule x {\"a\":1,\"a\":2} on a -> b at 1 s", "the name \"a\" a second time");
    refused::<Fault>("rule x \"on a -> b at 1 s", "expected JSON: ");
    refused::<Fault>("rule x 3on a -> b at 1 s", "expected JSON: ");
    refused::<Fault>("rule x \"3\"on a -> b at 1 s", "expected \"on\"");
    refused::<Hold>("hold the 1st task spawned on a at x", r#"word 9 is "x", expected a place"#);
    refused::<Hold>("hold the 1st task spawned on a at  at its 1st poll for 1 s", "expected a place");
    refused::<Hold>("hold the 1st task spawned on a at x\u{7} at its 1st poll for 1 s", "expected a place");
    refused::<Hold>(HOLDS[0].strip_suffix(" run").unwrap(), r#"expected "run""#);
    refused::<Plan>("seed 1\ncut a <-> b", "sentence 2, \"cut a <-> b\": ends after 4 words");
}

#[test]
fn numbers_that_overflow_are_refused() {
    refused::<Plan>("seed 18446744073709551616", "at most 18446744073709551615");
    refused::<Plan>("seed -1", "a whole number");
    refused::<DisplayDuration>("18446744073709551616 s", "at most 18446744073709551615.999999999 s");
    refused::<DisplayDuration>("99999999999999999999999999999999999999999999999 ns", "at most");
    // A number of seconds whose nanoseconds, modulo 2^128, are few.
    refused::<DisplayDuration>("340282366920938463463374607432 s", "at most");
    refused::<DisplayDuration>("1.5 ns", "whole nanoseconds");
    refused::<DisplayDuration>("1.0000000001 s", "whole nanoseconds");
    for wrong in ["1. s", ".5 s", "+1 s", "1e3 s", "-1 s", "1 min", "1s", "1.2.3 s", "\u{661} s", " s", "1  s"] {
        refused::<DisplayDuration>(wrong, "expected");
    }
}

#[test]
fn a_plan_says_each_thing_once() {
    refused::<Plan>("", "no sentence gives the seed");
    refused::<Plan>("cut a <-> b at 1 s", "no sentence gives the seed");
    refused::<Plan>("seed 1\nseed 1", "sentence 2 gives the seed a second time");
    refused::<Plan>("seed 1\na = 1\na = 1", "sentence 3 gives the argument \"a\" a second time");
    refused::<Plan>("seed 1\n\na = 1", "sentence 2, \"\": ends after 0 words");
    refused::<Plan>("seed 1 2", "expected nothing more");
}

#[test]
fn arguments_are_json_of_which_nothing_is_lost() {
    refused::<Plan>("seed 1\na = {\"x\":1,\"x\":2}", "the name \"x\" a second time");
    refused::<Plan>("seed 1\na = [[{\"x\":{\"y\":1,\"y\":2}}]]", "the name \"y\" a second time");
    refused::<Plan>("seed 1\na = [1] 2", "trailing");
    refused::<Plan>("seed 1\na = ", "EOF");
    refused::<Plan>("seed 1\n1a = 1", "a name: letters");
    refused::<Plan>("seed 1\n = 1", "a name: letters");
    refused::<Plan>("seed 1\na = 1e999", "number out of range");
    refused::<Plan>(&format!("seed 1\na = {}", "[".repeat(100_000)), "more than 64 nested arrays and objects");
    let nested = |depth| format!("seed 1\na = {}{}", "[".repeat(depth), "]".repeat(depth));
    refused::<Plan>(&nested(65), "more than 64 nested arrays and objects");
    reads_back::<Plan>(&nested(64));
    reads_back::<Plan>("seed 1\nseed = {\"=\":\" = \"}\ncut = 1.0\nhold = null");
    reads_back::<Plan>(&format!("seed 1\na = \"\\\"{}\"", "[".repeat(65)));
}

#[test]
fn an_error_shows_only_the_beginning_of_a_long_sentence() {
    let error = format!("seed {}", "é".repeat(100_000)).parse::<Plan>().unwrap_err();
    assert!(error.to_string().len() < 1_000);
}

/// Generates words of sentences and other words, in any order.
fn word_salad() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        proptest::sample::select(
            "seed hold the 1st task spawned on at its poll until nothing else can run for cut reset kill crash pause \
             slow <-> -> a b = by 1 4.2 s ms when starts makes accepts reads from closes and restart it after \
             delay lose duplicate reorder 10 % of limit B/s drop refuse SYNs stretch writes stall shrink buffers to B \
             fail lookups accepts receives byte rule null [1]"
                .split(' ')
                .collect::<Vec<_>>()
        )
        .prop_map(str::to_string),
        "\\PC{0,3}",
        Just("\n".to_string()),
    ];
    proptest::collection::vec(word, 0..24).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn plans_read_back(plan in arbitrary::plans()) {
        prop_assert_eq!(plan.to_string().parse::<Plan>(), Ok(plan.clone()));
        let json = serde_json::to_string(&plan).unwrap();
        prop_assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan.clone());
        prop_assert_eq!(Plan::try_from(Vec::from(plan.clone())), Ok(plan));
    }

    #[test]
    fn spans_read_back(span in arbitrary::durations()) {
        prop_assert_eq!(DisplayDuration(span).to_string().parse(), Ok(DisplayDuration(span)));
    }

    #[test]
    fn garbage_is_refused_without_a_panic(text in arbitrary::texts(), salad in word_salad()) {
        for text in [text, format!("seed 1\n{salad}"), salad] {
            // Whatever parses as a plan must be one.
            if let Ok(plan) = text.parse::<Plan>() {
                prop_assert_eq!(plan.to_string().parse::<Plan>(), Ok(plan));
            }
            let _ = (text.parse::<Hold>(), text.parse::<Fault>(), text.parse::<DisplayDuration>(), text.parse::<Trigger>());
        }
    }

    #[test]
    fn half_a_sentence_is_refused_without_a_panic(plan in arbitrary::plans(), cut in any::<prop::sample::Index>()) {
        let text = plan.to_string();
        let at = (0..=cut.index(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let (left, right) = text.split_at(at);
        let _ = (left.parse::<Plan>(), right.parse::<Plan>());
    }
}
