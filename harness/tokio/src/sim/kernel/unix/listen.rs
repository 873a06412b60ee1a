//! Unix listeners, and connecting to them, which succeeds or fails immediately.

use super::super::{
    Action, HostId, Kernel, Kind, TriggerKind, Unix, UnixId, What,
    errno::{EMFILE, WRONG_TYPE, os_error},
    listen::ACCEPT_FAILS_NS,
};
use super::{Listens, SocketKind};
use refrain_core::{plan::fault::HostEffect, verdict::UnixWait};
use std::{collections::VecDeque, io, os::unix::net::SocketAddr, task::Waker};

impl Kernel {
    /// Opens a listener like `UnixListener::bind`, with the largest backlog.
    pub fn unix_listen_on(&mut self, host: HostId, address: &SocketAddr) -> io::Result<UnixId> {
        let id = self.unix_new(host, SocketKind::Stream)?;
        let listens = self.unix_bind(id, address).and_then(|()| self.unix_listen(id, u32::MAX));
        listens.inspect_err(|_| self.unix_discard(id)).map(|()| id)
    }

    /// Turns a bound socket into a listener.
    pub fn unix_listen(&mut self, id: UnixId, backlog: u32) -> io::Result<()> {
        self.unix_demand(id)?;
        let socket = &mut self.unix[id];
        if socket.address.is_none() || socket.peer.is_some() {
            return Err(os_error(io::ErrorKind::InvalidInput));
        }
        let backlog = backlog.min(self.hosts[socket.host].sysctl.somaxconn) as usize;
        socket.listens = Some(Listens { backlog, queue: VecDeque::new(), fails_from: 0 });
        self.unix_event(Kind::Listen, id, backlog, Unix::Listen);
        Ok(())
    }

    /// Connects a new socket.
    pub fn unix_connect(&mut self, host: HostId, address: &SocketAddr) -> io::Result<UnixId> {
        let id = self.unix_new(host, SocketKind::Stream)?;
        self.unix_connect_socket(id, address).inspect_err(|_| self.unix_discard(id)).map(|()| id)
    }

    /// Connects a socket. If the accept queue is full it fails immediately.
    pub fn unix_connect_socket(&mut self, id: UnixId, address: &SocketAddr) -> io::Result<()> {
        self.unix_demand(id)?;
        let host = self.unix[id].host;
        let listener = self.unix_listener_at(host, address).map_err(|error| self.unix_refused(id, address, error))?;
        let accepted = self.unix_add(self.unix[listener].host, SocketKind::Stream);
        self.unix[accepted].address = self.unix[listener].address.clone();
        self.unix_join(id, accepted);
        self.unix_event(Kind::Connect, id, accepted, Unix::Connect);
        self.unix[listener].listens.as_mut().expect("it listens").queue.push_back(accepted);
        self.unix_accept_again(listener);
        Ok(())
    }

    /// Returns the listener with this name, if its queue has room.
    fn unix_listener_at(&self, host: HostId, address: &SocketAddr) -> io::Result<UnixId> {
        let id = self.unix_find(host, address)?;
        let socket = &self.unix[id];
        match &socket.listens {
            _ if socket.kind != SocketKind::Stream && !socket.closed => Err(io::Error::from_raw_os_error(WRONG_TYPE)),
            None => Err(os_error(io::ErrorKind::ConnectionRefused)),
            // The queue takes one more than the backlog (Linux: `unix_recvq_full`).
            Some(listens) if listens.queue.len() > listens.backlog => Err(os_error(io::ErrorKind::WouldBlock)),
            Some(_) => Ok(id),
        }
    }

    /// Accepts the next connection. `None`: the queue is empty, and `waiter` is woken when it no longer is.
    pub fn unix_accept(&mut self, id: UnixId, waiter: &Waker) -> Option<io::Result<UnixId>> {
        if let Err(error) = self.unix_demand(id) {
            return Some(Err(error));
        }
        let host = self.unix[id].host;
        let now = self.now;
        let no_file = !self.has_fd_left(host) || self.is_affected(host, HostEffect::FailAccepts);
        let listens = self.unix[id].listens.as_mut().expect("only a listener accepts");
        if !listens.queue.is_empty() {
            if !no_file {
                let accepted = listens.queue.pop_front().expect("it is not empty");
                self.unix[accepted].held = true;
                self.hosts[host].unix_sockets.insert(accepted);
                self.unix_event(Kind::Accept, accepted, 1, Unix::Accept);
                self.occurs(TriggerKind::Accepts, host, host);
                return Some(Ok(accepted));
            }
            // The descriptor is allocated first: without one, the connection stays in the queue.
            if now >= listens.fails_from {
                listens.fails_from = now + ACCEPT_FAILS_NS;
                self.event(Kind::Accept, id, 2, |_| What::NotAccepted);
                return Some(Err(io::Error::from_raw_os_error(EMFILE)));
            }
            let fails_from = listens.fails_from;
            self.later(fails_from, Action::UnixAcceptAgain(id));
        }
        self.unix_wait(id, UnixWait::Accept, waiter);
        None
    }

    /// Wakes the tasks that wait to accept.
    pub(in super::super) fn unix_accept_again(&mut self, id: UnixId) {
        self.unix[id].readers.wake(&mut self.wakes);
    }

    /// Adds to what a task waits for whether the connection has been accepted.
    pub fn unix_waits_for(&self, id: UnixId, what: UnixWait) -> UnixWait {
        let is_unaccepted = |peer: UnixId| !self.unix[peer].held && !self.unix[peer].closed;
        match (what, self.unix[id].peer.is_some_and(is_unaccepted)) {
            (UnixWait::Read, true) => UnixWait::ReadUnaccepted,
            (UnixWait::Write, true) => UnixWait::WriteUnaccepted,
            _ => what,
        }
    }
}
