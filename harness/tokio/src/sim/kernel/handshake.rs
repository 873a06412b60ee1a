//! The three-way handshake: SYN, SYN-ACK, ACK, and their retransmission.

use super::{
    Action, ConnId, Connection, HostId, Kernel, Kind, Operation, PacketKind, SocketId, Tcp, TriggerKind, What,
    conn::Handshake, endpoint, errno::os_error, family::check_family, listen::Admission, socket::Options,
};
use refrain_core::plan::fault::RouteEffect;
use std::{io, net::SocketAddr};

/// The initial retransmission timeout of handshake packets; it doubles each time (RFC 6298, Linux's
/// `TCP_TIMEOUT_INIT`).
const SYN_WAIT_NS: u64 = 1_000_000_000;
/// How long address resolution takes to fail before the host is reported unreachable: Linux's three ARP tries.
const UNREACHABLE_NS: u64 = 3_000_000_000;
/// How long a SYN cookie is valid: Linux's `MAX_SYNCOOKIE_AGE`, two periods of 60 s.
const COOKIE_NS: u64 = 120_000_000_000;

impl Kernel {
    /// Starts connecting a new socket.
    pub fn connect(&mut self, from: HostId, remote: SocketAddr) -> io::Result<ConnId> {
        self.check_fd_limit(from)?;
        let options = Options { v6: remote.is_ipv6(), ..self.options(from) };
        self.begin_connect(from, None, remote, options)
    }

    /// Starts connecting an existing socket, from its bound port if it has one.
    pub fn connect_socket(&mut self, socket: SocketId, remote: SocketAddr) -> io::Result<ConnId> {
        self.check_alive()?;
        let (host, options, bound) = {
            let socket = &self.sockets[socket];
            (socket.host, socket.options, socket.bound)
        };
        check_family(options.v6, remote)?;
        let conn = self.begin_connect(host, bound, remote, options)?;
        self.close_socket(socket);
        Ok(conn)
    }

    fn begin_connect(
        &mut self,
        from: HostId,
        bound: Option<SocketAddr>,
        remote: SocketAddr,
        options: Options,
    ) -> io::Result<ConnId> {
        let remote = self.destination(remote)?;
        let target = self.host_at(from, remote.ip());
        self.allow((from, target.unwrap_or(from)), &Operation::Connect)?;
        let mut local = SocketAddr::new(self.source_ip(from, target, remote.ip()), 0);
        match bound {
            Some(bound) if self.hosts[from].tcp.is_connected(bound.port(), remote) => {
                return Err(os_error(io::ErrorKind::AddrNotAvailable));
            }
            Some(bound) if !bound.ip().is_unspecified() => local = bound,
            Some(bound) => local.set_port(bound.port()),
            None => local.set_port(self.hosts[from].tcp.for_connect(remote, self.now)?),
        }
        let conn = self.new_conn(from, local, target.unwrap_or(from), remote, options);
        self.hosts[from].conns.insert((conn, 0));
        self.hosts[from].tcp.connected(conn, local, remote, options.reuse_addr);
        self.uses(conn, 0);
        self.event(Kind::Connect, conn, 0, |k| {
            let conn = k.connection(conn, 0);
            match target {
                Some(_) => What::Tcp { conn, what: Tcp::Connect },
                None => {
                    let conn = Connection { peer: endpoint(k, None, remote), ..conn };
                    What::Tcp { conn, what: Tcp::ConnectNowhere }
                }
            }
        });
        match target {
            None => self.later(self.now + UNREACHABLE_NS, Action::Unreachable(conn)),
            Some(to) => {
                self.occurs(TriggerKind::Connects, from, to);
                // A fault with this trigger may have ended the process.
                if self.is_known(conn, 0) {
                    self.send_syn(conn, 1);
                }
            }
        }
        Ok(conn)
    }

    fn send_syn(&mut self, conn: ConnId, tries: u32) {
        let from = self.route(conn, 0).0;
        if let Some(due) = self.send_control(conn, 0, PacketKind::Syn) {
            self.later(due, Action::Syn(conn));
        }
        let linear = self.hosts[from].sysctl.tcp_syn_linear_timeouts;
        let again = self.now + syn_wait(tries.saturating_sub(linear).max(1));
        self.conns[conn].retry[0] = (again, tries);
        self.later(again, Action::SynRetry(conn, tries + 1));
    }

    pub(super) fn wants_to_connect(&self, conn: ConnId) -> bool {
        let end = &self.conns[conn].ends[0];
        end.open && !end.established && self.is_known(conn, 0) && end.error.is_none()
    }

    pub(super) fn syn_again(&mut self, conn: ConnId, tries: u32) {
        // A challenge may have started the timer again.
        let (expires, made) = self.conns[conn].retry[0];
        if expires > self.now || made + 1 != tries || !self.wants_to_connect(conn) {
            return;
        }
        let sysctl = &self.hosts[self.route(conn, 0).0].sysctl;
        if tries > 1 + sysctl.tcp_syn_retries + sysctl.tcp_syn_linear_timeouts {
            return self.connect_failed(conn, io::ErrorKind::TimedOut);
        }
        self.send_syn(conn, tries);
    }

    pub(super) fn connect_failed(&mut self, conn: ConnId, why: io::ErrorKind) {
        self.conns[conn].ends[0].error = Some(why);
        self.drop_end(conn, 0);
        self.wake_side(conn, 0);
    }

    pub(super) fn syn_arrives(&mut self, conn: ConnId) {
        if !self.reaches(conn, 1) {
            return;
        }
        let (from, to) = self.route(conn, 0);
        let known = self.conns[conn].ends[1].boot == self.hosts[to].boot;
        if known {
            self.forget_without_listener(conn);
        }
        if known && self.conns[conn].handshake != Handshake::SynSent {
            // As `tcp_check_req` of Linux: the timer starts again, and has not expired once more.
            let tries = self.conns[conn].retry[1].1.max(1);
            return self.send_syn_ack(conn, tries);
        }
        self.conns[conn].ends[1].boot = self.hosts[to].boot;
        if self.is_impaired(from, to, RouteEffect::RefuseSyns) {
            return self.send_rst(conn, 1);
        }
        if let Some((old, side)) = self.older(conn) {
            return self.challenge(old, side);
        }
        let addr = self.conns[conn].ends[1].addr;
        let stream = self.conns[conn].stream;
        let Some(id) = self.listener_at(to, addr, stream) else { return self.send_rst(conn, 1) };
        match self.admits(id) {
            Admission::Dropped => return,
            Admission::Refused => return self.send_rst(conn, 1),
            Admission::Cookie => self.conns[conn].handshake = Handshake::Cookie(self.now + COOKIE_NS),
            Admission::Queued => {
                self.listeners[id].half_open.insert(conn);
                self.conns[conn].handshake = Handshake::SynReceived;
            }
        }
        self.conns[conn].listener = Some(id);
        self.send_syn_ack(conn, 1);
    }

    fn send_syn_ack(&mut self, conn: ConnId, tries: u32) {
        if let Some(due) = self.send_control(conn, 1, PacketKind::SynAck) {
            self.later(due, Action::SynAck(conn));
        }
        if self.conns[conn].handshake == Handshake::SynReceived {
            let again = self.now + syn_wait(tries);
            self.conns[conn].retry[1] = (again, tries);
            self.later(again, Action::SynAckRetry(conn, tries + 1));
        }
    }

    pub(super) fn syn_ack_again(&mut self, conn: ConnId, tries: u32) {
        // A SYN that came again has started the timer again.
        let (expires, made) = self.conns[conn].retry[1];
        let is_over = expires <= self.now && made + 1 == tries;
        if !is_over || self.conns[conn].handshake != Handshake::SynReceived || !self.is_known(conn, 1) {
            return;
        }
        self.forget_without_listener(conn);
        if self.conns[conn].handshake == Handshake::SynSent {
            return;
        }
        if tries > 1 + self.hosts[self.route(conn, 1).0].sysctl.tcp_synack_retries {
            // Gives up; a later SYN starts a new handshake.
            self.leave_syn_queue(conn);
            self.conns[conn].handshake = Handshake::SynSent;
            return;
        }
        self.send_syn_ack(conn, tries);
    }

    /// Drops an unfinished handshake whose listener has closed: a later SYN starts a new one.
    fn forget_without_listener(&mut self, conn: ConnId) {
        // A connection that was reset has already left the SYN queue.
        let begun = matches!(self.conns[conn].handshake, Handshake::SynReceived | Handshake::Cookie(_));
        if begun && self.is_known(conn, 1) && self.conns[conn].listener.is_some_and(|id| !self.listeners[id].open) {
            self.leave_syn_queue(conn);
            self.conns[conn].handshake = Handshake::SynSent;
        }
    }

    /// Removes a half-open connection from its listener's SYN queue, for whatever reason the handshake ended.
    pub(super) fn leave_syn_queue(&mut self, conn: ConnId) {
        if self.conns[conn].handshake != Handshake::SynReceived {
            return;
        }
        if let Some(id) = self.conns[conn].listener {
            self.listeners[id].half_open.remove(&conn);
        }
    }

    pub(super) fn syn_ack_arrives(&mut self, conn: ConnId) {
        if !self.reaches(conn, 0) {
            return;
        }
        if !self.conns[conn].ends[0].established {
            if !self.wants_to_connect(conn) {
                return self.send_rst(conn, 0);
            }
            let client = &mut self.conns[conn].ends[0];
            (client.established, client.last_received) = (true, self.now);
            if self.conns[conn].ends[0].options.keepalive {
                self.begin_keepalive(conn, 0);
            }
            self.wake_side(conn, 0);
        }
        if let Some(due) = self.send_control(conn, 0, PacketKind::Ack) {
            // Later packets from the client, even a reset, must not overtake the ACK.
            let last_due = &mut self.conns[conn].pipes[0].last_due;
            *last_due = due.max(*last_due);
            self.later(due, Action::Ack(conn));
        }
    }

    pub(super) fn ack_arrives(&mut self, conn: ConnId) {
        if self.reaches(conn, 1) {
            self.finish_handshake(conn);
        }
    }

    /// Completes the handshake when the server receives the ACK or data: the connection moves to the accept queue.
    /// While that is full, the packet is dropped: the client considers itself connected, and its data is not
    /// acknowledged.
    pub(super) fn finish_handshake(&mut self, conn: ConnId) {
        match self.conns[conn].handshake {
            Handshake::SynReceived | Handshake::Cookie(_) if !self.is_known(conn, 1) => return,
            Handshake::SynReceived => {}
            Handshake::Cookie(until) if self.now <= until => {}
            Handshake::Cookie(_) => return self.conns[conn].handshake = Handshake::SynSent,
            Handshake::SynSent | Handshake::Established => return,
        }
        let id = self.conns[conn].listener.expect("a handshake that a listener answered has one");
        if !self.listeners[id].open {
            self.leave_syn_queue(conn);
            self.conns[conn].handshake = Handshake::Established;
            self.drop_end(conn, 1);
            return self.send_rst(conn, 1);
        }
        if !self.enqueue(id, conn) {
            return;
        }
        self.leave_syn_queue(conn);
        self.conns[conn].handshake = Handshake::Established;
        let options = self.listeners[id].options;
        let [client, server] = &mut self.conns[conn].ends;
        (server.established, server.last_received, server.options) = (true, self.now, options);
        let (local, remote, host) = (server.addr, client.addr, server.host);
        self.hosts[host].tcp.connected(conn, local, remote, options.reuse_addr);
        if options.keepalive {
            self.begin_keepalive(conn, 1);
        }
    }
}

/// Returns the retransmission timeout of the nth try of a handshake packet.
fn syn_wait(tries: u32) -> u64 {
    SYN_WAIT_NS.saturating_mul(1 << (tries - 1).min(40))
}
