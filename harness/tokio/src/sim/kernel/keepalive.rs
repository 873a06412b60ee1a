//! Keep-alive: an idle connection is probed, and times out when the probes are not answered.

use super::{Action, ConnId, Kernel, PacketKind, Side, conn::Handshake};

impl Kernel {
    /// Starts keep-alive on an established connection with `SO_KEEPALIVE`.
    pub(super) fn begin_keepalive(&mut self, conn: ConnId, side: Side) {
        let end = &mut self.conns[conn].ends[side];
        end.last_received = self.now;
        let time = self.hosts[end.host].sysctl.tcp_keepalive_time.as_nanos() as u64;
        self.later(self.now.saturating_add(time), Action::Keepalive(conn, side));
    }

    /// Handles the keep-alive timer: sends a probe if the connection is idle.
    pub(super) fn keepalive(&mut self, conn: ConnId, side: Side) {
        let end = &self.conns[conn].ends[side];
        if !self.is_known(conn, side) || end.closed {
            return;
        }
        let sysctl = &self.hosts[end.host].sysctl;
        let (time, interval) =
            (sysctl.tcp_keepalive_time.as_nanos() as u64, sysctl.tcp_keepalive_intvl.as_nanos() as u64);
        let pipe = &self.conns[conn].pipes[side];
        // Data in flight is covered by the retransmission timer.
        let busy = !pipe.flight.is_empty() || !pipe.queued.is_empty();
        let silent_until = end.last_received.saturating_add(time);
        let next = match end.unanswered {
            _ if busy => self.now.saturating_add(time),
            0 if silent_until > self.now => silent_until,
            unanswered if unanswered >= sysctl.tcp_keepalive_probes => return self.time_out(conn, side),
            _ => {
                self.conns[conn].ends[side].unanswered += 1;
                if let Some(due) = self.send_control(conn, side, PacketKind::Probe) {
                    self.later(due, Action::KeepaliveProbe(conn, 1 - side));
                }
                self.now.saturating_add(interval)
            }
        };
        self.later(next, Action::Keepalive(conn, side));
    }

    /// Handles a keep-alive probe at this side: answers it, or sends a reset if the connection is unknown.
    pub(super) fn probe_arrives(&mut self, conn: ConnId, side: Side) {
        if !self.reaches(conn, side) {
            return;
        }
        if !self.is_known(conn, side) || self.conns[conn].handshake == Handshake::SynSent {
            return self.send_rst(conn, side);
        }
        let (now, peer) = (self.now, 1 - side);
        (self.conns[conn].ends[side].last_received, self.conns[conn].ends[side].unanswered) = (now, 0);
        let (from, to) = self.route(conn, side);
        if self.passes(from, to) {
            (self.conns[conn].ends[peer].last_received, self.conns[conn].ends[peer].unanswered) = (now, 0);
        }
    }
}
