//! Timers on the simulated clock, for tasks and for the network.

use super::{ConnId, ListenerId, Side, UdpId, UnixId, clock, in_timer, with_at};
use madsim::time::{Sleep, TimeHandle};
use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

/// A network action scheduled for a later time, as plain data.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Action {
    /// A SYN arrives.
    Syn(ConnId),
    /// Retransmits the SYN, or times out the connect.
    SynRetry(ConnId, u32),
    /// A SYN-ACK arrives at the client.
    SynAck(ConnId),
    /// Retransmits the SYN-ACK.
    SynAckRetry(ConnId, u32),
    /// The final ACK of the handshake arrives at the server.
    Ack(ConnId),
    /// A challenge ACK arrives at this side.
    Challenge(ConnId, Side),
    /// Segments from this side, sent in this retransmission round, arrive.
    Deliver(ConnId, Side, u32),
    /// This side's retransmission timer expires.
    Retransmit(ConnId, Side, u32),
    /// A window update arrives at this side.
    Window(ConnId, Side),
    /// This side's persist timer expires: it sends a window probe.
    Persist(ConnId, Side),
    /// This side's keep-alive timer expires.
    Keepalive(ConnId, Side),
    /// A keep-alive probe arrives at this side.
    KeepaliveProbe(ConnId, Side),
    /// A reset arrives at this side.
    Rst(ConnId, Side),
    /// A failed accept may be retried.
    AcceptAgain(ListenerId),
    /// Accepting at a Unix socket may be tried again.
    UnixAcceptAgain(UnixId),
    /// A datagram arrives, by its number.
    Datagram(u64),
    /// An ICMP port unreachable arrives at a sender of datagrams.
    PortUnreachable(UdpId),
    /// The connect fails: no host has the address.
    Unreachable(ConnId),
    /// A fault starts.
    Fault(usize),
    /// A fault ends.
    FaultOver(usize),
}

/// Schedules `action` at `due`. Must not be called from a timer callback, where madsim holds its timer lock; see
/// `Kernel::later`.
pub(crate) fn arm(time: &TimeHandle, due: u64, action: Action) {
    struct Due(u64, Action);
    impl Wake for Due {
        fn wake(self: Arc<Self>) {
            in_timer(|| with_at(self.0, |k| k.perform(self.1)));
        }
    }
    arm_waker(time, due, Arc::new(Due(due, action)).into());
}

/// Wakes `waker` at `due`, or at once if that is in the past.
fn arm_waker(time: &TimeHandle, due: u64, waker: Waker) {
    let mut sleep = at(time, due);
    let mut cx = Context::from_waker(&waker);
    if Pin::new(&mut sleep).poll(&mut cx).is_ready() {
        waker.wake();
    }
}

/// Returns a sleep until exactly `due`: madsim's own takes at least a millisecond unless it is reset.
fn at(time: &TimeHandle, due: u64) -> Sleep {
    let start = clock::start();
    let mut sleep = time.sleep_until(start);
    Pin::new(&mut sleep).reset(start + Duration::from_nanos(due));
    sleep
}

/// One deadline of one task. Arms at most one madsim timer per deadline, however often it is polled.
#[derive(Debug, Default)]
pub(crate) struct Timer {
    armed: Option<(u64, Arc<Slot>)>,
}

#[derive(Debug, Default)]
struct Slot(Mutex<Option<Waker>>);

impl Slot {
    /// Replaces the waker and returns the previous one, which may own the task that polls or drops this very timer.
    fn set(&self, waker: Option<Waker>) -> Option<Waker> {
        std::mem::replace(&mut *self.0.lock().expect("no panic while a waker is stored"), waker)
    }
}

impl Wake for Slot {
    fn wake(self: Arc<Self>) {
        if let Some(waker) = self.set(None) {
            in_timer(|| waker.wake());
        }
    }
}

impl Timer {
    /// Returns `Ready` once virtual time has reached `due`.
    pub fn poll(&mut self, time: &TimeHandle, due: u64, cx: &mut Context<'_>) -> Poll<()> {
        if clock::now(time) >= due {
            self.armed = None;
            return Poll::Ready(());
        }
        let slot = match &self.armed {
            Some((armed, slot)) if *armed == due => slot.clone(),
            _ => {
                let slot = Arc::new(Slot::default());
                arm_waker(time, due, slot.clone().into());
                self.armed = Some((due, slot.clone()));
                slot
            }
        };
        drop(slot.set(Some(cx.waker().clone())));
        Poll::Pending
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some((_, slot)) = self.armed.take() {
            drop(slot.set(None));
        }
    }
}

impl super::Kernel {
    /// Executes a scheduled action.
    fn perform(&mut self, action: Action) {
        match action {
            Action::Syn(conn) => self.syn_arrives(conn),
            Action::SynRetry(conn, tries) => self.syn_again(conn, tries),
            Action::SynAck(conn) => self.syn_ack_arrives(conn),
            Action::SynAckRetry(conn, tries) => self.syn_ack_again(conn, tries),
            Action::Ack(conn) => self.ack_arrives(conn),
            Action::Challenge(conn, side) => self.challenge_arrives(conn, side),
            Action::Deliver(conn, side, round) => self.deliver(conn, side, round),
            Action::Retransmit(conn, side, round) => self.retransmit(conn, side, round),
            Action::Window(conn, side) => self.send_queued(conn, side),
            Action::Persist(conn, side) => self.persist(conn, side),
            Action::Keepalive(conn, side) => self.keepalive(conn, side),
            Action::KeepaliveProbe(conn, side) => self.probe_arrives(conn, side),
            Action::Rst(conn, side) => self.rst_arrives(conn, side),
            Action::AcceptAgain(id) => self.accept_again(id),
            Action::UnixAcceptAgain(id) => self.unix_accept_again(id),
            Action::Datagram(number) => self.datagram_arrives(number),
            Action::PortUnreachable(id) => self.port_unreachable_arrives(id),
            Action::Unreachable(conn) => self.connect_failed(conn, std::io::ErrorKind::HostUnreachable),
            Action::Fault(fault) => self.begin_fault(fault),
            Action::FaultOver(fault) => self.end_fault(fault),
        }
    }
}
