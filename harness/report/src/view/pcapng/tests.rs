//! Tests of captures, which are read back block by block.

use super::*;
use refrain_core::{
    event::{Connection, Endpoint, Tcp},
    trace,
    trace::Trace,
};
use std::path::Path;

fn saved() -> Trace {
    trace::parse(Path::new("v3.jsonl"), include_bytes!("../../../../core/tests/traces/v3.jsonl")).unwrap()
}

/// A block: its kind, and its body.
type Block = (u32, Vec<u8>);

/// A packet as it was captured.
#[derive(Debug, PartialEq, Eq)]
struct Captured {
    interface: u32,
    at: u64,
    bytes: Vec<u8>,
    length: u32,
    comment: String,
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

#[track_caller]
fn blocks_of(mut file: &[u8]) -> Vec<Block> {
    let mut blocks = Vec::new();
    while !file.is_empty() {
        let length = word(file, 4) as usize;
        assert!(length.is_multiple_of(4) && length <= file.len(), "{length}");
        assert_eq!(word(file, length - 4) as usize, length, "the length at the end of a block");
        blocks.push((word(file, 0), file[8..length - 4].to_vec()));
        file = &file[length..];
    }
    blocks
}

fn captured(file: &[u8]) -> Vec<Captured> {
    let packets = blocks_of(file).into_iter().filter(|(kind, _)| *kind == 6);
    packets
        .map(|(_, body)| {
            let captured = word(&body, 12) as usize;
            let options = &body[20 + captured.next_multiple_of(4)..];
            let comment = match options {
                [] => "",
                [1, 0, low, high, rest @ ..] => {
                    std::str::from_utf8(&rest[..u16::from_le_bytes([*low, *high]) as usize]).unwrap()
                }
                other => panic!("{other:?}"),
            };
            Captured {
                interface: word(&body, 0),
                at: u64::from(word(&body, 4)) << 32 | u64::from(word(&body, 8)),
                bytes: body[20..20 + captured].to_vec(),
                length: word(&body, 16),
                comment: comment.to_owned(),
            }
        })
        .collect()
}

/// The run of the one connection of these tests: what happens at the client's end, or at the server's.
fn trace_of(events: &[(&str, Tcp)]) -> Trace {
    let [client, server] = [("client", 49152), ("server", 80)].map(|(host, port)| Endpoint { host: host.into(), port });
    let of = |(n, (host, what)): (usize, &(&str, Tcp))| {
        let (local, peer) = if *host == "client" { (&client, &server) } else { (&server, &client) };
        let conn = Connection { local: local.clone(), peer: peer.clone() };
        Event { at: n as u64, host: (*host).into(), task: None, kind: Kind::Tcp { conn, what: *what } }
    };
    Trace { left_out: 0, events: events.iter().enumerate().map(of).collect(), ..saved() }
}

/// Each segment as `client SYN 0/0+0`: its sender, flags, sequence number, acknowledgement and payload.
fn segments(events: &[(&str, Tcp)]) -> Vec<String> {
    let trace = trace_of(events);
    let all = captured(&pcapng(&trace, &Filter::default()));
    let text = |Captured { bytes, length, .. }: &Captured| {
        assert_eq!((bytes[0], bytes.len()), (0x45, 40), "an IPv4 and a TCP header");
        let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        let from = if bytes[20..22] == 80_u16.to_be_bytes() { "server" } else { "client" };
        let names = [(1, "FIN"), (2, "SYN"), (4, "RST"), (8, "PSH"), (16, "ACK")];
        let flags: Vec<_> = names.into_iter().filter(|(bit, _)| bytes[33] & bit != 0).map(|(_, name)| name).collect();
        format!("{from} {} {}/{}+{}", flags.join(","), number(24), number(28), length - 40)
    };
    all.iter().filter(|packet| packet.interface == NETWORK).map(text).collect()
}

#[test]
fn a_connection_has_a_handshake_data_and_an_end_with_their_numbers() {
    let events = [
        ("client", Tcp::Connect),
        ("client", Tcp::Connected),
        ("server", Tcp::Accept),
        ("client", Tcp::Write(10)),
        ("server", Tcp::Read(10)),
        ("server", Tcp::Write(3)),
        ("client", Tcp::Read(3)),
        ("client", Tcp::Close),
        ("server", Tcp::ReadEnd),
        ("server", Tcp::Close),
        ("client", Tcp::ReadEnd),
    ];
    let expected = [
        "client SYN 0/0+0",
        "server SYN,ACK 0/1+0",
        "client ACK 1/1+0",
        "client PSH,ACK 1/1+10",
        "server ACK 1/11+0",
        "server PSH,ACK 1/11+3",
        "client ACK 11/4+0",
        "client FIN,ACK 11/4+0",
        "server ACK 4/12+0",
        "server FIN,ACK 4/12+0",
        "client ACK 12/5+0",
    ];
    assert_eq!(segments(&events), expected);
}

#[test]
fn a_server_may_know_of_a_connection_before_its_client() {
    let events = [("client", Tcp::Connect), ("server", Tcp::Accept), ("client", Tcp::Connected)];
    assert_eq!(segments(&events), ["client SYN 0/0+0", "server SYN,ACK 0/1+0", "client ACK 1/1+0"]);
}

#[test]
fn what_is_refused_or_given_up_has_no_handshake() {
    let refused = [("client", Tcp::Connect), ("client", Tcp::Refused)];
    assert_eq!(segments(&refused), ["client SYN 0/0+0", "server RST,ACK 0/1+0"]);
    let given_up = [("client", Tcp::Connect), ("client", Tcp::Close)];
    assert_eq!(segments(&given_up), ["client SYN 0/0+0"]);
}

#[test]
fn a_connection_whose_beginning_is_not_known_goes_on() {
    assert_eq!(segments(&[("server", Tcp::Write(7))]), ["server PSH,ACK 1/1+7"]);
}

#[test]
fn the_numbers_of_a_connection_begin_anew_with_its_ports() {
    let events = [("client", Tcp::Write(7)), ("client", Tcp::Reset), ("client", Tcp::Connect)];
    assert_eq!(segments(&events), ["client PSH,ACK 1/1+7", "server RST,ACK 1/8+0", "client SYN 0/0+0"]);
}

/// A trace may tell of any number of bytes.
#[test]
fn a_write_of_any_length_has_a_limited_number_of_segments() {
    let trace = trace_of(&[("client", Tcp::Write(u64::MAX)), ("client", Tcp::Write(1))]);
    let all = captured(&pcapng(&trace, &Filter::default()));
    assert_eq!(all.len(), 257);
    assert!(all[255].comment.starts_with("1844674407369"), "{:?}", all[255]);
    assert_eq!(all[0].length, 65_535);
}

#[test]
fn a_filter_changes_no_numbers() {
    let trace = trace_of(&[("client", Tcp::Write(7)), ("client", Tcp::Write(8)), ("client", Tcp::Write(9))]);
    let filter = Filter { from: Some(2), ..Filter::default() };
    let all = captured(&pcapng(&trace, &filter));
    assert_eq!(all.len(), 1);
    assert_eq!(&all[0].bytes[24..28], &16_u32.to_be_bytes(), "the sequence number counts the bytes before");
}

#[test]
fn what_never_arrives_and_faults_are_told_in_comments() {
    let trace = saved();
    let all = captured(&pcapng(&trace, &Filter::default()));
    let view = View::new(&trace, &Filter::default());
    assert!(!view.faults.is_empty());
    for fault in &view.faults {
        let is_told = |packet: &Captured| packet.interface == FAULTS && packet.comment.contains(&fault.text);
        assert!(all.iter().any(is_told), "{}: {all:?}", fault.text);
    }
    let lost = view.messages.iter().filter(|message| message.to.is_none()).count();
    let told = all.iter().filter(|packet| packet.comment.contains("never arrives")).count();
    assert_eq!(told, lost);
    let times: Vec<u64> = all.iter().map(|packet| packet.at).collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn hostile_text_stays_text_in_comments_and_names() {
    let mut trace = trace_of(&[("client", Tcp::Connect)]);
    let hostile = "x\u{1b}[2J\0\u{202e}\n".repeat(2_000);
    trace.test = hostile.clone();
    trace.events.push(Event { at: 9, host: hostile, task: None, kind: Kind::Start });
    let file = pcapng(&trace, &Filter::default());
    assert!(!file.windows(2).any(|pair| pair == b"\x1b["), "an escape sequence is in the file");
    let all = captured(&file);
    assert!(all.last().unwrap().comment.starts_with("x\\u{1b}[2J"), "{:?}", all.last());
    assert_eq!(blocks_of(&file).iter().filter(|(kind, _)| *kind == 4).count(), 1);
}
