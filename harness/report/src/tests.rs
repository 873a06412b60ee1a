//! What people read, as they read it.

use super::*;
use insta::assert_snapshot;
use proptest::prelude::*;
use refrain_core::{
    event::{Event, Kind},
    plan::{Argument, Deviation, Plan, Threads, arbitrary::texts},
    trace::{self, Trace},
    verdict::{Class, Failure},
};
use serde_json::{Value, json};
use std::path::Path;

const PLAIN: Style = Style { colour: false, width: None, exact: false };

fn v1() -> Trace {
    trace::parse(Path::new("v1.jsonl"), include_bytes!("../../core/tests/traces/v1.jsonl")).unwrap()
}

fn says(host: &str, text: &str, fields: &[(&str, Value)]) -> Event {
    let fields = fields.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
    let (task, place) = (String::new(), String::new());
    Event { at: 7, host: host.into(), task, place, kind: Kind::Says, text: text.into(), fields }
}

fn wrong(class: Class, message: &str, place: &str, causes: &[&str]) -> Failure {
    let causes = causes.iter().map(|cause| cause.to_string()).collect();
    Failure { class, property: String::new(), place: place.into(), message: message.into(), causes }
}

#[test]
fn sockets_are_shown_as_ss_does() {
    let trace = trace::parse(Path::new("v2.jsonl"), include_bytes!("../../core/tests/traces/v2.jsonl")).unwrap();
    assert_snapshot!(sockets(&trace.sockets, PLAIN), @"
    Host      Netid  State   Recv-Q  Send-Q  Local Address:Port  Peer Address:Port
    exchange  tcp    LISTEN  0       1024    0.0.0.0:5010        *
    exchange  tcp    ESTAB   0       18      exchange:5010       notes:49152        timer:(on,3.200sec,3)
    notes     tcp    ESTAB   0       0       notes:49152         exchange:5010
    ");
    let whole = timeline(&trace, PLAIN);
    assert!(whole.contains(&format!("\n\n{}\nFAILED stall", sockets(&trace.sockets, PLAIN))), "{whole}");
    assert_eq!(sockets(&[], PLAIN), "");
}

/// The text with `<1;31>` for the code that sets a colour.
fn visible(text: &str) -> String {
    text.split('\u{1b}')
        .map(|part| part.strip_prefix('[').map_or(part.into(), |code| "<".to_string() + &code.replacen('m', ">", 1)))
        .collect()
}

#[test]
fn a_trace_reads_from_its_plan_to_its_failure() {
    assert_snapshot!(timeline(&v1(), PLAIN), @r#"
    link::queries_recover_after_the_link_heals
      seed 42
      queries = [{"user":"ålice","weight":0.1}]
      cut exchange <-> notes at 12.3 s for 4.2 s
      hold the 1st task spawned on notes at src/link.rs:88 at its 3rd poll until nothing else can run

     #  time          host      task                what
     0  00:00:00.000  exchange                      boots
     1  00:00:00.000  notes                         boots
     2  00:00:00.001  exchange  src/server.rs:31    listens on 10.0.0.1:5010
     3  00:00:12.290  notes     src/link.rs:88      starts to connect to 10.0.0.1:5010
     4  00:00:12.295  exchange  src/server.rs:31    accepts 10.0.0.2:49152
     5  00:00:12.295  exchange  src/server.rs:52#2  is spawned
     6  00:00:12.299  notes     src/link.rs:88      writes 18 bytes to 10.0.0.1:5010
     7  00:00:12.300  (test)                        cut exchange <-> notes begins
     8  00:00:12.301  notes     src/link.rs:88      INFO calcon::link: waits for HELLO epoch=7 peer=exchange ratio=0.1
     9  00:00:16.500  (test)                        cut exchange <-> notes is over
    10  00:00:20.000  (test)                        heals
    11  00:01:20.000  (test)                        "a fresh query is answered" is still pending

    FAILED stall: "a fresh query is answered" was still pending 60 s after the network healed
      at tests/scenarios.rs:41
      notes: link task waits for HELLO reply on 10.0.0.2:49152 -> 10.0.0.1:5010, since 00:00:12.301, no deadline
      last fault touching it: cut exchange <-> notes at 00:00:12.300 for 4.2 s
    "#);
}

#[test]
fn a_narrow_terminal_gets_more_lines_and_loses_no_word() {
    let style = Style { width: Some(88), exact: true, ..PLAIN };
    let trace = Trace { events: v1().events.split_off(7), left_out: 7, ..v1() };
    assert_snapshot!(timeline(&trace, style), @r#"
    link::queries_recover_after_the_link_heals
      seed 42
      queries = [{"user":"ålice","weight":0.1}]
      cut exchange <-> notes at 12.3 s for 4.2 s
      hold the 1st task spawned on notes at src/link.rs:88 at its 3rd poll until nothing
        else can run

     #  time                host    task            what
    (7 events before)
     7  00:00:12.300000000  (test)                  cut exchange <-> notes begins
     8  00:00:12.301000123  notes   src/link.rs:88  INFO calcon::link: waits for HELLO
                                                    epoch=7 peer=exchange ratio=0.1
     9  00:00:16.500000000  (test)                  cut exchange <-> notes is over
    10  00:00:20.000000000  (test)                  heals
    11  00:01:20.000000000  (test)                  "a fresh query is answered" is still
                                                    pending

    FAILED stall: "a fresh query is answered" was still pending 60 s after the network
      healed
      at tests/scenarios.rs:41
      notes: link task waits for HELLO reply on 10.0.0.2:49152 -> 10.0.0.1:5010, since
        00:00:12.301, no deadline
      last fault touching it: cut exchange <-> notes at 00:00:12.300 for 4.2 s
    "#);
}

#[test]
fn colours_tell_hosts_and_kinds_apart() {
    let trace = Trace { events: v1().events.split_off(6), ..v1() };
    let style = Style { colour: true, ..PLAIN };
    assert_snapshot!(visible(&timeline(&trace, style)), @r#"
    <1>link::queries_recover_after_the_link_heals<0>
      seed 42
      queries = [{"user":"ålice","weight":0.1}]
      cut exchange <-> notes at 12.3 s for 4.2 s
      hold the 1st task spawned on notes at src/link.rs:88 at its 3rd poll until nothing else can run

    <2>#<0>  <2>time<0>          <2>host<0>    <2>task<0>            <2>what<0>
    <2>0<0>  <2>00:00:12.299<0>  <36>notes<0>   <2>src/link.rs:88<0>  <2>writes 18 bytes to 10.0.0.1:5010<0>
    <2>1<0>  <2>00:00:12.300<0>  <1>(test)<0>                  <1><33>cut exchange <-> notes begins<0>
    <2>2<0>  <2>00:00:12.301<0>  <36>notes<0>   <2>src/link.rs:88<0>  INFO calcon::link: waits for HELLO epoch=7 peer=exchange ratio=0.1
    <2>3<0>  <2>00:00:16.500<0>  <1>(test)<0>                  <1><33>cut exchange <-> notes is over<0>
    <2>4<0>  <2>00:00:20.000<0>  <1>(test)<0>                  <1>heals<0>
    <2>5<0>  <2>00:01:20.000<0>  <1>(test)<0>                  <1>"a fresh query is answered" is still pending<0>

    <1><31>FAILED stall<0>: <1>"a fresh query is answered" was still pending 60 s after the network healed<0>
      at tests/scenarios.rs:41
      notes: link task waits for HELLO reply on 10.0.0.2:49152 -> 10.0.0.1:5010, since 00:00:12.301, no deadline
      last fault touching it: cut exchange <-> notes at 00:00:12.300 for 4.2 s
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
        says("a", "INFO svc: ok\n1  00:00:00.000  b  forged\u{1b}[2J\r\u{7f}\u{202e}", &fields),
        says("höst\n", "ERROR svc: 漢字", &[("key=\n", json!("x\u{1b}"))]),
    ];
    assert_snapshot!(events(&rows, 99, PLAIN), @r#"
      #  time          host    task  what
    (99 events before)
     99  00:00:00.000  a             INFO svc: ok
                                     1  00:00:00.000  b  forged\u{1b}[2J\r\u{7f}\u{202e} list=[1,"x"] name="two words" none="" path=a/b
    100  00:00:00.000  höst\n        ERROR svc: 漢字 key=
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
    let causes =
        ["notes: link task waits for HELLO reply, since 00:00:12.301, no deadline", "last fault:\ncut a <-> b"];
    let stall = wrong(Class::Stall, "\"answered\" was still pending 60 s after the network healed", "", &causes);
    assert_snapshot!(failure(&stall, PLAIN), @r#"
    FAILED stall: "answered" was still pending 60 s after the network healed
      notes: link task waits for HELLO reply, since 00:00:12.301, no deadline
      last fault:
        cut a <-> b
    "#);
    let panic = wrong(Class::Panic, "assertion failed\n  left: 1\n right: 2", "src/link.rs:90", &[]);
    assert_snapshot!(failure(&panic, PLAIN), @r#"
    FAILED panic: assertion failed
        left: 1
       right: 2
      at src/link.rs:90
    "#);
    let named = wrong(Class::Panic, "src/link.rs:90: \u{1b}[31mno", "src/link.rs:90", &[]);
    assert_snapshot!(failure(&named, PLAIN), @r"FAILED panic: src/link.rs:90: \u{1b}[31mno");
}

#[test]
fn a_summary_counts_what_is_there() {
    let plan = |workload: &[(&str, Value)], faults: usize, holds: usize| Plan {
        workload: workload
            .iter()
            .map(|(name, value)| Argument { name: name.to_string(), value: value.clone() })
            .collect(),
        faults: vec![v1().plan.faults[0].clone(); faults],
        holds: vec![v1().plan.holds[0].clone(); holds],
        ..Plan::default()
    };
    let preempts = |thread| Deviation { step: 3, thread, preempts: true };
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
    fn any_text_fits(text in texts(), host in texts(), width in 0usize..120, value in texts()) {
        let mut trace = v1();
        trace.events[0] = Event { task: text.clone(), ..says(&host, &text, &[(&text, json!(value))]) };
        trace.failure = wrong(Class::Panic, &text, &value, &[&host]);
        let wide = timeline(&trace, PLAIN);
        prop_assert!(!wide.chars().any(|c| c.is_control() && c != '\n'), "{wide:?}");
        let narrow = timeline(&trace, Style { width: Some(width), ..PLAIN });
        prop_assert!(narrow.split_whitespace().eq(wide.split_whitespace()), "{narrow}");
        let coloured = timeline(&trace, Style { colour: true, ..PLAIN });
        let codes = ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m"].map(str::to_string);
        let codes = (30..98).map(|code| format!("\u{1b}[{code}m")).chain(codes);
        let plain = codes.fold(coloured, |text, code| text.replace(&code, ""));
        prop_assert_eq!(plain, wide);
    }
}
