//! The socket table as `ss` shows it: addresses, states, queues and timers.

use super::{
    ConnId, HostId, Kernel, Side,
    conn::{Fin, Handshake},
    listen::Listener,
    name_of, ns,
    udp::UdpSocket,
};
use refrain_core::socket::{Socket, Timer};
use std::net::SocketAddr;

/// States that a fault can no longer affect.
const FINISHED: [&str; 2] = ["TIME-WAIT", "CLOSED"];

impl Kernel {
    /// Returns the sockets of all hosts: listeners, connections, UDP and Unix sockets, grouped by host and in creation order.
    pub fn netstat(&self) -> Vec<Socket> {
        let ends = (0..self.conns.len()).flat_map(|conn| [(conn, 0), (conn, 1)]);
        let ends: Vec<_> = ends.filter(|&(conn, side)| self.is_shown(conn, side)).collect();
        let of = |host: HostId| {
            let listeners = self.hosts[host].listeners.iter().map(|&id| self.listening(&self.listeners[id]));
            let own = ends.iter().filter(move |&&(conn, side)| self.conns[conn].ends[side].host == host);
            let datagrams = self.hosts[host].udp_sockets.iter().map(|&id| self.of_datagrams(&self.udp[id]));
            let unix = self.unix_netstat(host);
            let ip = listeners.chain(own.map(|&(conn, side)| self.connected(conn, side))).chain(datagrams);
            ip.chain(unix).collect::<Vec<_>>()
        };
        (0..self.hosts.len()).flat_map(of).collect()
    }

    /// Returns the state of one end of a connection, as `ss` names it.
    pub fn socket_state(&self, conn: ConnId, side: Side) -> &'static str {
        let c = &self.conns[conn];
        let [end, peer] = [&c.ends[side], &c.ends[1 - side]];
        let (shut, acknowledged) = (c.pipes[side].fin > Fin::Open, c.pipes[side].flight.is_empty());
        let ended = c.pipes[1 - side].fin == Fin::Arrived;
        // An end that closed first keeps its port during TIME_WAIT.
        let kept = || {
            let current = self.hosts[end.host].tcp.between(end.addr, peer.addr, self.now);
            current.is_some_and(|(current, _)| current == conn)
        };
        match (shut && c.pipes[side].fin == Fin::Arrived && acknowledged, ended) {
            _ if !self.is_known(conn, side) => "CLOSED",
            _ if !end.established && side == 0 => "SYN-SENT",
            _ if !end.established => "SYN-RECV",
            (false, false) if shut => "FIN-WAIT-1",
            (false, true) if shut => "LAST-ACK",
            (false, false) => "ESTAB",
            (false, true) => "CLOSE-WAIT",
            (true, _) if end.closed && !kept() => "CLOSED",
            (true, true) if !end.closed_first => "CLOSED",
            (true, false) => "FIN-WAIT-2",
            (true, true) => "TIME-WAIT",
        }
    }

    /// Returns the states of the connections between two hosts, or of one host's, while they are live.
    pub fn states_between(&self, a: HostId, b: HostId) -> Vec<&'static str> {
        let touched = |conn: ConnId| {
            let [x, y] = [self.conns[conn].ends[0].host, self.conns[conn].ends[1].host];
            if a == b { x == a || y == a } else { (x, y) == (a, b) || (x, y) == (b, a) }
        };
        let ends = (0..self.conns.len()).filter(|&conn| touched(conn)).flat_map(|conn| [(conn, 0), (conn, 1)]);
        let shown = ends.filter(|&(conn, side)| self.is_shown(conn, side));
        let mut states: Vec<_> = shown.map(|(conn, side)| self.socket_state(conn, side)).collect();
        states.retain(|state| !FINISHED.contains(state));
        states.sort_unstable();
        states.dedup();
        states
    }

    /// Returns whether the application holds the socket, or its kernel still has to process it.
    fn is_shown(&self, conn: ConnId, side: Side) -> bool {
        let end = &self.conns[conn].ends[side];
        // A server that has dropped the handshake, or answers with cookies, has no socket for it.
        let begun = side == 0 || matches!(self.conns[conn].handshake, Handshake::SynReceived | Handshake::Established);
        begun && self.hosts[end.host].boot == end.boot && (end.open || self.socket_state(conn, side) != "CLOSED")
    }

    fn listening(&self, listener: &Listener) -> Socket {
        Socket {
            host: self.hosts[listener.host].name.clone(),
            protocol: "tcp".into(),
            state: "LISTEN".into(),
            receive_queue: listener.queue.len() as u64,
            send_queue: listener.backlog as u64,
            local: self.address(listener.host, listener.addr),
            peer: "*".into(),
            timer: None,
        }
    }

    fn of_datagrams(&self, socket: &UdpSocket) -> Socket {
        let peer = |peer: SocketAddr| self.host_at(socket.host, peer.ip()).map(|host| self.address(host, peer));
        Socket {
            host: self.hosts[socket.host].name.clone(),
            protocol: "udp".into(),
            state: if socket.peer.is_some() { "ESTAB" } else { "UNCONN" }.into(),
            receive_queue: socket.queued_bytes as u64,
            send_queue: 0,
            local: self.address(socket.host, socket.addr),
            peer: socket.peer.and_then(peer).unwrap_or_else(|| "*".into()),
            timer: None,
        }
    }

    fn connected(&self, conn: ConnId, side: Side) -> Socket {
        let c = &self.conns[conn];
        let [end, peer] = [&c.ends[side], &c.ends[1 - side]];
        Socket {
            host: self.hosts[end.host].name.clone(),
            protocol: "tcp".into(),
            state: self.socket_state(conn, side).into(),
            receive_queue: c.pipes[1 - side].arrived.len() as u64,
            send_queue: (c.pipes[side].queued.len() + c.pipes[side].flight_bytes) as u64,
            local: self.address(end.host, end.addr),
            peer: self.address(peer.host, peer.addr),
            timer: self.timer(conn, side),
        }
    }

    fn timer(&self, conn: ConnId, side: Side) -> Option<Timer> {
        let (c, pipe, end) = (&self.conns[conn], &self.conns[conn].pipes[side], &self.conns[conn].ends[side]);
        let (name, at, tries) = match self.socket_state(conn, side) {
            state if FINISHED.contains(&state) => return None,
            "SYN-SENT" | "SYN-RECV" => ("on", c.retry[side].0, c.retry[side].1.saturating_sub(1)),
            _ if pipe.timer => ("on", pipe.timer_at, pipe.tries),
            _ if pipe.persist => ("persist", pipe.timer_at, pipe.probes),
            _ if end.options.keepalive && end.unanswered == 0 => {
                let time = end.options.keepalive_time.unwrap_or(self.hosts[end.host].sysctl.tcp_keepalive_time);
                ("keepalive", end.last_received.saturating_add(ns(time)), 0)
            }
            _ => return None,
        };
        Some(Timer { name: name.into(), in_ns: at.checked_sub(self.now)?, tries })
    }

    fn address(&self, host: HostId, addr: SocketAddr) -> String {
        match addr.ip() {
            ip if ip.is_unspecified() => addr.to_string(),
            ip if ip.is_loopback() && ip.is_ipv4() => format!("127.0.0.1:{}", addr.port()),
            ip if ip.is_loopback() => addr.to_string(),
            _ => name_of(self, host, addr),
        }
    }
}
