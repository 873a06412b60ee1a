//! Listeners: their queue, what happens when it is full, and what accepts from it.

use super::{
    Action, ConnId, HostId, Kernel, Kind, ListenerId, Overflow, SocketId, Tcp, TriggerKind, Wait, Waiters, What,
    errno::EMFILE,
    family::{hears, unbound},
    socket::Options,
};
use refrain_core::plan::fault::HostEffect;
use std::{collections::VecDeque, io, net::SocketAddr, task::Waker};

/// The backlog of a listener that does not say: `TcpListener::bind` asks for as much (mio 1.2).
pub(crate) const BACKLOG: u32 = 128;
/// What a failed accept takes, for a server that tries again at once: virtual time goes on meanwhile, as real time does.
const ACCEPT_FAILS_NS: u64 = 1_000_000;

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
    /// What holds its port.
    pub socket: SocketId,
    pub options: Options,
    /// As tokio knows it: a connection has come, and no `accept` has found the queue empty since.
    pub ready: bool,
    /// When accepting may fail again.
    pub fails_from: u64,
}

/// What a listener does with a SYN.
pub(super) enum Admission {
    /// Answers, and keeps a place for the handshake.
    Queued,
    /// Answers with a SYN cookie: it keeps nothing, and knows of the connection when it hears from the client again.
    Cookie,
    Dropped,
    Refused,
}

impl Kernel {
    /// Opens a listening socket, as `TcpListener::bind` does.
    pub fn listen_on(&mut self, host: HostId, addr: SocketAddr) -> io::Result<ListenerId> {
        let socket = self.new_socket(host, addr.is_ipv6())?;
        self.sockets[socket].options.reuse_addr = true;
        let listens = self.bind(socket, addr).and_then(|()| self.listen(socket, BACKLOG));
        if listens.is_err() {
            self.close_socket(socket);
        }
        listens
    }

    /// Makes a socket a listener.
    pub fn listen(&mut self, socket: SocketId, backlog: u32) -> io::Result<ListenerId> {
        self.demand_life()?;
        if self.sockets[socket].bound.is_none() {
            self.bind(socket, unbound(self.sockets[socket].options.v6))?;
        }
        let (host, options) = (self.sockets[socket].host, self.sockets[socket].options);
        self.hosts[host].tcp.listen(socket)?;
        let addr = self.sockets[socket].bound.expect("it is bound now");
        let backlog = backlog.min(self.hosts[host].sysctl.somaxconn) as usize;
        self.listeners.push(Listener {
            host,
            addr,
            backlog,
            half_open: 0,
            queue: VecDeque::new(),
            waiters: Waiters::default(),
            open: true,
            socket,
            options,
            ready: false,
            fails_from: 0,
        });
        let id = self.listeners.len() - 1;
        self.hosts[host].sockets.remove(&socket);
        self.hosts[host].listeners.push(id);
        self.event(Kind::Listen, id, addr.port() as usize, |_| What::Listen { port: addr.port() });
        Ok(id)
    }

    /// The listener that hears a SYN to an address. Of several on one port (`SO_REUSEPORT`) it is always the same one
    /// for a connection.
    pub(super) fn listener_at(&self, host: HostId, addr: SocketAddr, stream: u64) -> Option<ListenerId> {
        let heard = |&id: &ListenerId| {
            let at = self.listeners[id].addr;
            at.port() == addr.port() && hears(at.ip(), addr.ip())
        };
        let mut listeners = self.hosts[host].listeners.iter().copied().filter(heard);
        let first = listeners.next()?;
        let others = listeners.collect::<Vec<_>>();
        match others.len() as u64 {
            0 => Some(first),
            n => Some(others.get((self.chance(stream, 0) % (n + 1)) as usize).copied().unwrap_or(first)),
        }
    }

    /// Whether a listener takes one more handshake.
    pub(super) fn admits(&self, id: ListenerId) -> Admission {
        let listener = &self.listeners[id];
        // Both queues take one more than the backlog says (Linux: `sk_acceptq_is_full`).
        match self.hosts[listener.host].sysctl.overflow {
            Overflow::Reset if listener.queue.len() + listener.half_open > listener.backlog => Admission::Refused,
            Overflow::DropSyn if listener.queue.len() > listener.backlog => Admission::Dropped,
            Overflow::DropSyn if listener.half_open > listener.backlog => Admission::Cookie,
            _ => Admission::Queued,
        }
    }

    /// Puts a connection into a listener's queue, if that is not full.
    pub(super) fn enqueue(&mut self, id: ListenerId, conn: ConnId) -> bool {
        let listener = &mut self.listeners[id];
        if listener.queue.len() > listener.backlog {
            return false;
        }
        listener.queue.push_back(conn);
        listener.ready = true;
        self.accept_again(id);
        true
    }

    /// The next connection that waits at a listener, now the application's. `None`: `waiter` is woken when there is one.
    pub fn accept(&mut self, id: ListenerId, waiter: &Waker) -> Option<io::Result<ConnId>> {
        let host = self.listeners[id].host;
        if self.listeners[id].ready {
            // The descriptor comes first (`accept4`): without one the connection stays in the queue.
            let full = !self.has_file_left(host) || self.suffers(host, HostEffect::FailAccepts);
            if full && self.now >= self.listeners[id].fails_from {
                self.listeners[id].fails_from = self.now + ACCEPT_FAILS_NS;
                self.event(Kind::Accept, id, 2, |_| What::NotAccepted);
                return Some(Err(io::Error::from_raw_os_error(EMFILE)));
            }
            if full {
                self.later(self.listeners[id].fails_from, Action::AcceptAgain(id));
            } else if let Some(conn) = self.listeners[id].queue.pop_front() {
                self.conns[conn].ends[1].open = true;
                self.hosts[host].conns.insert((conn, 1));
                self.tcp_event(Kind::Accept, (conn, 1), 1, Tcp::Accept);
                self.occurs(TriggerKind::Accepts, host, host);
                return Some(Ok(conn));
            } else {
                self.listeners[id].ready = false;
            }
        }
        let surplus = self.listeners[id].waiters.add(waiter);
        self.wake(surplus);
        self.wait(Wait::Accept(id));
        None
    }

    /// Wakes every task that waits to accept on a host.
    pub(super) fn wake_accepting(&mut self, host: HostId) {
        for id in self.hosts[host].listeners.clone() {
            self.accept_again(id);
        }
    }

    pub(super) fn accept_again(&mut self, id: ListenerId) {
        let waiters = self.listeners[id].waiters.take();
        self.wake(waiters);
    }

    /// The application drops a listening socket: connections in its queue are reset.
    pub fn unlisten(&mut self, id: ListenerId) {
        let listener = &mut self.listeners[id];
        if !std::mem::replace(&mut listener.open, false) {
            return;
        }
        let (host, socket, waiting) = (listener.host, listener.socket, std::mem::take(&mut listener.queue));
        self.hosts[host].listeners.retain(|&other| other != id);
        self.hosts[host].tcp.release(socket);
        for conn in waiting {
            self.send_rst(conn, 1);
            self.end_is_gone(conn, 1);
        }
    }
}
