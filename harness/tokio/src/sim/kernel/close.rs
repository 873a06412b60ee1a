//! Connection teardown: FIN, half-close, RST.

use super::{
    Action, Conn, ConnId, HostId, Kernel, Kind, PacketKind, Side, Tcp, TriggerKind, What, conn::Fin, errno::os_error,
};
use std::{io, time::Duration};

impl Kernel {
    /// Shuts down the write half: queues a FIN behind the unsent data.
    pub fn shutdown(&mut self, conn: ConnId, side: Side) -> io::Result<()> {
        if self.is_over(conn, side) {
            return Err(os_error(io::ErrorKind::NotConnected));
        }
        if self.conns[conn].pipes[side].fin != Fin::Open {
            return Ok(());
        }
        self.queue_fin(conn, side);
        self.tcp_event(Kind::Close, (conn, side), side, Tcp::Shutdown);
        self.send_queued(conn, side);
        Ok(())
    }

    /// Closes the application's socket, because it was dropped or its process ended.
    pub fn close(&mut self, conn: ConnId, side: Side) {
        let end = &mut self.conns[conn].ends[side];
        if !std::mem::replace(&mut end.open, false) {
            return;
        }
        end.closed = true;
        let host = end.host;
        self.remove_socket_waits(conn, side);
        if !self.is_known(conn, side) {
            return self.forget(host, conn, side);
        }
        let (from, to) = self.route(conn, side);
        match self.runs_on(host) {
            true => self.tcp_event(Kind::Close, (conn, side), 2 + side, Tcp::Close),
            // The process was killed, so its host's kernel closes the socket.
            false => self
                .event_on(Kind::Close, host, conn, |k| What::Tcp { conn: k.connection(conn, side), what: Tcp::Close }),
        }
        let Conn { ends, pipes, .. } = &self.conns[conn];
        let unread = !pipes[1 - side].arrived.is_empty();
        let ended = pipes.iter().all(|pipe| pipe.fin > Fin::Open);
        let abort = ends[side].options.linger == Some(Duration::ZERO) && !ended;
        if !ends[side].established {
            self.drop_end(conn, side);
        } else if unread || abort {
            // Data was received that nobody will read, so the peer gets a reset (RFC 2525, 2.17); or the application
            // asked for one (`SO_LINGER` with a zero timeout).
            self.drop_end(conn, side);
            self.send_rst(conn, side);
            let pipe = &mut self.conns[conn].pipes[side];
            pipe.queued.clear();
            self.conns[conn].pipes[1 - side].arrived.clear();
        } else {
            if pipes[side].fin == Fin::Open {
                self.queue_fin(conn, side);
                self.send_queued(conn, side);
            }
            let Conn { ends, pipes, .. } = &self.conns[conn];
            match (ends[side].closed_first, pipes[1 - side].fin) {
                (false, _) => self.end_port(conn, side),
                // TIME_WAIT began when the peer's FIN arrived.
                (true, Fin::Arrived) => {}
                (true, _) => self.begin_time_wait(conn, side),
            }
        }
        self.forget(host, conn, side);
        self.occurs(TriggerKind::Closes, from, to);
    }

    /// Queues a FIN behind the unsent data.
    fn queue_fin(&mut self, conn: ConnId, side: Side) {
        let Conn { ends, pipes, .. } = &mut self.conns[conn];
        pipes[side].fin = Fin::Queued;
        ends[side].closed_first = pipes[1 - side].fin != Fin::Arrived;
    }

    fn forget(&mut self, host: HostId, conn: ConnId, side: Side) {
        self.hosts[host].conns.remove(&(conn, side));
    }

    fn end_port(&mut self, conn: ConnId, side: Side) {
        let ends = &self.conns[conn].ends;
        self.hosts[ends[side].host].tcp.disconnected(conn, ends[side].addr, ends[1 - side].addr);
    }

    /// Enters TIME_WAIT: this end closed first, so its port stays in use after the peer's FIN. Linux drops a connection
    /// whose FIN never arrives (`tcp_fin_timeout`) after the same time.
    pub(super) fn begin_time_wait(&mut self, conn: ConnId, side: Side) {
        let ends = &self.conns[conn].ends;
        self.hosts[ends[side].host].tcp.time_wait(conn, ends[side].addr, ends[1 - side].addr, self.now);
    }

    /// Sends a reset from this side's kernel.
    pub(super) fn send_rst(&mut self, conn: ConnId, side: Side) {
        if let Some(due) = self.send_control(conn, side, PacketKind::Rst) {
            // The reset must not overtake earlier packets: timers with equal deadlines may fire in either order.
            let due = due.max(self.conns[conn].pipes[side].last_due + 1);
            self.later(due, Action::Rst(conn, 1 - side));
        }
    }

    pub(super) fn rst_arrives(&mut self, conn: ConnId, side: Side) {
        if self.reaches(conn, side) {
            self.reset_end(conn, side);
        }
    }

    /// Marks this end as reset, and wakes its waiters.
    pub(super) fn reset_end(&mut self, conn: ConnId, side: Side) {
        if !self.is_known(conn, side) {
            return;
        }
        if side == 1 {
            self.leave_syn_queue(conn);
        }
        let ended = self.conns[conn].pipes[1 - side].fin == Fin::Arrived;
        let end = &mut self.conns[conn].ends[side];
        let refused = side == 0 && !end.established;
        // As on Linux, a reset after the peer's FIN is reported as a broken pipe.
        end.error = Some(match (refused, ended) {
            (true, _) => io::ErrorKind::ConnectionRefused,
            (false, true) => io::ErrorKind::BrokenPipe,
            (false, false) => io::ErrorKind::ConnectionReset,
        });
        let host = end.host;
        self.drop_end(conn, side);
        let what = if refused { Tcp::Refused } else { Tcp::Reset };
        self.event_on(Kind::Reset, host, conn, |k| What::Tcp { conn: k.connection(conn, side), what });
        let pipe = &mut self.conns[conn].pipes[side];
        pipe.queued.clear();
        pipe.flight.clear();
        pipe.flight_bytes = 0;
        self.wake_side(conn, side);
    }
}
