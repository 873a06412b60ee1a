//! Lists Unix sockets like `ss`.

use super::super::{HostId, Kernel, UnixId};
use super::{SocketKind, names::shown};
use refrain_core::socket;

impl Kernel {
    /// Returns the Unix sockets that a host's process holds, in creation order.
    pub fn unix_netstat(&self, host: HostId) -> impl Iterator<Item = socket::Socket> {
        self.hosts[host].unix_sockets.iter().map(|&id| self.unix_shown(id))
    }

    /// Returns those of them that are not listeners.
    pub fn unix_open(&self, host: HostId) -> impl Iterator<Item = UnixId> {
        self.hosts[host].unix_sockets.iter().copied().filter(|&id| self.unix[id].listens.is_none())
    }

    fn unix_shown(&self, id: UnixId) -> socket::Socket {
        let socket = &self.unix[id];
        let (state, receive_queue, send_queue) = match (&socket.listens, socket.peer) {
            (Some(listens), _) => ("LISTEN", listens.queue.len(), listens.backlog),
            (None, Some(_)) => ("ESTAB", self.unix_unread(id), socket.charged),
            (None, None) => ("UNCONN", self.unix_unread(id), socket.charged),
        };
        let address = |id: UnixId| {
            let name = self.unix[id].address.as_ref().map(shown).filter(|name| !name.is_empty());
            format!("{} {}", name.as_deref().unwrap_or("*"), id + 1)
        };
        socket::Socket {
            host: self.hosts[socket.host].name.clone(),
            protocol: if socket.kind == SocketKind::Stream { "u_str" } else { "u_dgr" }.into(),
            state: state.into(),
            receive_queue: receive_queue as u64,
            send_queue: send_queue as u64,
            local: address(id),
            peer: socket.peer.map_or_else(|| "*".into(), address),
            timer: None,
        }
    }

    fn unix_unread(&self, id: UnixId) -> usize {
        self.unix[id].queue.iter().map(|piece| piece.bytes.len() - piece.offset).sum()
    }
}
