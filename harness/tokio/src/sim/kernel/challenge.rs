//! A SYN for which the host still has an older connection with the same addresses: the peer may have rebooted. The old
//! connection answers with a challenge ACK (RFC 5961, 4.2), and a peer that does not know it any more resets it.

use super::{Action, ConnId, Kernel, PacketKind, Side, conn::Fin};

/// How soon a client sends its SYN again after a challenge, the first time: Linux's `TCP_TIMEOUT_MIN`, two ticks, at 250 Hz.
const SYN_AGAIN_NS: u64 = 8_000_000;

impl Kernel {
    /// Returns the older connection with the addresses of a SYN that has arrived, and the listener's side of it.
    pub(super) fn older(&self, conn: ConnId) -> Option<(ConnId, Side)> {
        let [client, server] = &self.conns[conn].ends;
        let (host, local, remote) = (server.host, server.addr, client.addr);
        if let Some((old, gone)) = self.hosts[host].tcp.between(local, remote, self.now) {
            let side = self.side_with(old, (local, remote));
            let c = &self.conns[old];
            // A SYN replaces a connection in TIME_WAIT at once: its sequence numbers lie behind the old ones. After a reboot
            // Linux may challenge it first, by chance, which delays the connect by milliseconds.
            let is_over = gone && c.pipes[1 - side].fin == Fin::Arrived;
            return (old != conn && c.ends[side].established && !is_over).then_some((old, side));
        }
        let at = self.listener_at(host, local, self.conns[conn].stream)?;
        let has_its_addresses = |&&old: &&ConnId| {
            let [other, own] = &self.conns[old].ends;
            (own.addr, other.addr) == (local, remote) && self.is_known(old, 1)
        };
        self.listeners[at].half_open.iter().find(has_its_addresses).map(|&old| (old, 1))
    }

    /// Returns the side of a connection that has these addresses as its local and its remote one.
    fn side_with(&self, conn: ConnId, (local, remote): (std::net::SocketAddr, std::net::SocketAddr)) -> Side {
        let [client, server] = &self.conns[conn].ends;
        usize::from((client.addr, server.addr) != (local, remote))
    }

    /// Answers a SYN from this side of the older connection.
    pub(super) fn challenge(&mut self, old: ConnId, side: Side) {
        if let Some(due) = self.send_control(old, side, PacketKind::Ack) {
            self.later(due, Action::Challenge(old, 1 - side));
        }
    }

    /// Answers a challenge with a reset if this side's host has lost the connection, and sends a waiting SYN again.
    pub(super) fn challenge_arrives(&mut self, old: ConnId, side: Side) {
        if !self.reaches(old, side) {
            return;
        }
        let ends = &self.conns[old].ends;
        let (host, local, remote) = (ends[side].host, ends[side].addr, ends[1 - side].addr);
        let Some((current, _)) = self.hosts[host].tcp.between(local, remote, self.now) else {
            return self.send_rst(old, side);
        };
        // Any other connection that has these addresses now takes it for a duplicate.
        if current == old || !self.wants_to_connect(current) {
            return;
        }
        self.send_rst(old, side);
        let tries = self.conns[current].retry[0].1;
        if tries == 1 {
            let again = self.now + SYN_AGAIN_NS;
            self.conns[current].retry[0] = (again, tries);
            self.later(again, Action::SynRetry(current, tries + 1));
        }
    }
}
