//! A TCP connection as plain data: two ends, and a pipe each way.

use super::{
    ConnId, Connection, HostId, Kernel, Kind, ListenerId, Packet, PacketKind, Side, Tcp, Waiters, What, bytes::Bytes,
    endpoint, record, seen, socket::Options,
};
use std::{collections::VecDeque, io, net::SocketAddr};

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
    /// When each side sends its packet of the handshake again, and for which time.
    pub retry: [(u64, u32); 2],
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
    /// The server has answered it with a cookie, which is good until then, and remembers nothing.
    Cookie(u64),
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
    pub closed: bool,
    /// Whether it sent its FIN before it had the other's: then it is the one that waits for stray segments.
    pub closed_first: bool,
    /// Whether this host's kernel knows nothing of the connection any more.
    pub gone: bool,
    /// Whether the client has seen the handshake's end, or the server the client's answer.
    pub established: bool,
    /// To be reported once to the application.
    pub error: Option<io::ErrorKind>,
    pub options: Options,
    /// When it last heard from the other end, and how many probes of keep-alive that one has not answered.
    pub heard: u64,
    pub unanswered: u32,
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
    /// How many acknowledgements of it were sent back.
    pub acknowledgements: u64,
    /// Counts rounds of retransmission, so that what was sent in an earlier one means nothing when it arrives.
    pub round: u32,
    /// How often in a row it was retransmitted; 0 while all is well.
    pub tries: u32,
    /// Whether the timer of retransmission runs, and how often it was started: an earlier one means nothing.
    pub timer: bool,
    pub timer_round: u32,
    /// When the timer that runs is over, this one or the one below.
    pub timer_at: u64,
    /// Whether the timer runs that asks about a closed window, and how often in a row it has asked.
    pub persist: bool,
    pub probes: u32,
    pub fin: Fin,
    pub readers: Waiters,
    pub writers: Waiters,
}

/// A segment on its way, until its acknowledgement is back.
#[derive(Debug)]
pub(crate) struct Segment {
    pub due: u64,
    /// What it carries; gone once it has arrived. A FIN carries nothing, and so does a probe of a closed window.
    pub bytes: Vec<u8>,
    pub len: usize,
    pub fin: bool,
    /// Whether the link was cut when it was sent.
    pub lost: bool,
    /// Whether the peer has it, though nobody here knows.
    pub arrived: bool,
    /// Whether it was sent again before the timer was over: that happens once.
    pub sent_again: bool,
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
    /// What is due at `now` arrives, up to `most` bytes; says how many did.
    pub fn arrive(&mut self, now: u64, most: usize) -> usize {
        let mut left = most;
        for segment in self.flight.iter_mut().take_while(|segment| segment.due <= now && !segment.lost) {
            if segment.arrived {
                continue;
            }
            if left == 0 {
                break;
            }
            if segment.bytes.len() > left {
                let rest = segment.bytes.split_off(left);
                self.arrived.push(std::mem::replace(&mut segment.bytes, rest));
                return most;
            }
            left -= segment.bytes.len();
            segment.arrived = true;
            self.arrived.push(std::mem::take(&mut segment.bytes));
            if segment.fin {
                self.fin = Fin::Arrived;
            }
        }
        most - left
    }
}

impl Kernel {
    /// A new connection, not yet begun.
    pub fn new_conn(
        &mut self,
        from: HostId,
        local: SocketAddr,
        to: HostId,
        remote: SocketAddr,
        options: Options,
    ) -> ConnId {
        let nth = self.connects.entry((from, to)).or_default();
        *nth += 1;
        let names = record::mix(record::hash(&self.hosts[from].name), record::hash(&self.hosts[to].name));
        let stream = record::mix(names, *nth);
        let end = |host: HostId, boot, addr| End {
            host,
            boot,
            addr,
            open: false,
            closed: false,
            closed_first: false,
            gone: false,
            established: false,
            error: None,
            options,
            heard: 0,
            unanswered: 0,
        };
        let mut client = end(from, self.hosts[from].boot, local);
        client.open = true;
        let mut server = end(to, self.hosts[to].boot, remote);
        server.options = self.options(to);
        self.conns.push(Conn {
            ends: [client, server],
            pipes: Default::default(),
            handshake: Handshake::SynSent,
            listener: None,
            stream,
            retry: [(0, 0); 2],
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

    /// The address of one end, as the other or the same end's application sees it.
    pub fn shown_address(&self, conn: ConnId, viewer: Side, side: Side) -> SocketAddr {
        let ends = &self.conns[conn].ends;
        seen(ends[side].addr, ends[viewer].options.v6)
    }

    /// When a packet without data that this side sends now arrives; `None` if it is lost.
    pub fn send_control(&mut self, conn: ConnId, side: Side, kind: PacketKind) -> Option<u64> {
        let (from, to) = self.way(conn, side);
        let c = &mut self.conns[conn];
        c.control[side] += 1;
        let (stream, n) = (c.stream ^ 0x5151_5151 ^ side as u64, c.control[side]);
        let chance = self.chance(stream, n);
        let fate = self.send_packet((from, to), chance, &Packet { kind, bytes: &[] });
        (!fate.lost).then_some(fate.due)
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

    /// This end's host forgets the connection: its port is free.
    pub fn end_is_gone(&mut self, conn: ConnId, side: Side) {
        let known = self.knows(conn, side);
        let ends = &mut self.conns[conn].ends;
        ends[side].gone = true;
        if known {
            self.hosts[ends[side].host].tcp.disconnected(conn, ends[side].addr, ends[1 - side].addr);
        }
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

    /// The ends of a connection, from this side.
    pub fn connection(&self, conn: ConnId, side: Side) -> Connection {
        let end = |side: Side| {
            let End { host, addr, .. } = self.conns[conn].ends[side];
            endpoint(self, Some(host), addr)
        };
        Connection { local: end(side), peer: end(1 - side) }
    }

    /// Notes what an application does to its end of a connection; the digest knows it by `b`.
    pub fn tcp_event(&mut self, kind: Kind, (conn, side): (ConnId, Side), b: usize, what: Tcp) {
        self.event(kind, conn, b, |k| What::Tcp { conn: k.connection(conn, side), what });
    }
}
