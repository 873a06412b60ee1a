//! Listeners: SYN queue and accept queue, overflow, and `accept`.

use super::{
    Action, ConnId, HostId, Kernel, Kind, ListenerId, Overflow, SocketId, Tcp, TriggerKind, Wait, Waiters, What,
    current_task,
    errno::EMFILE,
    family::{receives, unbound},
    socket::Options,
};
use refrain_core::plan::fault::HostEffect;
use std::{
    collections::{BTreeSet, VecDeque},
    io,
    net::SocketAddr,
    task::Waker,
};

/// The default backlog: what `TcpListener::bind` requests (mio 1.2).
pub(crate) const BACKLOG: u32 = 128;
/// Minimum time between two failures of `accept`, so that virtual time advances while a server retries in a loop.
pub(super) const ACCEPT_FAILS_NS: u64 = 1_000_000;

/// A listening socket.
#[derive(Debug)]
pub(crate) struct Listener {
    pub host: HostId,
    pub addr: SocketAddr,
    pub backlog: usize,
    /// The SYN queue.
    pub half_open: BTreeSet<ConnId>,
    pub queue: VecDeque<ConnId>,
    pub waiters: Waiters,
    pub open: bool,
    /// The socket that holds its port.
    pub socket: SocketId,
    pub options: Options,
    /// Readiness as tokio tracks it: set when a connection is queued, cleared when `accept` finds the queue empty.
    pub ready: bool,
    /// The earliest time at which accepting may fail again.
    pub fails_from: u64,
}

/// How a listener responds to a SYN.
pub(super) enum Admission {
    /// Answers, and adds the connection to the SYN queue.
    Queued,
    /// Answers with a SYN cookie: keeps no state, and learns of the connection from the client's next packet.
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

    /// Turns a socket into a listener.
    pub fn listen(&mut self, socket: SocketId, backlog: u32) -> io::Result<ListenerId> {
        self.check_alive()?;
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
            half_open: BTreeSet::new(),
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

    /// Returns the listener that receives a SYN to an address. With several on one port (`SO_REUSEPORT`), a connection
    /// always maps to the same one.
    pub(super) fn listener_at(&self, host: HostId, addr: SocketAddr, stream: u64) -> Option<ListenerId> {
        let is_receiver = |&id: &ListenerId| {
            let at = self.listeners[id].addr;
            at.port() == addr.port() && receives(at.ip(), addr.ip())
        };
        let mut listeners = self.hosts[host].listeners.iter().copied().filter(is_receiver);
        let first = listeners.next()?;
        let others = listeners.collect::<Vec<_>>();
        match others.len() as u64 {
            0 => Some(first),
            n => Some(others.get((self.random(stream, 0) % (n + 1)) as usize).copied().unwrap_or(first)),
        }
    }

    /// Returns how a listener responds to one more SYN.
    pub(super) fn admits(&self, id: ListenerId) -> Admission {
        let listener = &self.listeners[id];
        // Both queues hold one more than the backlog (Linux: `sk_acceptq_is_full`).
        match self.hosts[listener.host].sysctl.overflow {
            Overflow::Reset if listener.queue.len() + listener.half_open.len() > listener.backlog => Admission::Refused,
            Overflow::DropSyn if listener.queue.len() > listener.backlog => Admission::Dropped,
            Overflow::DropSyn if listener.half_open.len() > listener.backlog => Admission::Cookie,
            _ => Admission::Queued,
        }
    }

    /// Adds a connection to the accept queue, and returns false if that is full.
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

    /// Accepts the next connection from the queue. Returns `None` if there is none; `waiter` is then woken when one
    /// arrives.
    pub fn accept(&mut self, id: ListenerId, waiter: &Waker) -> Option<io::Result<ConnId>> {
        let host = self.listeners[id].host;
        if self.listeners[id].ready {
            // `accept4` allocates the file descriptor first: without one the connection stays in the queue.
            let full = !self.has_fd_left(host) || self.is_affected(host, HostEffect::FailAccepts);
            if full && self.now >= self.listeners[id].fails_from {
                self.listeners[id].fails_from = self.now + ACCEPT_FAILS_NS;
                self.event(Kind::Accept, id, 2, |_| What::NotAccepted);
                return Some(Err(io::Error::from_raw_os_error(EMFILE)));
            }
            if full {
                self.later(self.listeners[id].fails_from, Action::AcceptAgain(id));
            } else if let Some(conn) = self.listeners[id].queue.pop_front() {
                self.conns[conn].ends[1].open = true;
                self.conns[conn].ends[1].user = Some(current_task());
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

    /// Wakes every task of a host that waits in `accept`.
    pub(super) fn wake_accepting(&mut self, host: HostId) {
        for id in self.hosts[host].listeners.clone() {
            self.accept_again(id);
        }
        for id in self.hosts[host].unix_sockets.clone() {
            self.unix_accept_again(id);
        }
    }

    pub(super) fn accept_again(&mut self, id: ListenerId) {
        self.listeners[id].waiters.wake(&mut self.wakes);
    }

    /// Closes a listening socket and resets the connections in its queue.
    pub fn close_listener(&mut self, id: ListenerId) {
        let listener = &mut self.listeners[id];
        if !std::mem::replace(&mut listener.open, false) {
            return;
        }
        let (host, socket, waiting) = (listener.host, listener.socket, std::mem::take(&mut listener.queue));
        self.hosts[host].listeners.retain(|&other| other != id);
        self.hosts[host].tcp.release(socket);
        for conn in waiting {
            self.send_rst(conn, 1);
            self.drop_end(conn, 1);
        }
    }
}
