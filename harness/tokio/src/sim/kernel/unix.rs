//! Unix sockets, between the processes of one machine. Delivery is immediate, and no network fault affects it.
//!
//! A socket's receive queue holds the data. As on Linux, its memory counts against the sender's buffer until it is read.

use super::{HostId, Kernel, Kind, Unix, UnixId, UnixSocket, Wait, Waiters, What, current_task, errno::os_error};
use refrain_core::verdict::UnixWait;
use std::{collections::VecDeque, io, os::unix::net::SocketAddr};

mod datagram;
mod listen;
mod names;
mod show;
mod stream;

pub(crate) use names::{Key, Names};

/// The kernel's state of a Unix socket.
#[derive(Debug)]
pub(crate) struct Socket {
    /// The host whose process created it.
    pub host: HostId,
    pub kind: SocketKind,
    /// The address that it is bound to.
    pub address: Option<SocketAddr>,
    key: Option<Key>,
    pub peer: Option<UnixId>,
    /// The process id of the peer at the time of the connect.
    pub peer_pid: Option<i32>,
    /// Set for a listener.
    listens: Option<Listens>,
    /// Whether a process holds it. No process holds a connection that has not been accepted.
    held: bool,
    closed: bool,
    /// Received and not yet read.
    queue: VecDeque<Piece>,
    /// Memory of sent data that the peer has not read yet, in bytes, including the kernel's overhead (Linux: `sk_wmem_alloc`).
    charged: usize,
    /// Set when a write finds the buffer full. As in tokio, the next attempt is made once three quarters of it are free.
    is_full: bool,
    /// The receiver whose full queue blocks the sender of a datagram.
    full_receiver: Option<UnixId>,
    /// Whether the read direction and the write direction are shut down.
    read_shut: bool,
    write_shut: bool,
    error: Option<io::ErrorKind>,
    readers: Waiters,
    writers: Waiters,
}

/// The type of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SocketKind {
    Stream,
    Datagram,
}

/// A listener's queue.
#[derive(Debug)]
struct Listens {
    backlog: usize,
    queue: VecDeque<UnixId>,
    /// The earliest time of the next failure of `accept`.
    fails_from: u64,
}

/// Data of one write.
#[derive(Debug)]
struct Piece {
    bytes: Vec<u8>,
    /// How many of its bytes have been read.
    offset: usize,
    from: UnixId,
    /// How much of the sender's buffer it occupies.
    charge: usize,
}

impl Kernel {
    /// Returns whether it is a listener.
    pub fn unix_listens(&self, id: UnixId) -> bool {
        self.unix[id].listens.is_some()
    }

    /// Creates a socket that the current process of a host holds.
    pub fn unix_new(&mut self, host: HostId, kind: SocketKind) -> io::Result<UnixId> {
        self.check_fd_limit(host)?;
        let id = self.unix_add(host, kind);
        self.unix[id].held = true;
        self.hosts[host].unix_sockets.insert(id);
        Ok(id)
    }

    fn unix_add(&mut self, host: HostId, kind: SocketKind) -> UnixId {
        self.unix.push(Socket {
            host,
            kind,
            address: None,
            key: None,
            peer: None,
            peer_pid: None,
            listens: None,
            held: false,
            closed: false,
            queue: VecDeque::new(),
            charged: 0,
            is_full: false,
            full_receiver: None,
            read_shut: false,
            write_shut: false,
            error: None,
            readers: Waiters::default(),
            writers: Waiters::default(),
        });
        self.unix.len() - 1
    }

    /// Creates two connected sockets.
    pub fn unix_pair(&mut self, host: HostId, kind: SocketKind) -> io::Result<[UnixId; 2]> {
        let one = self.unix_new(host, kind)?;
        let other = self.unix_new(host, kind).inspect_err(|_| self.unix_close(one))?;
        self.unix_join(one, other);
        self.unix_event(Kind::Connect, one, 0, Unix::Pair);
        Ok([one, other])
    }

    fn unix_join(&mut self, one: UnixId, other: UnixId) {
        for (id, peer) in [(one, other), (other, one)] {
            self.unix[id].peer = Some(peer);
            self.unix[id].peer_pid = Some(self.pid(self.unix[peer].host));
        }
    }

    /// Returns the id of the process that a host runs now, as peers of its Unix sockets see it.
    fn pid(&self, host: HostId) -> i32 {
        const PIDS_EACH: usize = 1000;
        i32::try_from((host + 1) * PIDS_EACH + self.hosts[host].incarnation as usize % PIDS_EACH).unwrap_or(i32::MAX)
    }

    /// Closes a socket whose bind or connect failed.
    fn unix_discard(&mut self, id: UnixId) {
        self.hosts[self.unix[id].host].unix_sockets.remove(&id);
        self.unix[id].held = false;
        self.unix_release(id, false);
    }

    /// Closes a socket: the application drops it, or its process ends.
    pub fn unix_close(&mut self, id: UnixId) {
        if !std::mem::replace(&mut self.unix[id].held, false) {
            return;
        }
        let host = self.unix[id].host;
        self.hosts[host].unix_sockets.remove(&id);
        self.tasks[current_task()].waits.retain(|(wait, _)| !matches!(wait, Wait::Unix(other, _) if *other == id));
        match self.runs_on(host) {
            true => self.unix_event(Kind::Close, id, 5, Unix::Close),
            // The process was killed: its kernel does it.
            false => {
                self.event_on(Kind::Close, host, id, |k| What::Unix { socket: k.unix_socket(id), what: Unix::Close })
            }
        }
        self.unix_release(id, false);
    }

    /// Releases a socket. The peer gets a reset if unread data is lost or the connection was not accepted.
    fn unix_release(&mut self, id: UnixId, unaccepted: bool) {
        let socket = &mut self.unix[id];
        (socket.closed, socket.read_shut, socket.write_shut) = (true, true, true);
        let (unread, listens) = (std::mem::take(&mut socket.queue), socket.listens.take());
        let (kind, peer) = (socket.kind, socket.peer);
        self.unix_forget_name(id);
        if let (SocketKind::Stream, Some(peer)) = (kind, peer) {
            let lost = !unread.is_empty() || unaccepted;
            let peer = &mut self.unix[peer];
            (peer.read_shut, peer.write_shut) = (true, true);
            if lost && !peer.closed {
                peer.error = Some(io::ErrorKind::ConnectionReset);
            }
        }
        for piece in unread {
            self.unix_refund(piece.from, piece.charge);
        }
        for waiting in listens.into_iter().flat_map(|listens| listens.queue) {
            self.unix_release(waiting, true);
        }
        self.unix_wake(id);
        match (kind, peer) {
            (SocketKind::Stream, Some(peer)) => self.unix_wake(peer),
            (SocketKind::Stream, None) => {}
            // Those that wait to send to it learn that it is gone.
            (SocketKind::Datagram, _) => self.unix_wake_senders(id),
        }
    }

    /// Drops the sockets of a host whose machine loses power. No peer is left to be notified.
    pub(super) fn unix_lose(&mut self, host: HostId) {
        for id in std::mem::take(&mut self.hosts[host].unix_sockets) {
            let socket = &mut self.unix[id];
            (socket.held, socket.closed, socket.listens, socket.peer) = (false, true, None, None);
            socket.queue.clear();
            socket.readers.wake(&mut self.wakes);
            socket.writers.wake(&mut self.wakes);
        }
    }

    /// Drops the names that a machine keeps in memory.
    pub(super) fn unix_crash(&mut self, machine: HostId) {
        self.unix_names.lose_power(machine);
    }

    /// Returns the hosts of a socket and of its current or last peer.
    pub fn unix_hosts(&self, id: UnixId) -> (HostId, HostId) {
        let host = self.unix[id].host;
        (host, self.unix[id].peer.map_or(host, |peer| self.unix[peer].host))
    }

    fn unix_wake(&mut self, id: UnixId) {
        let socket = &mut self.unix[id];
        socket.readers.wake(&mut self.wakes);
        socket.writers.wake(&mut self.wakes);
    }

    /// Returns memory to a sender's buffer: the data was read or dropped.
    fn unix_refund(&mut self, id: UnixId, charge: usize) {
        let socket = &mut self.unix[id];
        socket.charged -= charge;
        // Linux: `unix_writable`.
        if socket.charged * 4 < self.hosts[socket.host].sysctl.wmem_default as usize {
            socket.is_full = false;
            socket.writers.wake(&mut self.wakes);
        }
    }

    /// Fails for a socket of a process that has ended: a destructor still uses it.
    fn unix_demand(&self, id: UnixId) -> io::Result<()> {
        match self.unix[id].held {
            true => self.check_alive(),
            false => Err(os_error(io::ErrorKind::NetworkDown)),
        }
    }

    /// Returns and clears the socket's error, like `SO_ERROR`.
    pub fn unix_take_error(&mut self, id: UnixId) -> Option<io::Error> {
        let error = os_error(self.unix[id].error.take()?);
        self.unix_fails(id, error).into()
    }

    /// Records an error that the application gets.
    fn unix_fails(&mut self, id: UnixId, error: io::Error) -> io::Error {
        let number = error.raw_os_error().unwrap_or_default();
        self.unix_event(Kind::Reset, id, number as usize, Unix::Error(number));
        error
    }

    fn unix_wait(&mut self, id: UnixId, what: UnixWait, waiter: &std::task::Waker) {
        let socket = &mut self.unix[id];
        let waiters = match what {
            UnixWait::Write | UnixWait::Send => &mut socket.writers,
            _ => &mut socket.readers,
        };
        let surplus = waiters.add(waiter);
        self.wake(surplus);
        self.wait(Wait::Unix(id, what));
    }

    /// Records an operation on a socket; `b` distinguishes it in the digest.
    fn unix_event(&mut self, kind: Kind, id: UnixId, b: usize, what: Unix) {
        self.event(kind, id, b, |k| What::Unix { socket: k.unix_socket(id), what });
    }

    /// Returns the peer of a socket.
    pub fn unix_peer(&self, id: UnixId) -> Option<UnixId> {
        self.unix[id].peer
    }

    /// Returns a socket as events and verdicts name it.
    pub fn unix_socket(&self, id: UnixId) -> UnixSocket {
        let socket = &self.unix[id];
        let name = |id: UnixId| self.unix[id].address.as_ref().map(names::shown);
        let name = name(id).or_else(|| socket.peer.and_then(name)).unwrap_or_default();
        UnixSocket { name, number: id as u64 + 1, peer: socket.peer.map(|peer| peer as u64 + 1) }
    }
}

/// Returns the memory that data of one write occupies in the sender's buffer: the `sk_buff`, the linear part with the
/// `skb_shared_info` at its end, and the pages, as Linux 6.18 allocates them.
fn charge_of(len: usize, first_max: usize, pages_max: usize) -> usize {
    const BUFFER_HEAD: usize = 256;
    const SHARED_INFO: usize = 320;
    const BLOCK_MIN: usize = 512;
    const PAGE: usize = 4096;
    let pages = len.saturating_sub(first_max).next_multiple_of(PAGE).min(pages_max);
    let first = (len.saturating_sub(pages) + SHARED_INFO).next_power_of_two().max(BLOCK_MIN);
    BUFFER_HEAD + first + pages.min(len.next_multiple_of(PAGE))
}
