//! How a connection ends: FIN, half-close, RST.

use super::{Action, ConnId, Kernel, Kind, Side, TriggerKind, conn::Fin};
use std::io;

impl Kernel {
    /// The application shuts down its writing side: a FIN goes out behind what is queued.
    pub fn shutdown(&mut self, conn: ConnId, side: Side) {
        if self.conns[conn].pipes[side].fin != Fin::Open || !self.knows(conn, side) {
            return;
        }
        self.conns[conn].pipes[side].fin = Fin::Queued;
        self.event(Kind::Close, conn, side, |k| format!("shuts down its side of {}", k.describe(conn, side)));
        self.send_queued(conn, side);
    }

    /// The application drops its socket, or its process ends.
    pub fn close(&mut self, conn: ConnId, side: Side) {
        let end = &mut self.conns[conn].ends[side];
        if !std::mem::replace(&mut end.open, false) {
            return;
        }
        end.let_go = true;
        let host = end.host;
        self.give_up_socket(conn, side);
        if !self.knows(conn, side) {
            return self.forget(host, conn);
        }
        let (from, to) = self.way(conn, side);
        self.event(Kind::Close, conn, 2 + side, |k| format!("closes {}", k.describe(conn, side)));
        if !self.conns[conn].ends[side].established {
            self.conns[conn].ends[side].gone = true;
        } else if !self.conns[conn].pipes[1 - side].arrived.is_empty() {
            // The peer sent what nobody will read: only a reset tells it so (RFC 2525, 2.17).
            self.conns[conn].ends[side].gone = true;
            self.send_rst(conn, side);
        } else if self.conns[conn].pipes[side].fin == Fin::Open {
            self.conns[conn].pipes[side].fin = Fin::Queued;
            self.send_queued(conn, side);
        }
        self.forget(host, conn);
        self.occurs(TriggerKind::Closes, from, to);
    }

    /// One end of it is closed; within one host the other end may still be open.
    fn forget(&mut self, host: super::HostId, conn: ConnId) {
        let conns = &mut self.hosts[host].conns;
        if let Some(at) = conns.iter().position(|&other| other == conn) {
            conns.remove(at);
        }
    }

    /// This side's kernel answers with a reset.
    pub(super) fn send_rst(&mut self, conn: ConnId, side: Side) {
        if let Some(due) = self.send_control(conn, side) {
            // It travels behind the bytes that went before it.
            let due = due.max(self.conns[conn].pipes[side].last_due);
            self.later(due, Action::Rst(conn, 1 - side));
        }
    }

    pub(super) fn rst_arrives(&mut self, conn: ConnId, side: Side) {
        if self.reaches(conn, side) {
            self.reset_end(conn, side);
        }
    }

    /// This end learns that the connection is gone.
    pub(super) fn reset_end(&mut self, conn: ConnId, side: Side) {
        if !self.knows(conn, side) {
            return;
        }
        if side == 1 {
            self.leave_half_open(conn);
        }
        let ended = self.conns[conn].pipes[1 - side].fin == Fin::Arrived;
        let end = &mut self.conns[conn].ends[side];
        let refused = side == 0 && !end.established;
        // As Linux: whoever has seen the peer's FIN before is told of a broken pipe.
        end.error = Some(match (refused, ended) {
            (true, _) => io::ErrorKind::ConnectionRefused,
            (false, true) => io::ErrorKind::BrokenPipe,
            (false, false) => io::ErrorKind::ConnectionReset,
        });
        end.gone = true;
        let host = end.host;
        let text = if refused { "is refused" } else { "is reset" };
        self.event_on(Kind::Reset, host, conn, |k| format!("{} {text}", k.describe(conn, side)));
        let pipe = &mut self.conns[conn].pipes[side];
        pipe.queued.clear();
        pipe.flight.clear();
        pipe.flight_bytes = 0;
        self.wake_side(conn, side);
    }
}
