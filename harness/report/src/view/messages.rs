//! Finds where what was sent has arrived: the read that takes the last byte of a write, the accept of a connect.
//!
//! A trace has what applications do with their sockets, not the packets in between. Bytes of a stream arrive in order, so the
//! bytes that were written and read at its two ends tell which read takes which write.

use super::lanes::Lanes;
use refrain_core::event::{
    Connection, Endpoint, Event, Kind, Step, Tcp, Udp, Unix,
    step::{Atomic, Operation, Read},
};
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};

/// Something that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Message {
    /// The event that sends it.
    pub(super) from: usize,
    /// The event with which it arrives; `None`: it does not, before the run ends.
    pub(super) to: Option<usize>,
    /// The index of the lane that it is sent to.
    pub(super) lane: usize,
    /// What it is.
    pub(super) what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum What {
    /// A connect, which arrives with the accept.
    Connect,
    /// This many bytes.
    Bytes(u64),
    /// The end of one direction of a stream.
    End,
    /// A load has read a store that is not the newest one.
    Stale,
}

/// A stream in one direction, from one endpoint to another.
type Direction = (Endpoint, Endpoint);

#[derive(Default)]
struct Stream {
    /// What was sent and has not arrived: which message, and how many of its bytes are left.
    sent: VecDeque<(usize, u64)>,
    end: Option<usize>,
}

impl Stream {
    /// Takes bytes off what was sent, and returns the messages that are complete with them.
    fn read(&mut self, mut bytes: u64) -> Vec<usize> {
        let mut complete = Vec::new();
        while let Some((message, left)) = self.sent.front_mut() {
            if *left > bytes {
                *left -= bytes;
                break;
            }
            bytes -= *left;
            complete.push(*message);
            self.sent.pop_front();
        }
        complete
    }
}

/// Returns all messages, in the order in which they were sent. The first event has the number `first`.
pub(super) fn messages(events: &[Event], first: usize, lanes: &Lanes) -> Vec<Message> {
    let mut found = Found { messages: Vec::new(), lanes };
    let (mut connects, mut streams, mut datagrams, mut sockets) =
        (BTreeMap::new(), BTreeMap::<Direction, Stream>::new(), BTreeMap::new(), BTreeMap::<u64, Stream>::new());
    let mut stores = Stores::default();
    for (n, event) in (first..).zip(events) {
        match &event.kind {
            Kind::Tcp { conn, what } => tcp(n, conn, *what, &mut found, &mut connects, &mut streams),
            Kind::Udp { local, what: Udp::Send { to, bytes } } => {
                let sent = found.send(n, &to.host, What::Bytes(*bytes));
                let queue: &mut VecDeque<(usize, u64)> = datagrams.entry((local.clone(), to.clone())).or_default();
                queue.extend(sent.map(|message| (message, *bytes)));
            }
            Kind::Udp { local, what: Udp::Receive { from, bytes } } => {
                // The first one of this size: datagrams may overtake each other.
                let queue = datagrams.entry((from.clone(), local.clone())).or_default();
                if let Some(at) = queue.iter().position(|(_, sent)| sent == bytes) {
                    let (message, _) = queue.remove(at).expect("it was found there");
                    found.messages[message].to = Some(n);
                }
            }
            Kind::Unix { socket, what: Unix::Write(bytes) } => {
                if let (Some(peer), Some(message)) = (socket.peer, found.send(n, &event.host, What::Bytes(*bytes))) {
                    sockets.entry(peer).or_default().sent.push_back((message, *bytes));
                }
            }
            Kind::Unix { socket, what: Unix::Read(bytes) } => {
                let complete = sockets.get_mut(&socket.number).map(|stream| stream.read(*bytes));
                complete.into_iter().flatten().for_each(|message| found.messages[message].to = Some(n));
            }
            Kind::Step(step) => stores.step(n, step, &mut found),
            _ => {}
        }
    }
    found.messages
}

struct Found<'a> {
    messages: Vec<Message>,
    lanes: &'a Lanes,
}

impl Found<'_> {
    /// Returns the index of the message; `None` if its receiver has no lane.
    fn send(&mut self, from: usize, host: &str, what: What) -> Option<usize> {
        let lane = self.lanes.of_host(host)?;
        self.messages.push(Message { from, to: None, lane, what });
        Some(self.messages.len() - 1)
    }
}

fn tcp(
    n: usize,
    Connection { local, peer }: &Connection,
    what: Tcp,
    found: &mut Found<'_>,
    connects: &mut BTreeMap<Direction, usize>,
    streams: &mut BTreeMap<Direction, Stream>,
) {
    let (out, back) = ((local.clone(), peer.clone()), (peer.clone(), local.clone()));
    match what {
        Tcp::Connect => {
            // The ports may have been those of an earlier connection.
            streams.remove(&out);
            streams.remove(&back);
            if let Some(message) = found.send(n, &peer.host, What::Connect) {
                connects.insert(out, message);
            }
        }
        Tcp::Accept => {
            if let Some(message) = connects.remove(&back) {
                found.messages[message].to = Some(n);
            }
        }
        Tcp::Write(bytes) => {
            if let Some(message) = found.send(n, &peer.host, What::Bytes(bytes)) {
                streams.entry(out).or_default().sent.push_back((message, bytes));
            }
        }
        Tcp::Read(bytes) => {
            let complete = streams.get_mut(&back).map(|stream| stream.read(bytes));
            complete.into_iter().flatten().for_each(|message| found.messages[message].to = Some(n));
        }
        Tcp::Shutdown | Tcp::Close => {
            let stream = streams.entry(out).or_default();
            if stream.end.is_none() {
                stream.end = found.send(n, &peer.host, What::End);
            }
        }
        Tcp::ReadEnd => {
            if let Some(message) = streams.get(&back).and_then(|stream| stream.end) {
                found.messages[message].to.get_or_insert(n);
            }
        }
        _ => {}
    }
}

/// The stores to each atomic so far, by their number among them.
#[derive(Default)]
struct Stores(BTreeMap<(u32, usize), usize>, BTreeMap<u32, usize>);

impl Stores {
    fn step(&mut self, n: usize, step: &Step, found: &mut Found<'_>) {
        let Operation::Atomic { id, what } = &step.does else { return };
        let read = match what {
            Atomic::Load { read, .. } | Atomic::CompareExchange { result: Err(read), .. } => read,
            _ => {
                let count = self.1.entry(*id).or_default();
                *count += 1;
                self.0.insert((*id, *count), n);
                return;
            }
        };
        let Read::Stale { was, .. } = read else { return };
        if let (Some(store), Some(lane)) = (self.0.get(&(*id, was.nth)), found.lanes.of_thread(step.thread)) {
            found.messages.push(Message { from: *store, to: Some(n), lane, what: What::Stale });
        }
    }
}
