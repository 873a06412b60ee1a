//! A run as a capture that Wireshark opens: the packets that its hosts sent, as far as the events tell, and its faults between them.
//!
//! Events are what applications do with sockets. So a segment is a write, an acknowledgement a read, and of payloads only the length is
//! known: they are cut off, as in a capture of headers alone.

mod addresses;
mod blocks;
mod packets;
mod tcp;

use super::{Filter, Shown, View};
use crate::words;
use addresses::Addresses;
use blocks::Blocks;
use packets::Packet;
use refrain_core::{
    escape::escaped,
    event::{Event, Kind, Udp},
};
use std::collections::BTreeSet;
use tcp::Streams;

/// LINKTYPE_RAW: a packet begins with its IP header.
const RAW: u16 = 101;
/// LINKTYPE_WIRESHARK_UPPER_PDU: a packet begins with the name of its dissector.
const UPPER_PDU: u16 = 252;
/// The numbers of the interfaces, in the order in which they are declared.
const NETWORK: u32 = 0;
const FAULTS: u32 = 1;
const ABOUT: &str = "Made by refrain from the events of a simulated run. Times are virtual, from the start of the run. A segment is a write of \
    an application, an acknowledgement a read; payloads are not known.";

/// Formats the events of a run that the filter lets through as a pcapng file.
pub fn pcapng<'a>(run: impl Into<Shown<'a>>, filter: &Filter) -> Vec<u8> {
    let run = run.into();
    let view = View::new(run, filter);
    let shown: BTreeSet<usize> = view.numbers().collect();
    let lost: BTreeSet<usize> =
        view.messages.iter().filter(|message| message.to.is_none()).map(|message| message.from).collect();
    let addresses = Addresses::of(run.events);
    let mut blocks = Blocks::default();
    blocks.section(&format!("{}: {}. {ABOUT}", view.test, view.headline()));
    blocks.interface(RAW, "network");
    blocks.interface(UPPER_PDU, "faults");
    blocks.names(addresses.names());
    let mut streams = Streams::default();
    for (n, event) in (run.left_out..).zip(run.events) {
        // Sequence numbers count what is not shown, too.
        let packets = packets(event, &mut streams);
        if !shown.contains(&n) {
            continue;
        }
        for packet in packets {
            let lost = lost.contains(&n).then_some("never arrives");
            let comment = [packet.comment.as_deref(), lost].into_iter().flatten().collect::<Vec<_>>().join("; ");
            let (bytes, length) = packet.bytes(&addresses);
            blocks.packet(NETWORK, event.at, &bytes, length, &comment);
        }
        if is_noted(&event.kind) {
            let text = escaped(&format!("{}: {}", words::host(&event.host), crate::event(event)));
            let bytes = packets::text(&text);
            blocks.packet(FAULTS, event.at, &bytes, bytes.len() as u32, &text);
        }
    }
    blocks.into_bytes()
}

/// Returns the packets that an event tells of.
fn packets(event: &Event, streams: &mut Streams) -> Vec<Packet> {
    match &event.kind {
        Kind::Tcp { conn, what } => streams.packets(conn, *what),
        Kind::Udp { local, what: Udp::Send { to, bytes } } => vec![Packet::datagram(local, to, *bytes)],
        _ => vec![],
    }
}

/// Returns whether an event is shown between the packets, as text.
fn is_noted(kind: &Kind) -> bool {
    use Kind::{End, FaultBegins, FaultEnds, Heal, NotRestarted, Signal, Start, Verdict};
    matches!(kind, Start | End(_) | NotRestarted | FaultBegins(_) | FaultEnds(_) | Heal | Signal { .. } | Verdict)
}

#[cfg(test)]
mod tests;
