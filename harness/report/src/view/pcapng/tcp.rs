//! The segments of TCP that the events of applications tell of, with the sequence numbers that they had.
//!
//! Each side's first sequence number is 0, so that Wireshark's relative numbers are the real ones.

use super::packets::{PAYLOAD_MAX, Packet};
use refrain_core::event::{Connection, Endpoint, Tcp};
use std::collections::BTreeMap;

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const PSH: u8 = 8;
const ACK: u8 = 16;

/// The most segments of one write. What is longer is cut off with a comment.
const SEGMENTS_MAX: usize = 256;

/// All connections so far, by their two ends, of which the smaller comes first.
#[derive(Debug, Default)]
pub(super) struct Streams(BTreeMap<(Endpoint, Endpoint), Stream>);

/// A connection: what each end has sent.
#[derive(Debug, Default)]
struct Stream {
    handshake: Handshake,
    sides: BTreeMap<Endpoint, Side>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Handshake {
    /// It is not among the events.
    #[default]
    Before,
    Begun,
    Over,
}

#[derive(Debug, Default, Clone, Copy)]
struct Side {
    /// The next sequence number.
    next: u32,
    /// The next sequence number of the other side that it expects.
    expected: u32,
    is_shut: bool,
}

impl Streams {
    /// Returns the segments that an event tells of.
    pub(super) fn packets(&mut self, conn: &Connection, what: Tcp) -> Vec<Packet> {
        let Connection { local, peer } = conn;
        let ends = if local <= peer { (local, peer) } else { (peer, local) };
        let stream = self.0.entry((ends.0.clone(), ends.1.clone())).or_default();
        match what {
            Tcp::Connect | Tcp::ConnectNowhere => {
                // The ports may have been those of an earlier connection.
                *stream = Stream { handshake: Handshake::Begun, ..Stream::default() };
                vec![stream.send(local, peer, SYN, 0)]
            }
            Tcp::Connected => stream.establish(local, peer),
            Tcp::Accept => stream.establish(peer, local),
            // Nobody else knows of it yet.
            Tcp::Shutdown | Tcp::Close if stream.handshake == Handshake::Begun => vec![],
            Tcp::Write(bytes) => stream.write(local, peer, bytes),
            Tcp::Read(bytes) => stream.acknowledge(local, peer, bytes as u32),
            Tcp::ReadEnd => stream.acknowledge(local, peer, 1),
            Tcp::Shutdown | Tcp::Close if stream.side(local).is_shut => vec![],
            Tcp::Shutdown | Tcp::Close => {
                stream.go_on(local, peer);
                stream.side(local).is_shut = true;
                vec![stream.send(local, peer, FIN | ACK, 0)]
            }
            Tcp::Refused | Tcp::Reset => {
                // It answers what was sent so far.
                stream.side(peer).expected = stream.side(local).next;
                vec![stream.send(peer, local, RST | ACK, 0)]
            }
            // Nothing is sent, or it is not known.
            _ => vec![],
        }
    }
}

impl Stream {
    fn side(&mut self, end: &Endpoint) -> &mut Side {
        self.sides.entry(end.clone()).or_default()
    }

    /// Returns the second and the third segment of the handshake, unless it is over: either end may be the first to know.
    fn establish(&mut self, client: &Endpoint, server: &Endpoint) -> Vec<Packet> {
        if self.handshake == Handshake::Over {
            return vec![];
        }
        self.handshake = Handshake::Over;
        self.side(client).next = 1;
        self.side(server).expected = 1;
        let answer = self.send(server, client, SYN | ACK, 0);
        self.side(client).expected = 1;
        vec![answer, self.send(client, server, ACK, 0)]
    }

    /// A connection whose handshake is not among the events has had one.
    fn go_on(&mut self, local: &Endpoint, peer: &Endpoint) {
        if self.handshake == Handshake::Before {
            self.handshake = Handshake::Over;
            for end in [local, peer] {
                *self.side(end) = Side { next: 1, expected: 1, is_shut: false };
            }
        }
    }

    fn write(&mut self, from: &Endpoint, to: &Endpoint, bytes: u64) -> Vec<Packet> {
        self.go_on(from, to);
        let mut segments = Vec::new();
        let mut left = bytes;
        while left > 0 && segments.len() < SEGMENTS_MAX {
            let payload = left.min(PAYLOAD_MAX);
            left -= payload;
            // What completes the write is pushed to the application.
            let flags = if left == 0 { PSH | ACK } else { ACK };
            segments.push(self.send(from, to, flags, payload));
        }
        if let Some(last) = segments.last_mut().filter(|_| left > 0) {
            last.comment = Some(format!("{left} bytes more are not shown"));
            self.side(from).next = self.side(from).next.wrapping_add(left as u32);
        }
        segments
    }

    fn acknowledge(&mut self, from: &Endpoint, to: &Endpoint, more: u32) -> Vec<Packet> {
        self.go_on(from, to);
        let side = self.side(from);
        side.expected = side.expected.wrapping_add(more);
        vec![self.send(from, to, ACK, 0)]
    }

    /// Returns the next segment of a side. SYN and FIN take a sequence number, as a byte does.
    fn send(&mut self, from: &Endpoint, to: &Endpoint, flags: u8, payload: u64) -> Packet {
        let side = self.side(from);
        let acknowledged = if flags & ACK == 0 { 0 } else { side.expected };
        let packet = Packet::segment((from, to), flags, [side.next, acknowledged], payload);
        let control = u32::from(flags & (SYN | FIN) != 0);
        side.next = side.next.wrapping_add(payload as u32).wrapping_add(control);
        packet
    }
}
