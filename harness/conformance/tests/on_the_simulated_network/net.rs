//! The simulated network for the cases: two hosts of a world, and network impairments as faults.

use crate::{
    network::{Impaired, Side},
    seen::Seen,
};
use refrain::{
    World,
    rule::{Decision, Packet, PacketKind, Rule},
};
use std::{
    future::{Future, pending},
    net::IpAddr,
    path::PathBuf,
    time::Duration,
};
use tokio::{net::lookup_host, time::sleep};

/// Two hosts and the link between them. A cloneable handle.
#[derive(Clone)]
pub struct Net {
    world: World,
    addresses: [IpAddr; 2],
    addresses_v6: [IpAddr; 2],
    seen: Seen,
}

/// The names of the server and the client.
const NAMES: [&str; 2] = ["server", "client"];
const PORT: u16 = 7000;
/// How long a requested fault takes to become active.
const IN_FORCE: Duration = Duration::from_millis(1);

/// Drops the next packets with payload.
struct LoseData {
    left: u32,
}

impl Rule for LoseData {
    fn packet(&mut self, packet: &Packet<'_>) -> Decision {
        if packet.kind != PacketKind::Data || self.left == 0 {
            return Decision::Pass;
        }
        self.left -= 1;
        Decision::Lose
    }
}

impl Net {
    /// How long to wait for an operation: longer than any default timeout of Linux.
    pub const PATIENCE: Duration = Duration::from_secs(3 * 3600);

    /// More bytes than all buffers of a connection can hold.
    pub const MUCH: usize = 1 << 20;

    /// Creates the two hosts in a world.
    pub async fn new(world: World) -> Net {
        let (mut addresses, mut addresses_v6) = (vec![], vec![]);
        for name in NAMES {
            addresses_v6.push(world.host(name, pending::<()>).ipv6());
            let known = lookup_host((name, PORT)).await.expect("a host is known by its name").next();
            addresses.push(known.expect("it has an address").ip());
        }
        world.rule("lose_data", 1..9u32, |left| LoseData { left });
        Net {
            world,
            addresses: addresses.try_into().expect("two"),
            addresses_v6: addresses_v6.try_into().expect("two"),
            seen: Seen::default(),
        }
    }

    /// Returns the observations of the case.
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Returns the address of a host.
    pub fn address(&self, side: Side) -> IpAddr {
        self.addresses[side as usize]
    }

    /// Returns the IPv6 address of a host.
    pub fn address_v6(&self, side: Side) -> IpAddr {
        self.addresses_v6[side as usize]
    }

    /// Returns the server's port. The next one is free, too.
    pub fn port(&self) -> u16 {
        PORT
    }

    /// A folder in which Unix sockets may have paths: each run has the names of its own.
    pub fn folder(&self) -> PathBuf {
        PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
    }

    /// An abstract name.
    pub fn abstract_name(&self) -> String {
        "\0conformance".to_owned()
    }

    /// Runs a future on a host.
    pub async fn on<F>(&self, side: Side, future: F) -> F::Output
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.world.client(NAMES[side as usize]).run(future).await
    }

    /// Cuts the network in both directions.
    pub async fn cut(&self) {
        self.fault("cut server <-> client").await;
    }

    /// Drops everything that a host sends.
    pub async fn cut_from(&self, side: Side) {
        let (from, to) = (NAMES[side as usize], NAMES[1 - side as usize]);
        self.fault(&format!("cut {from} -> {to}")).await;
    }

    /// Drops the next packet with payload that a host sends.
    pub async fn lose_next(&self, side: Side) {
        let (from, to) = (NAMES[side as usize], NAMES[1 - side as usize]);
        self.fault(&format!("rule lose_data 1 on {from} -> {to}")).await;
    }

    /// Drops a host's acknowledgements without payload, and nothing else.
    pub async fn lose_acknowledgements(&self, side: Side) {
        let (from, to) = (NAMES[side as usize], NAMES[1 - side as usize]);
        self.fault(&format!("lose 100 % of acknowledgements on {from} -> {to}")).await;
    }

    /// Impairs the network in both directions.
    pub async fn impair(&self, impaired: Impaired) {
        let (start, end) = match impaired {
            Impaired::Lossy => ("lose 20 % of", ""),
            Impaired::Doubled => ("duplicate 50 % of", ""),
            Impaired::Shuffled => ("reorder 50 % of", ""),
            Impaired::Late => ("delay 100 % of", " by 100 ms"),
        };
        self.fault(&format!("{start} server <-> client{end}")).await;
    }

    /// Repairs the network.
    pub async fn heal(&self) {
        self.world.heal().await;
        sleep(IN_FORCE).await;
    }

    /// Kills the server's process. The case drops the process's sockets.
    pub async fn kill(&self) {
        self.fault("kill server").await;
    }

    /// Takes the server's power away. Whatever the case drops afterwards sends nothing.
    pub async fn crash(&self) {
        self.fault("crash server").await;
    }

    /// Boots the server again.
    pub async fn reboot(&self) {
        self.heal().await;
    }

    /// Starts a fault now.
    async fn fault(&self, what: &str) {
        self.world.fault(format!("{what} at 0 s"));
        sleep(IN_FORCE).await;
    }
}
