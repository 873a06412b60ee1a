//! Rules: faults that a test writes itself. A rule sees each packet and each operation on a route, and decides.

use super::{HostId, Kernel, errno::os_error};
use std::{io, time::Duration};

/// What decides what becomes of packets and operations on the route from one host to another, while a fault lasts that
/// names it.
///
/// A rule is part of the plan by its name and its arguments. It must decide from these and from what it has seen alone:
/// then a replay decides the same. It is called within the simulated network and cannot use the simulated world.
pub trait Rule {
    /// What becomes of a packet that is sent from the first host to the second.
    fn packet(&mut self, packet: &Packet<'_>) -> Decision {
        let _ = packet;
        Decision::Pass
    }

    /// Whether an operation on a connection from the first host to the second fails, and how.
    ///
    /// # Errors
    /// The error that the application sees.
    fn operation(&mut self, operation: &Operation<'_>) -> Result<(), io::ErrorKind> {
        let _ = operation;
        Ok(())
    }
}

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It goes on its way.
    Pass,
    /// It is lost.
    Lose,
    /// It takes this much longer.
    Delay(Duration),
}

/// A packet that is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// What it is.
    pub kind: PacketKind,
    /// What it carries.
    pub bytes: &'a [u8],
}

/// What a packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PacketKind {
    /// It asks for a TCP connection.
    Syn,
    /// It answers such a request.
    SynAck,
    /// It acknowledges what has arrived, and carries nothing.
    Ack,
    /// It carries bytes of a stream.
    Data,
    /// It ends a stream and carries nothing.
    Fin,
    /// It resets a connection.
    Rst,
    /// It asks whether the other side is still there, or has room.
    Probe,
    /// It carries a UDP datagram.
    Datagram,
    /// ICMP: nobody listens on the port to which a datagram went.
    PortUnreachable,
}

/// What an application does with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation<'a> {
    /// The first host's application connects to the second.
    Connect,
    /// The first host's application writes these bytes.
    Write(&'a [u8]),
    /// The second host's application reads what the first wrote.
    Read,
}

/// The rules that the faults of a run name, and where they decide now.
#[derive(Default)]
pub(crate) struct Rules {
    all: Vec<Box<dyn Rule>>,
    active: Vec<((HostId, HostId), RuleId)>,
}

/// A rule of this run.
pub type RuleId = usize;

impl Rules {
    /// Adds a rule, which decides nothing yet.
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

    /// What the rules of a route decide about a packet, one after the other: every rule sees every packet.
    pub fn packet(&mut self, route: (HostId, HostId), packet: &Packet<'_>) -> Vec<Decision> {
        let active = self.active.iter().filter(|(on, _)| *on == route);
        active.map(|(_, rule)| self.all[*rule].packet(packet)).collect()
    }
}

impl Kernel {
    /// Asks the rules of a route whether an operation fails.
    pub(super) fn allow(&mut self, route: (HostId, HostId), operation: &Operation<'_>) -> io::Result<()> {
        let Rules { all, active } = &mut self.rules;
        for (_, rule) in active.iter().filter(|(on, _)| *on == route) {
            all[*rule].operation(operation).map_err(os_error)?;
        }
        Ok(())
    }
}
