//! Tests of the reports' output.

mod messages;
mod origins;

use super::*;
use insta::assert_snapshot;
use proptest::prelude::*;
use refrain_core::{
    arbitrary::{events as any_events, failures},
    event::{Event, Kind, Level, Log},
    place::Task,
    plan::{Argument, Deviation, Plan, Threads, arbitrary::texts},
    trace::{self, Trace},
    verdict::{Actor, Class, Detail, Failure, Property},
};
use serde_json::{Value, json};
use std::path::Path;

const PLAIN: Style = Style { colour: false, width: None, exact: false };

fn saved() -> Trace {
    trace::parse(Path::new("v3.jsonl"), include_bytes!("../../core/tests/traces/v3.jsonl")).unwrap()
}

fn says(host: &str, message: &str, fields: &[(&str, Value)]) -> Event {
    let fields = fields.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
    let log = Log { level: Level::Info, target: "svc".into(), message: message.into(), fields, spans: vec![] };
    Event { at: 7, host: host.into(), task: None, kind: Kind::Log(log) }
}

fn panicked(by: Actor, message: &str, place: &str) -> Failure {
    let detail = Detail::Panicked { by, message: message.into(), backtrace: Default::default() };
    Failure { class: Class::Panic, property: Property::NoPanic, place: place.parse().ok(), detail, causes: vec![] }
}

#[test]
fn sockets_are_shown_as_ss_does() {
    let trace = saved();
    assert_snapshot!(sockets(&trace.sockets, PLAIN), @"
    Host      Netid  State   Recv-Q  Send-Q  Local Address:Port  Peer Address:Port
    exchange  tcp    LISTEN  0       1024    0.0.0.0:5010        *
    exchange  tcp    ESTAB   0       18      exchange:5010       notes:49152        timer:(on,3.200sec,3)
    notes     tcp    ESTAB   0       0       notes:49152         exchange:5010
    ");
    let whole = timeline(&trace, &Filter::default(), PLAIN);
    assert!(whole.contains(&format!("\n\n{}\nFAILED stall", sockets(&trace.sockets, PLAIN))), "{whole}");
    assert_eq!(sockets(&[], PLAIN), "");
}

/// Returns the text with `<1;31>` in place of the escape sequence that sets a colour.
fn visible(text: &str) -> String {
    text.split('\u{1b}')
        .map(|part| part.strip_prefix('[').map_or(part.into(), |code| "<".to_string() + &code.replacen('m', ">", 1)))
        .collect()
}

#[test]
fn a_trace_reads_from_its_plan_to_its_failure() {
    assert_snapshot!(timeline(&saved(), &Filter::default(), PLAIN), @r#"
    link::queries_recover_after_the_link_heals
      seed 42
      queries = [{"user":"ålice","weight":0.1}]
      cut exchange <-> notes at 12.3 s for 4.2 s
      lose 10 % of notes -> exchange when exchange receives the 18th byte from notes for 1 s
      hold the 1st task spawned on notes at src/link.rs:88 at its 3rd poll until nothing else can run

     #  time          host      task              what
     0  00:00:00.000  exchange                    starts
     1  00:00:00.000  notes                       starts
     2  00:00:00.001  exchange  src/server.rs:31  listens on port 5010
     3  00:00:12.290  notes     src/link.rs:88    connects notes:49152 -> exchange:5010
     4  00:00:12.295  exchange  src/server.rs:31  accepts exchange:5010 -> notes:49152
     5  00:00:12.295  exchange  src/server.rs:31  spawns src/server.rs:52#2
     6  00:00:12.299  notes     src/link.rs:88    writes 18 bytes on notes:49152 -> exchange:5010
     7  00:00:12.300  (test)                      cut exchange <-> notes
     8  00:00:12.301  notes     src/link.rs:88    INFO calcon::link: waits for HELLO epoch=7 peer=exchange ratio=0.1
     9  00:00:16.500  (test)                      over: cut exchange <-> notes
    10  00:00:20.000  (test)                      everything is healed
    11  00:01:20.000  (test)                      the run fails

    Host      Netid  State   Recv-Q  Send-Q  Local Address:Port  Peer Address:Port
    exchange  tcp    LISTEN  0       1024    0.0.0.0:5010        *
    exchange  tcp    ESTAB   0       18      exchange:5010       notes:49152        timer:(on,3.200sec,3)
    notes     tcp    ESTAB   0       0       notes:49152         exchange:5010

    FAILED stall: `a fresh query is answered` did not hold within 60 s after the network healed: 17 attempts, the last one still pending, the one before failed: the exchange does not answer
      notes: the task spawned at src/link.rs:88 waits to read from notes:49152 -> exchange:5010 (established, exchange has not acknowledged), since 00:00:12.301, no deadline
      last fault affecting it: cut exchange <-> notes at 00:00:12.300 for 4.2 s
      not triggered: lose 10 % of notes -> exchange when exchange receives the 18th byte from notes for 1 s
    "#);
}

#[test]
fn a_narrow_terminal_gets_more_lines_and_loses_no_word() {
    let style = Style { width: Some(88), exact: true, ..PLAIN };
    let trace = Trace { events: saved().events.split_off(7), left_out: 7, ..saved() };
    assert_snapshot!(timeline(&trace, &Filter::default(), style), @r#"
    link::queries_recover_after_the_link_heals
      seed 42
      queries = [{"user":"ålice","weight":0.1}]
      cut exchange <-> notes at 12.3 s for 4.2 s
      lose 10 % of notes -> exchange when exchange receives the 18th byte from notes for 1
        s
      hold the 1st task spawned on notes at src/link.rs:88 at its 3rd poll until nothing
        else can run

     #  time                host    task            what
    (7 events before)
     7  00:00:12.300000000  (test)                  cut exchange <-> notes
     8  00:00:12.301000123  notes   src/link.rs:88  INFO calcon::link: waits for HELLO
                                                    epoch=7 peer=exchange ratio=0.1
     9  00:00:16.500000000  (test)                  over: cut exchange <-> notes
    10  00:00:20.000000000  (test)                  everything is healed
    11  00:01:20.000000000  (test)                  the run fails

    Host      Netid  State   Recv-Q  Send-Q  Local Address:Port  Peer Address:Port
    exchange  tcp    LISTEN  0       1024    0.0.0.0:5010        *
    exchange  tcp    ESTAB   0       18      exchange:5010       notes:49152        timer:(on,3.200sec,3)
    notes     tcp    ESTAB   0       0       notes:49152         exchange:5010

    FAILED stall: `a fresh query is answered` did not hold within 60 s after the network
      healed: 17 attempts, the last one still pending, the one before failed: the exchange
      does not answer
      notes: the task spawned at src/link.rs:88 waits to read from notes:49152 ->
        exchange:5010 (established, exchange has not acknowledged), since 00:00:12.301, no
        deadline
      last fault affecting it: cut exchange <-> notes at 00:00:12.300 for 4.2 s
      not triggered: lose 10 % of notes -> exchange when exchange receives the 18th byte
        from notes for 1 s
    "#);
}

#[test]
fn colours_tell_hosts_and_kinds_apart() {
    let trace = Trace { events: saved().events.split_off(6), ..saved() };
    let style = Style { colour: true, ..PLAIN };
    assert_snapshot!(visible(&timeline(&trace, &Filter::default(), style)), @r#"
    <1>link::queries_recover_after_the_link_heals<0>
      seed 42
      queries = [{"user":"ålice","weight":0.1}]
      cut exchange <-> notes at 12.3 s for 4.2 s
      lose 10 % of notes -> exchange when exchange receives the 18th byte from notes for 1 s
      hold the 1st task spawned on notes at src/link.rs:88 at its 3rd poll until nothing else can run

    <2>#<0>  <2>time<0>          <2>host<0>    <2>task<0>            <2>what<0>
    <2>0<0>  <2>00:00:12.299<0>  <36>notes<0>   <2>src/link.rs:88<0>  <2>writes 18 bytes on notes:49152 -> exchange:5010<0>
    <2>1<0>  <2>00:00:12.300<0>  <1>(test)<0>                  <1><33>cut exchange <-> notes<0>
    <2>2<0>  <2>00:00:12.301<0>  <36>notes<0>   <2>src/link.rs:88<0>  INFO calcon::link: waits for HELLO epoch=7 peer=exchange ratio=0.1
    <2>3<0>  <2>00:00:16.500<0>  <1>(test)<0>                  <1><33>over: cut exchange <-> notes<0>
    <2>4<0>  <2>00:00:20.000<0>  <1>(test)<0>                  <1><33>everything is healed<0>
    <2>5<0>  <2>00:01:20.000<0>  <1>(test)<0>                  <1>the run fails<0>

    <2>Host<0>      <2>Netid<0>  <2>State<0>   <2>Recv-Q<0>  <2>Send-Q<0>  <2>Local Address:Port<0>  <2>Peer Address:Port<0>
    exchange  tcp    LISTEN  0       1024    0.0.0.0:5010        *
    exchange  tcp    ESTAB   0       18      exchange:5010       notes:49152        <2>timer:(on,3.200sec,3)<0>
    notes     tcp    ESTAB   0       0       notes:49152         exchange:5010

    <1><31>FAILED stall<0>: <1>`a fresh query is answered` did not hold within 60 s after the network healed: 17 attempts, the last one still pending, the one before failed: the exchange does not answer<0>
      notes: the task spawned at src/link.rs:88 waits to read from notes:49152 -> exchange:5010 (established, exchange has not acknowledged), since 00:00:12.301, no deadline
      last fault affecting it: cut exchange <-> notes at 00:00:12.300 for 4.2 s
      not triggered: lose 10 % of notes -> exchange when exchange receives the 18th byte from notes for 1 s
    "#);
}

#[test]
fn a_table_of_no_events_has_its_heading() {
    assert_snapshot!(events(&[], 0, PLAIN), @"#  time  host  task  what");
}

#[test]
fn what_a_service_says_moves_no_cursor_and_forges_no_row() {
    let fields = [("name", json!("two words")), ("none", json!("")), ("path", json!("a/b")), ("list", json!([1, "x"]))];
    let rows = [
        says("a", "ok\n1  00:00:00.000  b  forged\u{1b}[2J\r\u{7f}\u{202e}", &fields),
        says("höst\n", "漢字", &[("key=\n", json!("x\u{1b}"))]),
    ];
    assert_snapshot!(events(&rows, 99, PLAIN), @r#"
      #  time          host    task  what
    (99 events before)
     99  00:00:00.000  a             INFO svc: ok
                                     1  00:00:00.000  b  forged\u{1b}[2J\r\u{7f}\u{202e} list=[1,"x"] name="two words" none="" path=a/b
    100  00:00:00.000  höst\n        INFO svc: 漢字 key=
                                     ="x\u001b"
    "#);
}

#[test]
fn long_runs_show_their_hours() {
    let event = Event { at: u64::MAX, ..says("a", "x", &[]) };
    assert!(events(&[event.clone(), event], usize::MAX, PLAIN).contains("5124095:34:33.709"));
}

#[test]
fn a_failure_says_where_and_why() {
    assert_snapshot!(failure(&saved().failure, PLAIN), @"
    FAILED stall: `a fresh query is answered` did not hold within 60 s after the network healed: 17 attempts, the last one still pending, the one before failed: the exchange does not answer
      notes: the task spawned at src/link.rs:88 waits to read from notes:49152 -> exchange:5010 (established, exchange has not acknowledged), since 00:00:12.301, no deadline
      last fault affecting it: cut exchange <-> notes at 00:00:12.300 for 4.2 s
      not triggered: lose 10 % of notes -> exchange when exchange receives the 18th byte from notes for 1 s
    ");
    let panic = panicked(Actor::Test, "assertion failed\n  left: 1\n right: 2", "src/link.rs:90");
    assert_snapshot!(failure(&panic, PLAIN), @"
    FAILED panic: the test: assertion failed
        left: 1
       right: 2
      at src/link.rs:90
    ");
    let task = Task { place: "src/link.rs:88".parse().unwrap(), nth: 2 };
    let panic = panicked(Actor::Task { host: "notes".into(), task }, "\u{1b}[31mno", "src/link.rs:90");
    assert_snapshot!(failure(&panic, PLAIN), @r#"
    FAILED panic: notes: \u{1b}[31mno
      at src/link.rs:90
      in task 2 spawned at src/link.rs:88 on notes
    "#);
}

#[test]
fn a_summary_counts_what_is_there() {
    let plan = |workload: &[(&str, Value)], faults: usize, holds: usize| Plan {
        workload: workload
            .iter()
            .map(|(name, value)| Argument { name: name.to_string(), value: value.clone() })
            .collect(),
        faults: vec![saved().plan.faults[0].clone(); faults],
        holds: vec![saved().plan.holds[0].clone(); holds],
        ..Plan::default()
    };
    let preempts = |thread| Deviation::Thread { step: 3, thread, preempts: true };
    let model = |n| Plan { threads: Some(Threads::Deviations((0..n).map(preempts).collect())), ..Plan::default() };
    assert_eq!(plan_summary(&model(1), 31), "1 preemption, 31 operations");
    assert_eq!(plan_summary(&model(0), 1), "no preemption, 1 operation");
    let one = json!([0]);
    let three = json!([0, 0, 0]);
    assert_eq!(plan_summary(&plan(&[("queries", one.clone())], 2, 0), 31), "2 faults, 1 query, 31 events");
    assert_eq!(plan_summary(&plan(&[("queries", three.clone())], 1, 1), 1), "1 fault, 1 hold, 3 queries, 1 event");
    assert_eq!(plan_summary(&plan(&[("n", json!(3)), ("queries", json!([]))], 0, 2), 0), "2 holds");
    assert_eq!(plan_summary(&plan(&[], 0, 0), 0), "nothing");
    let singulars = [("steps", "1 step"), ("addresses", "1 address"), ("boxes", "1 box"), ("names", "1 name")];
    let others = [("batch", "batch: 1"), ("address", "address: 1"), ("bus", "bus: 1"), ("s", "s: 1"), ("", ": 1")];
    for (name, text) in singulars.into_iter().chain(others) {
        assert_eq!(plan_summary(&plan(&[(name, one.clone())], 0, 0), 0), text);
    }
    assert_eq!(plan_summary(&plan(&[("batch", three)], 0, 0), 0), "batch: 3");
}

proptest! {
    #[test]
    fn any_trace_fits(
        events in proptest::collection::vec(any_events(), 0..5),
        failure in failures(),
        width in 0usize..120,
        (host, text, value) in (texts(), texts(), texts()),
    ) {
        let mut trace = Trace { events, failure, ..saved() };
        let texts = trace.events.iter().map(event).chain([super::failure(&trace.failure, PLAIN)]);
        prop_assert!(texts.into_iter().all(|text| !text.contains(words::RAW)), "{trace:?}");
        trace.events.push(says(&host, &text, &[(&text, json!(value))]));
        let wide = timeline(&trace, &Filter::default(), PLAIN);
        prop_assert!(!wide.chars().any(|c| c.is_control() && c != '\n'), "{wide:?}");
        let narrow = timeline(&trace, &Filter::default(), Style { width: Some(width), ..PLAIN });
        prop_assert!(narrow.split_whitespace().eq(wide.split_whitespace()), "{narrow}");
        let coloured = timeline(&trace, &Filter::default(), Style { colour: true, ..PLAIN });
        let codes = ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m"].map(str::to_string);
        let codes = (30..98).map(|code| format!("\u{1b}[{code}m")).chain(codes);
        let plain = codes.fold(coloured, |text, code| text.replace(&code, ""));
        prop_assert_eq!(plain, wide);
    }
}
