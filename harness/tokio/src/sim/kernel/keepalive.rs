//! Keep-alive: an idle connection is probed, and times out when the probes are not answered.

use super::{Action, ConnId, FAR_NS, Kernel, PacketKind, Side, SocketOptions, conn::Handshake, ns};

impl Kernel {
    /// Starts keep-alive on an established connection with `SO_KEEPALIVE`.
    pub(super) fn begin_keepalive(&mut self, conn: ConnId, side: Side) {
        let end = &mut self.conns[conn].ends[side];
        end.last_received = self.now;
        let time = ns(end.options.keepalive_time.unwrap_or(self.hosts[end.host].sysctl.tcp_keepalive_time));
        self.look_at(conn, side, self.now.saturating_add(time));
    }

    fn look_at(&mut self, conn: ConnId, side: Side, due: u64) {
        let due = due.min(self.now.saturating_add(FAR_NS));
        self.conns[conn].ends[side].keepalive_at = due;
        self.later(due, Action::Keepalive(conn, side));
    }

    /// Sets what a program sets on an established connection.
    pub fn set_options(&mut self, conn: ConnId, side: Side, options: SocketOptions) {
        let end = &mut self.conns[conn].ends[side];
        let before = std::mem::replace(&mut end.options, options);
        let times = |options: &SocketOptions| {
            (options.keepalive, options.keepalive_time, options.keepalive_interval, options.keepalive_probes)
        };
        if options.keepalive && times(&options) != times(&before) && self.conns[conn].ends[side].established {
            let end = &self.conns[conn].ends[side];
            let time = ns(options.keepalive_time.unwrap_or(self.hosts[end.host].sysctl.tcp_keepalive_time));
            let due = end.last_received.saturating_add(time).max(self.now);
            self.look_at(conn, side, due);
        }
    }

    /// Handles the keep-alive timer: sends a probe if the connection is idle.
    pub(super) fn keepalive(&mut self, conn: ConnId, side: Side) {
        let end = &self.conns[conn].ends[side];
        if !self.is_known(conn, side) || end.closed || self.now < end.keepalive_at {
            return;
        }
        let sysctl = &self.hosts[end.host].sysctl;
        let own = &end.options;
        if !own.keepalive {
            return;
        }
        let time = ns(own.keepalive_time.unwrap_or(sysctl.tcp_keepalive_time));
        let interval = ns(own.keepalive_interval.unwrap_or(sysctl.tcp_keepalive_intvl));
        // `TCP_USER_TIMEOUT` stands in place of the number of probes (Linux: `tcp_keepalive_timer`).
        let is_over = match own.user_timeout {
            Some(limit) => end.unanswered > 0 && self.now.saturating_sub(end.last_received) >= ns(limit),
            None => end.unanswered >= own.keepalive_probes.unwrap_or(sysctl.tcp_keepalive_probes),
        };
        let pipe = &self.conns[conn].pipes[side];
        // Data in flight is covered by the retransmission timer.
        let busy = !pipe.flight.is_empty() || !pipe.queued.is_empty();
        let silent_until = end.last_received.saturating_add(time);
        let next = match end.unanswered {
            _ if busy => self.now.saturating_add(time),
            0 if silent_until > self.now => silent_until,
            _ if is_over => return self.time_out(conn, side),
            _ => {
                self.conns[conn].ends[side].unanswered += 1;
                if let Some(due) = self.send_control(conn, side, PacketKind::Probe) {
                    self.later(due, Action::KeepaliveProbe(conn, 1 - side));
                }
                self.now.saturating_add(interval)
            }
        };
        self.look_at(conn, side, next);
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
