//! A TCP connection as plain data: two ends, and one pipe per direction.

use super::{
    ConnId, Connection, HostId, Kernel, Kind, ListenerId, Packet, PacketKind, Side, TaskId, Tcp, Waiters, What,
    bytes::Bytes, endpoint, presented, record, socket::Options,
};
use std::{collections::VecDeque, io, net::SocketAddr};

/// A connection between two hosts.
#[derive(Debug)]
pub(crate) struct Conn {
    pub ends: [End; 2],
    /// `pipes[side]` carries the data that `side` writes.
    pub pipes: [Pipe; 2],
    pub handshake: Handshake,
    pub listener: Option<ListenerId>,
    /// The random stream for its packets.
    pub stream: u64,
    /// Per side, when it retransmits its handshake packet, and the number of tries so far.
    pub retry: [(u64, u32); 2],
    /// Per side, the number of packets without payload sent so far: SYN, ACK, RST.
    pub control: [u64; 2],
    pub connecting: Waiters,
}

/// The state of the three-way handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handshake {
    /// The client has sent a SYN.
    SynSent,
    /// The server has sent a SYN-ACK, which the client may not have received yet.
    SynReceived,
    /// The server has sent a SYN-ACK with a SYN cookie and keeps no state. The cookie is valid until this time.
    Cookie(u64),
    /// Both ends have completed the handshake.
    Established,
}

/// One end of a connection, as its host's kernel sees it.
#[derive(Debug)]
pub(crate) struct End {
    pub host: HostId,
    /// The boot of the host that this end belongs to.
    pub boot: u32,
    pub addr: SocketAddr,
    /// Whether the application holds the socket.
    pub open: bool,
    /// Whether the application held the socket and has closed it.
    pub closed: bool,
    /// Whether it sent its FIN before it received the peer's: this is the end that enters TIME_WAIT.
    pub closed_first: bool,
    /// Whether this host's kernel has dropped the connection.
    pub gone: bool,
    /// The task that accepted it, or last used it.
    pub user: Option<TaskId>,
    /// Whether this end has completed the handshake: the client has the SYN-ACK, or the server has the client's ACK.
    pub established: bool,
    /// A pending error, reported to the application once.
    pub error: Option<io::ErrorKind>,
    pub options: Options,
    /// When this end last received a packet from the peer, and the number of keep-alive probes sent since without an
    /// answer.
    pub last_received: u64,
    pub unanswered: u32,
    /// When keep-alive is to look next: an earlier look was planned before the program changed the times.
    pub keepalive_at: u64,
}

/// One direction of a connection: data that one side has written and the other has not yet read.
#[derive(Debug, Default)]
pub(crate) struct Pipe {
    /// Written but not yet sent, because the window is closed.
    pub queued: Bytes,
    /// Sent but not yet acknowledged, in order.
    pub flight: VecDeque<Segment>,
    pub flight_bytes: usize,
    /// Delivered but not yet read.
    pub arrived: Bytes,
    /// The delivery time of the last segment sent; later segments do not arrive before it.
    pub last_due: u64,
    pub packets: u64,
    /// Number of acknowledgements that the receiver has sent for this direction.
    pub acknowledgements: u64,
    /// Retransmission round. Deliveries scheduled in an earlier round are ignored.
    pub round: u32,
    /// Number of consecutive retransmissions; 0 while data is being acknowledged.
    pub tries: u32,
    /// Since when the peer has left something without an answer.
    pub unanswered_since: u64,
    /// Whether the retransmission timer is armed, and how often it has been armed: expirations of an earlier arming are
    /// ignored.
    pub timer: bool,
    pub timer_round: u32,
    /// When the armed timer expires: the retransmission timer or the persist timer.
    pub timer_at: u64,
    /// Whether the persist timer is armed, and the number of consecutive window probes.
    pub persist: bool,
    pub probes: u32,
    pub fin: Fin,
    pub readers: Waiters,
    pub writers: Waiters,
}

/// A segment in flight, kept until it is acknowledged.
#[derive(Debug)]
pub(crate) struct Segment {
    pub due: u64,
    /// The payload, taken when the segment is delivered. Empty for a FIN and for a window probe.
    pub bytes: Vec<u8>,
    pub len: usize,
    pub fin: bool,
    /// Whether the segment is lost.
    pub lost: bool,
    /// Whether the peer has received it; the sender does not know until it is acknowledged.
    pub arrived: bool,
    /// Whether it has been fast-retransmitted. This happens at most once.
    pub sent_again: bool,
}

/// The state of one direction's end of stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fin {
    /// The direction is open for writing.
    #[default]
    Open,
    /// The writer has shut down; the FIN is queued behind unsent data.
    Queued,
    /// The FIN has been sent.
    Sent,
    /// The FIN has been received.
    Arrived,
}

impl Pipe {
    /// Delivers the segments that are due at `now`, up to `max` bytes, and returns the number of bytes delivered.
    pub fn arrive(&mut self, now: u64, max: usize) -> usize {
        let mut left = max;
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
                return max;
            }
            left -= segment.bytes.len();
            segment.arrived = true;
            self.arrived.push(std::mem::take(&mut segment.bytes));
            if segment.fin {
                self.fin = Fin::Arrived;
            }
        }
        max - left
    }
}

impl Kernel {
    /// Adds a connection whose handshake has not started.
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
            user: None,
            gone: false,
            established: false,
            error: None,
            options,
            last_received: 0,
            unanswered: 0,
            keepalive_at: 0,
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

    /// Returns the source and destination hosts of a packet sent by this side.
    pub fn route(&self, conn: ConnId, side: Side) -> (HostId, HostId) {
        let ends = &self.conns[conn].ends;
        (ends[side].host, ends[1 - side].host)
    }

    /// Returns the address of `side`'s end, in the address family of `viewer`'s socket.
    pub fn shown_address(&self, conn: ConnId, viewer: Side, side: Side) -> SocketAddr {
        let ends = &self.conns[conn].ends;
        presented(ends[side].addr, ends[viewer].options.v6)
    }

    /// Sends a packet without payload from this side. Returns its arrival time, or `None` if it is lost.
    pub fn send_control(&mut self, conn: ConnId, side: Side, kind: PacketKind) -> Option<u64> {
        let (from, to) = self.route(conn, side);
        let c = &mut self.conns[conn];
        c.control[side] += 1;
        let (stream, n) = (c.stream ^ 0x5151_5151 ^ side as u64, c.control[side]);
        let random = self.random(stream, n);
        let fate = self.send_packet((from, to), random, &Packet { kind, bytes: &[] });
        (!fate.lost).then_some(fate.due)
    }

    /// Returns whether a packet that arrives at this side now is delivered: the route is not blocked and the host is
    /// up.
    pub fn reaches(&self, conn: ConnId, side: Side) -> bool {
        let (from, to) = self.route(conn, 1 - side);
        self.passes(from, to) && self.hosts[to].up
    }

    /// Returns whether this end's host still has state for the connection.
    pub fn is_known(&self, conn: ConnId, side: Side) -> bool {
        let end = &self.conns[conn].ends[side];
        !end.gone && self.hosts[end.host].boot == end.boot
    }

    /// Drops this end's connection state and frees its port.
    pub fn drop_end(&mut self, conn: ConnId, side: Side) {
        let known = self.is_known(conn, side);
        let ends = &mut self.conns[conn].ends;
        ends[side].gone = true;
        if known {
            self.hosts[ends[side].host].tcp.disconnected(conn, ends[side].addr, ends[1 - side].addr);
        }
    }

    /// Wakes every task that waits on this end.
    pub fn wake_side(&mut self, conn: ConnId, side: Side) {
        let c = &mut self.conns[conn];
        c.pipes[1 - side].readers.wake(&mut self.wakes);
        c.pipes[side].writers.wake(&mut self.wakes);
        if side == 0 {
            c.connecting.wake(&mut self.wakes);
        }
    }

    /// Returns the connection's endpoints, with this side as the local one.
    pub fn connection(&self, conn: ConnId, side: Side) -> Connection {
        let end = |side: Side| {
            let End { host, addr, .. } = self.conns[conn].ends[side];
            endpoint(self, Some(host), addr)
        };
        Connection { local: end(side), peer: end(1 - side) }
    }

    /// Records an application's operation on its end of a connection; `b` identifies the operation in the digest.
    pub fn tcp_event(&mut self, kind: Kind, (conn, side): (ConnId, Side), b: usize, what: Tcp) {
        self.event(kind, conn, b, |k| What::Tcp { conn: k.connection(conn, side), what });
    }
}
