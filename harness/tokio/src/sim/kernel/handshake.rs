//! How a connection comes to be: SYN, SYN-ACK, ACK, the listener's queue, and what happens when one is lost.

use super::{Action, ConnId, FaultKind, HostId, Impairment, Kernel, Kind, TriggerKind, Waiters, conn::Handshake, current_task};
use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

/// SYNs that a client sends before it gives up: after 1, 2, 4 ... s, as Linux with `tcp_syn_retries` 6, 127 s in all.
const SYN_TRIES_MAX: u32 = 7;
/// SYN-ACKs that a server sends before it gives up: `tcp_synack_retries` 5 and the first, 63 s in all.
const SYN_ACK_TRIES_MAX: u32 = 6;
/// The first wait before a packet of the handshake is sent again.
const SYN_WAIT_NS: u64 = 1_000_000_000;
/// How long nobody answers for an address before the host is called unreachable: Linux's three ARP tries.
const UNREACHABLE_NS: u64 = 3_000_000_000;
/// What a failed accept takes, for a server that tries again at once: virtual time goes on meanwhile, as real time does.
const ACCEPT_FAILS_NS: u64 = 1_000_000;
/// Linux's `EMFILE`: too many open files.
const EMFILE: i32 = 24;
/// The backlog of a listener that does not say, as tokio's.
pub(crate) const BACKLOG: usize = 1024;

pub(crate) type ListenerId = usize;

/// A listening socket.
#[derive(Debug)]
pub(crate) struct Listener {
    pub host: HostId,
    pub addr: SocketAddr,
    pub backlog: usize,
    /// Handshakes that have begun and are not yet in the queue.
    pub half_open: usize,
    pub queue: VecDeque<ConnId>,
    pub waiters: Waiters,
    pub open: bool,
    /// When accepting may fail again.
    pub fails_from: u64,
}

impl Kernel {
    /// Opens a listening socket.
    pub fn listen(&mut self, host: HostId, addr: SocketAddr, backlog: usize) -> io::Result<ListenerId> {
        self.demand_life()?;
        let own = addr.ip().is_unspecified() || addr.ip().is_loopback() || addr.ip() == self.hosts[host].ip;
        if !own {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        let port = match addr.port() {
            0 => self.ephemeral_port(host)?,
            port if self.port_taken(host, addr.ip(), port) => return Err(io::ErrorKind::AddrInUse.into()),
            port => port,
        };
        let addr = SocketAddr::new(addr.ip(), port);
        let (half_open, open, waiters) = (0, true, Waiters::default());
        let (queue, fails_from) = (VecDeque::new(), 0);
        self.listeners.push(Listener { host, addr, backlog, half_open, queue, waiters, open, fails_from });
        let id = self.listeners.len() - 1;
        self.hosts[host].listeners.push(id);
        self.event(Kind::Listen, id, port as usize, |_| format!("listens on port {port}"));
        Ok(id)
    }

    fn port_taken(&self, host: HostId, ip: IpAddr, port: u16) -> bool {
        self.hosts[host]
            .listeners
            .iter()
            .map(|&id| &self.listeners[id].addr)
            .any(|addr| addr.port() == port && (addr.ip() == ip || addr.ip().is_unspecified() || ip.is_unspecified()))
    }

    /// A port that nothing on the host uses, from the range that Linux and IANA set aside.
    fn ephemeral_port(&mut self, host: HostId) -> io::Result<u16> {
        for _ in 0..=u16::MAX - 49152 {
            let port = self.hosts[host].next_port;
            self.hosts[host].next_port = if port == u16::MAX { 49152 } else { port + 1 };
            let any = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
            let used = |id: &ConnId| self.conns[*id].ends[0].addr.port() == port;
            if !self.port_taken(host, any, port) && !self.hosts[host].conns.iter().any(used) {
                return Ok(port);
            }
        }
        Err(io::ErrorKind::AddrNotAvailable.into())
    }

    /// A destructor of a process that is gone reaches no network any more.
    fn demand_life(&self) -> io::Result<()> {
        if self.is_dead(current_task()) { Err(io::ErrorKind::NetworkDown.into()) } else { Ok(()) }
    }

    /// Starts to connect.
    pub fn connect(&mut self, from: HostId, mut remote: SocketAddr) -> io::Result<ConnId> {
        self.demand_life()?;
        if remote.ip().is_unspecified() {
            remote.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        let port = self.ephemeral_port(from)?;
        let target = self.host_at(from, remote.ip());
        let ip = if target == Some(from) { remote.ip() } else { self.hosts[from].ip };
        let conn = self.new_conn(from, SocketAddr::new(ip, port), target.unwrap_or(from), remote);
        self.hosts[from].conns.push(conn);
        self.uses(conn, 0);
        self.event(Kind::Connect, conn, 0, |k| match target {
            Some(_) => format!("connects {}", k.describe(conn, 0)),
            None => format!("connects to {remote}, which no host has"),
        });
        match target {
            None => self.later(self.now + UNREACHABLE_NS, Action::Unreachable(conn)),
            Some(to) => {
                self.occurs(TriggerKind::Connects, from, to);
                self.send_syn(conn, 1);
            }
        }
        Ok(conn)
    }

    fn send_syn(&mut self, conn: ConnId, tries: u32) {
        let (from, to) = self.way(conn, 0);
        let dropped = self.is_impaired(from, to, Impairment::DropSyns);
        if let Some(due) = self.send_control(conn, 0).filter(|_| !dropped) {
            self.later(due, Action::Syn(conn));
        }
        self.later(self.now + (SYN_WAIT_NS << (tries - 1)), Action::SynRetry(conn, tries + 1));
    }

    fn wants_to_connect(&self, conn: ConnId) -> bool {
        let end = &self.conns[conn].ends[0];
        end.open && !end.established && self.knows(conn, 0) && end.error.is_none()
    }

    pub(super) fn syn_again(&mut self, conn: ConnId, tries: u32) {
        if !self.wants_to_connect(conn) {
            return;
        }
        if tries > SYN_TRIES_MAX {
            return self.connect_failed(conn, io::ErrorKind::TimedOut);
        }
        self.send_syn(conn, tries);
    }

    pub(super) fn connect_failed(&mut self, conn: ConnId, why: io::ErrorKind) {
        let end = &mut self.conns[conn].ends[0];
        end.error = Some(why);
        end.gone = true;
        self.wake_side(conn, 0);
    }

    pub(super) fn syn_arrives(&mut self, conn: ConnId) {
        if !self.reaches(conn, 1) {
            return;
        }
        let (from, to) = self.way(conn, 0);
        let known = self.conns[conn].ends[1].boot == self.hosts[to].boot;
        if known && self.conns[conn].handshake != Handshake::SynSent {
            return self.send_syn_ack(conn, 1);
        }
        self.conns[conn].ends[1].boot = self.hosts[to].boot;
        if self.is_impaired(from, to, Impairment::RefuseSyns) {
            return self.send_rst(conn, 1);
        }
        let addr = self.conns[conn].ends[1].addr;
        let heard = |&&id: &&ListenerId| {
            let at = self.listeners[id].addr;
            at.port() == addr.port() && (at.ip() == addr.ip() || at.ip().is_unspecified())
        };
        let Some(&id) = self.hosts[to].listeners.iter().find(heard) else { return self.send_rst(conn, 1) };
        let listener = &mut self.listeners[id];
        // Linux counts one more than the backlog; a full queue drops the SYN, and the client tries again.
        if listener.queue.len() + listener.half_open > listener.backlog {
            return;
        }
        listener.half_open += 1;
        self.conns[conn].listener = Some(id);
        self.conns[conn].handshake = Handshake::SynReceived;
        self.send_syn_ack(conn, 1);
    }

    fn send_syn_ack(&mut self, conn: ConnId, tries: u32) {
        if let Some(due) = self.send_control(conn, 1) {
            self.later(due, Action::SynAck(conn));
        }
        if self.conns[conn].handshake == Handshake::SynReceived {
            self.later(self.now + (SYN_WAIT_NS << (tries - 1)), Action::SynAckRetry(conn, tries + 1));
        }
    }

    pub(super) fn syn_ack_again(&mut self, conn: ConnId, tries: u32) {
        if self.conns[conn].handshake != Handshake::SynReceived || !self.knows(conn, 1) {
            return;
        }
        if tries > SYN_ACK_TRIES_MAX {
            // The next SYN, if one comes, begins anew.
            self.leave_half_open(conn);
            self.conns[conn].handshake = Handshake::SynSent;
            return;
        }
        self.send_syn_ack(conn, tries);
    }

    /// A handshake that had begun is over, in whatever way: it takes no place in the backlog any more.
    pub(super) fn leave_half_open(&mut self, conn: ConnId) {
        if self.conns[conn].handshake != Handshake::SynReceived {
            return;
        }
        if let Some(id) = self.conns[conn].listener {
            self.listeners[id].half_open -= 1;
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
            self.conns[conn].ends[0].established = true;
            self.wake_side(conn, 0);
        }
        if let Some(due) = self.send_control(conn, 0) {
            self.later(due, Action::Ack(conn));
        }
    }

    pub(super) fn ack_arrives(&mut self, conn: ConnId) {
        if self.reaches(conn, 1) {
            self.finish_handshake(conn);
        }
    }

    /// The server has heard from the client again: the connection goes to the listener's queue. Data counts, too.
    pub(super) fn finish_handshake(&mut self, conn: ConnId) {
        if self.conns[conn].handshake != Handshake::SynReceived || !self.knows(conn, 1) {
            return;
        }
        self.leave_half_open(conn);
        self.conns[conn].handshake = Handshake::Established;
        self.conns[conn].ends[1].established = true;
        let Some(id) = self.conns[conn].listener.filter(|&id| self.listeners[id].open) else {
            self.conns[conn].ends[1].gone = true;
            return self.send_rst(conn, 1);
        };
        self.listeners[id].queue.push_back(conn);
        self.accept_again(id);
    }

    /// The next connection that waits at a listener, now the application's; `None`: it has to wait for one.
    pub fn accept(&mut self, id: ListenerId) -> io::Result<Option<ConnId>> {
        let host = self.listeners[id].host;
        if self.listeners[id].queue.is_empty() {
            return Ok(None);
        }
        if self.suffers(FaultKind::FailAccepts(host)) {
            return self.fail_accept(id);
        }
        let Some(conn) = self.listeners[id].queue.pop_front() else { return Ok(None) };
        self.conns[conn].ends[1].open = true;
        self.hosts[host].conns.push(conn);
        self.event(Kind::Accept, conn, 1, |k| format!("accepts {}", k.describe(conn, 1)));
        self.occurs(TriggerKind::Accepts, host, host);
        Ok(Some(conn))
    }

    /// There is no file descriptor for what waits: it goes on waiting.
    fn fail_accept(&mut self, id: ListenerId) -> io::Result<Option<ConnId>> {
        if self.now < self.listeners[id].fails_from {
            self.later(self.listeners[id].fails_from, Action::AcceptAgain(id));
            return Ok(None);
        }
        self.listeners[id].fails_from = self.now + ACCEPT_FAILS_NS;
        self.event(Kind::Accept, id, 2, |_| "cannot accept: too many open files".into());
        Err(io::Error::from_raw_os_error(EMFILE))
    }

    /// Whoever waits to accept on a host may try again.
    pub(super) fn wake_accepting(&mut self, host: HostId) {
        for id in self.hosts[host].listeners.clone() {
            self.accept_again(id);
        }
    }

    pub(super) fn accept_again(&mut self, id: ListenerId) {
        let waiters = self.listeners[id].waiters.take();
        self.wake(waiters);
    }

    /// The application drops a listening socket: whoever waits in its queue is reset.
    pub fn unlisten(&mut self, id: ListenerId) {
        let listener = &mut self.listeners[id];
        if !std::mem::replace(&mut listener.open, false) {
            return;
        }
        let (host, waiting) = (listener.host, std::mem::take(&mut listener.queue));
        self.hosts[host].listeners.retain(|&other| other != id);
        for conn in waiting {
            self.send_rst(conn, 1);
            self.conns[conn].ends[1].gone = true;
        }
    }
}
