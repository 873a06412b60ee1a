//! Rules: faults written by a test. A rule sees each packet and each operation on a route, and decides what happens to
//! it.

use super::{HostId, Kernel, errno::os_error};
use std::{io, time::Duration};

/// Decides what happens to packets and operations on the route from one host to another, while a fault that names the
/// rule is active.
///
/// A plan refers to a rule by its name and arguments. A rule must decide only from these and from what it has seen, so
/// that a replay makes the same decisions. It is called from within the simulated network and cannot use the simulated
/// world.
pub trait Rule {
    /// Decides what happens to a packet sent from the first host to the second.
    fn packet(&mut self, packet: &Packet<'_>) -> Decision {
        let _ = packet;
        Decision::Pass
    }

    /// Decides whether an operation on a connection from the first host to the second fails.
    ///
    /// # Errors
    /// The error that the application gets.
    fn operation(&mut self, operation: &Operation<'_>) -> Result<(), io::ErrorKind> {
        let _ = operation;
        Ok(())
    }
}

/// What happens to a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The packet is delivered.
    Pass,
    /// The packet is lost.
    Lose,
    /// The packet is delayed by this duration.
    Delay(Duration),
}

/// A packet being sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Its kind.
    pub kind: PacketKind,
    /// Its payload.
    pub bytes: &'a [u8],
}

/// The kind of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PacketKind {
    /// A TCP SYN.
    Syn,
    /// A TCP SYN-ACK.
    SynAck,
    /// A TCP ACK without payload.
    Ack,
    /// A TCP segment with payload.
    Data,
    /// A TCP FIN without payload.
    Fin,
    /// A TCP RST.
    Rst,
    /// A keep-alive probe or a window probe.
    Probe,
    /// A UDP datagram.
    Datagram,
    /// ICMP port unreachable, in answer to a datagram to a closed port.
    PortUnreachable,
}

/// An application's operation on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation<'a> {
    /// The first host's application connects to the second host.
    Connect,
    /// The first host's application writes these bytes.
    Write(&'a [u8]),
    /// The second host's application reads what the first one wrote.
    Read,
}

/// The rules of a run, and the routes on which they are active.
#[derive(Default)]
pub(crate) struct Rules {
    all: Vec<Box<dyn Rule>>,
    active: Vec<((HostId, HostId), RuleId)>,
}

/// Identifies a rule of this run.
pub type RuleId = usize;

impl Rules {
    /// Adds a rule, not yet active.
    pub fn add(&mut self, rule: Box<dyn Rule>) -> RuleId {
        self.all.push(rule);
        self.all.len() - 1
    }

    pub fn begin(&mut self, route: (HostId, HostId), rule: RuleId) {
        self.active.push((route, rule));
    }

    pub fn end(&mut self, route: (HostId, HostId), rule: RuleId) {
        if let Some(at) = self.active.iter().position(|active| *active == (route, rule)) {
            self.active.remove(at);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.active.is_empty()
    }

    /// Returns the decisions of a route's rules about a packet, in order; every active rule sees every packet.
    pub fn packet(&mut self, route: (HostId, HostId), packet: &Packet<'_>) -> Vec<Decision> {
        let active = self.active.iter().filter(|(on, _)| *on == route);
        active.map(|(_, rule)| self.all[*rule].packet(packet)).collect()
    }
}

impl Kernel {
    /// Fails if a rule of the route rejects the operation.
    pub(super) fn allow(&mut self, route: (HostId, HostId), operation: &Operation<'_>) -> io::Result<()> {
        let Rules { all, active } = &mut self.rules;
        for (_, rule) in active.iter().filter(|(on, _)| *on == route) {
            all[*rule].operation(operation).map_err(os_error)?;
        }
        Ok(())
    }
}
