//! Tests of views and of their forms.

use super::{
    messages::{Message, What},
    *,
};
use insta::assert_snapshot;
use refrain_core::{
    event::{Endpoint, Tcp, Udp},
    trace,
    trace::Trace,
};
use serde_json::Value;
use std::path::Path;

fn saved() -> Trace {
    trace::parse(Path::new("v3.jsonl"), include_bytes!("../../../core/tests/traces/v3.jsonl")).unwrap()
}

fn end(host: &str, port: u16) -> Endpoint {
    Endpoint { host: host.into(), port }
}

fn at(host: &str, kind: Kind) -> Event {
    Event { at: 0, host: host.into(), task: None, kind }
}

/// An event at the client's end of the one connection of these tests, or at the server's.
fn tcp(host: &str, what: Tcp) -> Event {
    let (client, server) = (end("client", 49152), end("server", 80));
    let conn = match host {
        "client" => Connection { local: client, peer: server },
        _ => Connection { local: server, peer: client },
    };
    at(host, Kind::Tcp { conn, what })
}

fn found(events: &[Event]) -> Vec<(usize, Option<usize>, What)> {
    messages(events, 0, &Lanes::of(events)).into_iter().map(|Message { from, to, what, .. }| (from, to, what)).collect()
}

#[test]
fn bytes_arrive_with_the_read_that_takes_the_last_of_them() {
    let events = [
        tcp("client", Tcp::Connect),
        tcp("server", Tcp::Accept),
        tcp("client", Tcp::Write(10)),
        tcp("client", Tcp::Write(5)),
        tcp("server", Tcp::Read(4)),
        tcp("server", Tcp::Read(11)),
        tcp("server", Tcp::Write(3)),
        tcp("client", Tcp::Close),
        tcp("server", Tcp::ReadEnd),
    ];
    let expected = [
        (0, Some(1), What::Connect),
        (2, Some(5), What::Bytes(10)),
        (3, Some(5), What::Bytes(5)),
        (6, None, What::Bytes(3)),
        (7, Some(8), What::End),
    ];
    assert_eq!(found(&events), expected);
}

#[test]
fn a_connection_takes_nothing_of_an_earlier_one_with_its_ports() {
    let events = [
        tcp("client", Tcp::Connect),
        tcp("client", Tcp::Write(10)),
        tcp("client", Tcp::Reset),
        tcp("client", Tcp::Connect),
        tcp("server", Tcp::Accept),
        tcp("client", Tcp::Write(2)),
        tcp("server", Tcp::Read(2)),
    ];
    let arrived: Vec<_> = found(&events).into_iter().filter(|(_, to, _)| to.is_some()).collect();
    assert_eq!(arrived, [(3, Some(4), What::Connect), (5, Some(6), What::Bytes(2))]);
}

#[test]
fn a_datagram_may_overtake_another_one() {
    let sends =
        |bytes| at("client", Kind::Udp { local: end("client", 1), what: Udp::Send { to: end("server", 2), bytes } });
    let receives = |bytes| {
        at("server", Kind::Udp { local: end("server", 2), what: Udp::Receive { from: end("client", 1), bytes } })
    };
    let events = [sends(1), sends(2), sends(3), receives(2), receives(1)];
    let arrived: Vec<_> = found(&events).into_iter().map(|(from, to, _)| (from, to)).collect();
    assert_eq!(arrived, [(0, Some(4)), (1, Some(3)), (2, None)]);
}

#[test]
fn a_stale_read_is_joined_to_the_store_that_it_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../selftest/traces");
    let of = |path: &std::path::PathBuf| path.to_string_lossy().contains("weak.relaxed_flags_let_both_enter");
    let path = path.read_dir().unwrap().map(|entry| entry.unwrap().path()).find(of).unwrap();
    let trace = trace::read(&path).unwrap();
    let view = View::new(&trace, &Filter::default());
    let [Message { from, to: Some(to), what: What::Stale, .. }] = &view.messages[..] else {
        panic!("{:?}", view.messages)
    };
    let text = |n: usize| view.events[n].text.as_str();
    assert!(text(*from).starts_with("atomic1 = ") && text(*to).starts_with("atomic1.load("), "{view:#?}");
}

#[test]
fn a_filter_lets_through_what_all_its_conditions_hold_for() {
    let trace = saved();
    let numbers = |filter: Filter| View::new(&trace, &filter).numbers().collect::<Vec<_>>();
    let all = numbers(Filter::default());
    assert_eq!(all.len(), trace.events.len());
    let (first, last) = (all[1], all[3]);
    assert_eq!(numbers(Filter { from: Some(first), to: Some(last), ..Filter::default() }), &all[1..=3]);
    assert_eq!(numbers(Filter { tail: Some(2), ..Filter::default() }), &all[all.len() - 2..]);
    let on = |host: &str| Filter { hosts: vec![host.into()], ..Filter::default() };
    let of_notes: Vec<_> =
        (0..).zip(&trace.events).filter(|(_, event)| event.host == "notes").map(|(n, _)| all[n]).collect();
    assert!(!of_notes.is_empty());
    assert_eq!(numbers(on("notes")), of_notes);
    assert_eq!(numbers(Filter { tail: Some(1), ..on("notes") }), &of_notes[of_notes.len() - 1..]);
    assert_eq!(numbers(on("nobody")), [0; 0]);
    let with = |grep: &str| Filter { grep: Some(grep.into()), ..Filter::default() };
    let text = timeline_of(&trace, &with("connects"));
    assert!(text.contains("connects notes:49152 -> exchange:5010") && !text.contains("writes"), "{text}");
}

fn timeline_of(trace: &Trace, filter: &Filter) -> String {
    crate::timeline(trace, filter, Style::default()).split("\nHost ").next().unwrap().to_owned()
}

#[test]
fn messages_are_shown_only_between_events_that_are() {
    let trace = saved();
    let view = View::new(&trace, &Filter { hosts: vec!["notes".into()], ..Filter::default() });
    let shown: Vec<usize> = view.numbers().collect();
    for message in &view.messages {
        assert!(shown.contains(&message.from) && message.to.is_none_or(|to| shown.contains(&to)), "{message:?}");
    }
}

#[test]
fn mermaid_draws_arrows_and_notes() {
    assert_snapshot!(mermaid(&View::new(&saved(), &Filter::default())));
}

#[test]
fn in_mermaid_no_text_ends_its_line_or_the_diagram() {
    let mut trace = saved();
    trace.events.push(at("end", Kind::Start));
    trace.events.push(at("a;b\nend\n%%{init: x}%%", Kind::Saw { value: "x; end\n  participant y as <b>z</b>".into() }));
    let text = mermaid(&View::new(&trace, &Filter::default()));
    let is_known = |line: &str| {
        let line = line.trim_start();
        line == "sequenceDiagram" || ["participant l", "Note over l", "l"].iter().any(|start| line.starts_with(start))
    };
    assert!(text.lines().all(is_known), "{text}");
    assert!(!text.contains("<b>"), "{text}");
    assert!(text.contains("as #101;nd\n"), "a participant called `end`: {text}");
}

#[test]
fn perfetto_has_a_slice_for_each_event_and_a_flow_for_each_arrival() {
    let trace = saved();
    let view = View::new(&trace, &Filter::default());
    let parsed: Value = serde_json::from_str(&perfetto(&view)).unwrap();
    let count =
        |phase: &str| parsed["traceEvents"].as_array().unwrap().iter().filter(|event| event["ph"] == phase).count();
    let arrived = view.messages.iter().filter(|message| message.to.is_some()).count();
    assert!(arrived > 0 && !view.faults.is_empty());
    assert_eq!((count("X"), count("s"), count("f")), (trace.events.len(), arrived, arrived));
    assert_eq!((count("b"), count("e")), (view.faults.len(), view.faults.len()));
}

#[test]
fn json_is_the_view_in_ascii() {
    let mut trace = saved();
    trace.test = "m\u{9b}31m\u{202e}\u{1f980}\u{7f}".into();
    let text = json(&View::new(&trace, &Filter::default()));
    assert!(text.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)), "{text}");
    let parsed: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(parsed["test"], escaped(&trace.test));
    assert_eq!(parsed["events"].as_array().unwrap().len(), trace.events.len());
    assert_eq!(parsed["failure"]["data"], serde_json::to_value(&trace.failure).unwrap());
}

#[test]
fn nothing_of_a_trace_becomes_markup_of_its_page() {
    let mut trace = saved();
    let hostile = "</title></script><script>alert(1)</script><!--";
    trace.test = hostile.into();
    trace.events.push(at(hostile, Kind::Saw { value: hostile.into() }));
    let page = page(&View::new(&trace, &Filter::default()));
    let plain = super::page(&View::new(&saved(), &Filter::default()));
    let tags =
        |page: &str| page.matches("<script").count() + page.matches("</script").count() + page.matches("<!--").count();
    assert_eq!(tags(&page), tags(&plain));
    let (_, data) = page.split_once("id=\"run\">").unwrap();
    let parsed: Value = serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap();
    assert_eq!(parsed["test"], hostile);
}
