//! A TCP connection as plain data: two ends, and a pipe each way.

use super::{HostId, Kernel, ListenerId, Waiters, bytes::Bytes, name_of, record};
use std::{collections::VecDeque, io, net::SocketAddr};

/// A connection. Numbers are never used again within a run, so a socket of a dead process means nothing any more.
pub(crate) type ConnId = usize;

/// Which end: 0 connected, 1 accepted.
pub(crate) type Side = usize;

/// A connection between two hosts.
#[derive(Debug)]
pub(crate) struct Conn {
    pub ends: [End; 2],
    /// `pipes[side]` carries what that side writes.
    pub pipes: [Pipe; 2],
    pub handshake: Handshake,
    pub listener: Option<ListenerId>,
    /// The stream of chance for its latencies.
    pub stream: u64,
    /// How many packets without data each side has sent: SYN, ACK, RST.
    pub control: [u64; 2],
    pub connecting: Waiters,
}

/// How far the three-way handshake is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handshake {
    /// The client has sent its SYN.
    SynSent,
    /// The server has answered it; the client may or may not know.
    SynReceived,
    /// Both sides know.
    Established,
}

/// One end of a connection, as its host's kernel sees it.
#[derive(Debug)]
pub(crate) struct End {
    pub host: HostId,
    /// Which boot of the host it belongs to.
    pub boot: u32,
    pub addr: SocketAddr,
    /// Whether the application still holds the socket.
    pub open: bool,
    /// Whether the application once held it and does no longer.
    pub let_go: bool,
    /// Whether this host's kernel knows nothing of the connection any more.
    pub gone: bool,
    /// Whether the client has seen the handshake's end, or the server the client's answer.
    pub established: bool,
    /// To be reported once to the application.
    pub error: Option<io::ErrorKind>,
    pub nodelay: bool,
}

/// What one side has written and the other has not yet read.
#[derive(Debug, Default)]
pub(crate) struct Pipe {
    /// Written, not yet sent: the window is closed.
    pub queued: Bytes,
    /// Sent, not yet arrived, in order.
    pub flight: VecDeque<Segment>,
    pub flight_bytes: usize,
    /// Arrived, not yet read.
    pub arrived: Bytes,
    /// No segment may arrive before the one that was sent before it.
    pub last_due: u64,
    pub packets: u64,
    /// Counts rounds of retransmission, so that a lost segment's arrival means nothing.
    pub round: u32,
    /// How often in a row it was retransmitted; 0 while all is well.
    pub tries: u32,
    /// Whether a retransmission is waited for.
    pub waiting: bool,
    pub fin: Fin,
    pub readers: Waiters,
    pub writers: Waiters,
}

/// A segment on its way. Without bytes it is a FIN.
#[derive(Debug)]
pub(crate) struct Segment {
    pub due: u64,
    pub bytes: Vec<u8>,
    /// Whether the link was cut when it was sent.
    pub lost: bool,
}

/// How far the end of a direction is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fin {
    /// It may be written to.
    #[default]
    Open,
    /// The writer has shut it down; the FIN waits behind what is queued.
    Queued,
    /// The FIN is on its way.
    Sent,
    /// The FIN has arrived.
    Arrived,
}

impl Pipe {
    /// The first segment arrives, or its first `most` bytes; says how many did.
    pub fn arrive(&mut self, most: usize) -> usize {
        let Some(segment) = self.flight.front_mut() else { return 0 };
        let bytes = if segment.bytes.len() > most {
            let rest = segment.bytes.split_off(most);
            std::mem::replace(&mut segment.bytes, rest)
        } else {
            if segment.bytes.is_empty() {
                self.fin = Fin::Arrived;
            }
            self.flight.pop_front().map_or(vec![], |segment| segment.bytes)
        };
        let n = bytes.len();
        self.flight_bytes -= n;
        self.arrived.push(bytes);
        n
    }
}

impl Kernel {
    /// A new connection, not yet begun.
    pub fn new_conn(&mut self, from: HostId, local: SocketAddr, to: HostId, remote: SocketAddr) -> ConnId {
        let nth = self.connects.entry((from, to)).or_default();
        *nth += 1;
        let names = record::mix(record::hash(&self.hosts[from].name), record::hash(&self.hosts[to].name));
        let stream = record::mix(names, *nth);
        let end = |host: HostId, boot, addr| End {
            host,
            boot,
            addr,
            open: false,
            let_go: false,
            gone: false,
            established: false,
            error: None,
            nodelay: false,
        };
        let mut client = end(from, self.hosts[from].boot, local);
        client.open = true;
        let server = end(to, self.hosts[to].boot, remote);
        self.conns.push(Conn {
            ends: [client, server],
            pipes: Default::default(),
            handshake: Handshake::SynSent,
            listener: None,
            stream,
            control: [0, 0],
            connecting: Waiters::default(),
        });
        self.conns.len() - 1
    }

    /// The hosts that a packet from this side goes between.
    pub fn way(&self, conn: ConnId, side: Side) -> (HostId, HostId) {
        let ends = &self.conns[conn].ends;
        (ends[side].host, ends[1 - side].host)
    }

    /// When a packet without data that this side sends now arrives; `None` if it is lost.
    pub fn send_control(&mut self, conn: ConnId, side: Side) -> Option<u64> {
        let (from, to) = self.way(conn, side);
        let c = &mut self.conns[conn];
        c.control[side] += 1;
        let (stream, n) = (c.stream ^ 0x5151_5151 ^ side as u64, c.control[side]);
        let passage = self.send_packet(from, to, stream, n, 0);
        (!passage.lost).then_some(passage.due)
    }

    /// Whether a packet that arrives now at this side reaches a kernel that is up.
    pub fn reaches(&self, conn: ConnId, side: Side) -> bool {
        let (from, to) = self.way(conn, 1 - side);
        self.passes(from, to) && self.hosts[to].up
    }

    /// Whether the end's host remembers the connection.
    pub fn knows(&self, conn: ConnId, side: Side) -> bool {
        let end = &self.conns[conn].ends[side];
        !end.gone && self.hosts[end.host].boot == end.boot
    }

    /// Wakes everybody who waits at this side.
    pub fn wake_side(&mut self, conn: ConnId, side: Side) {
        let c = &mut self.conns[conn];
        let mut wakers = c.pipes[1 - side].readers.take();
        wakers.extend(c.pipes[side].writers.take());
        if side == 0 {
            wakers.extend(c.connecting.take());
        }
        self.wake(wakers);
    }

    /// A connection, for people: `notes:49152 -> exchange:5010`, from this side.
    pub fn describe(&self, conn: ConnId, side: Side) -> String {
        let ends = &self.conns[conn].ends;
        let [here, there] = [&ends[side], &ends[1 - side]];
        format!("{} -> {}", name_of(self, here.host, here.addr), name_of(self, there.host, there.addr))
    }
}
