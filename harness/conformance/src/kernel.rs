//! The kernel's network: each host is a thread with a runtime and, where a case needs it, its own network namespace.

use crate::{
    kernel::{cable::Cable, machine::Machine},
    network::{Impaired, Side},
    seen::Seen,
};
use std::{
    future::Future,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

mod cable;
mod machine;

/// Two hosts and the network between them. A cloneable handle.
#[derive(Clone)]
pub struct Net(Arc<Hosts>);

struct Hosts {
    /// The server and the client. A reboot replaces the machine.
    machines: [Mutex<Machine>; 2],
    addresses: [IpAddr; 2],
    port: u16,
    /// Connects their namespaces; without one both are on loopback.
    cable: Option<Mutex<Cable>>,
    seen: Seen,
    /// Where the paths of its Unix sockets are.
    folder: Folder,
}

/// A folder of this process's own. It goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> io::Result<Folder> {
        let path = std::env::temp_dir().join(format!("refrain-conformance-{}", std::process::id()));
        std::fs::create_dir(&path)?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The addresses of the two hosts if they have namespaces.
const ADDRESSES: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2))];

/// The first server port. On loopback each pair has its own ports, below the ephemeral range.
const PORT: u16 = 7000;
const PORTS_EACH: u16 = 2;

/// Checks whether this process may create and enter namespaces; the error says why not.
pub fn may_join_namespaces() -> Result<(), String> {
    Net::joined().map(drop).map_err(|error| format!("{error}; it takes root, iproute2, python3 and /dev/net/tun"))
}

impl Net {
    /// How long to wait for an operation: longer than any kernel timeout with the settings of the machines.
    pub const PATIENCE: Duration = Duration::from_secs(12);

    /// More bytes than all buffers of a connection can hold, since the kernel grows them.
    pub const MUCH: usize = 16 << 20;

    /// Creates two hosts on loopback: the nth such pair, with its own addresses and ports.
    pub fn on_loopback(n: u16) -> io::Result<Net> {
        let [high, low] = n.to_be_bytes();
        let addresses = [1, 2].map(|host| IpAddr::from([127, 1 + high, low, host]));
        let machines = [Mutex::new(Machine::start()?), Mutex::new(Machine::start()?)];
        Ok(Net(Arc::new(Hosts {
            machines,
            addresses,
            port: PORT + n * PORTS_EACH,
            cable: None,
            seen: Seen::default(),
            folder: Folder::new()?,
        })))
    }

    /// Creates two hosts with a namespace each, connected by a cable.
    pub fn joined() -> io::Result<Net> {
        let mut cable = Cable::new()?;
        let [mut server, mut client] = [Machine::start_apart()?, Machine::start_apart()?];
        cable.plug(0, &mut server, ADDRESSES[0])?;
        cable.plug(1, &mut client, ADDRESSES[1])?;
        let machines = [Mutex::new(server), Mutex::new(client)];
        let (cable, seen) = (Some(Mutex::new(cable)), Seen::default());
        let folder = Folder::new()?;
        Ok(Net(Arc::new(Hosts { machines, addresses: ADDRESSES, port: PORT, cable, seen, folder })))
    }

    /// Returns the observations of the case.
    pub fn seen(&self) -> &Seen {
        &self.0.seen
    }

    /// Returns the address of a host.
    pub fn address(&self, side: Side) -> IpAddr {
        self.0.addresses[side as usize]
    }

    /// Returns the IPv6 address of a host with a namespace.
    pub fn address_v6(&self, side: Side) -> IpAddr {
        let ip = match self.0.addresses[side as usize] {
            IpAddr::V4(ip) => ip.to_ipv6_mapped().segments(),
            IpAddr::V6(ip) => ip.segments(),
        };
        Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, ip[6], ip[7]).into()
    }

    /// Returns the server's port. The next one is free, too.
    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// A folder in which Unix sockets may have paths. Nothing else is in it.
    pub fn folder(&self) -> PathBuf {
        self.0.folder.0.clone()
    }

    /// An abstract name that no other case has.
    pub fn abstract_name(&self) -> String {
        format!("\0{}", self.0.folder.0.display())
    }

    /// Runs a future on a host.
    pub async fn on<F>(&self, side: Side, future: F) -> F::Output
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let doing = self.machine(side).spawn(future);
        doing.await.expect("it neither panics nor is cancelled")
    }

    /// Cuts the network in both directions.
    pub async fn cut(&self) {
        self.cut_from(Side::Server).await;
        self.cut_from(Side::Client).await;
    }

    /// Drops everything that a host sends.
    pub async fn cut_from(&self, side: Side) {
        self.cable().send(&format!("cut {}", side as usize));
    }

    /// Drops the next packet with payload that a host sends.
    pub async fn lose_next(&self, side: Side) {
        self.cable().send(&format!("next {} 1", side as usize));
    }

    /// Drops a host's acknowledgements without payload, and nothing else.
    pub async fn lose_acknowledgements(&self, side: Side) {
        self.cable().send(&format!("acknowledgements {}", side as usize));
    }

    /// Impairs the network in both directions.
    pub async fn impair(&self, impaired: Impaired) {
        for end in [0, 1] {
            self.cable().send(&match impaired {
                Impaired::Lossy => format!("lose {end} 20"),
                Impaired::Doubled => format!("double {end} 50"),
                Impaired::Shuffled => format!("shuffle {end} 5"),
                Impaired::Late => format!("delay {end} 100"),
            });
        }
    }

    /// Repairs the network.
    pub async fn heal(&self) {
        self.cable().send("heal");
    }

    /// Kills the server's process. The case drops the process's sockets: this is how the kernel closes them.
    pub async fn kill(&self) {}

    /// Takes the server's power away. Whatever the case drops afterwards sends nothing.
    pub async fn crash(&self) {
        self.cut().await;
    }

    /// Boots the server again: a machine at the same address without any connection state.
    pub async fn reboot(&self) {
        let mut machine = Machine::start_apart().expect("there was a namespace before");
        let mut cable = self.cable();
        cable.plug(0, &mut machine, self.0.addresses[0]).expect("the address is free");
        *self.machine(Side::Server) = machine;
        cable.send("heal");
    }

    fn machine(&self, side: Side) -> MutexGuard<'_, Machine> {
        self.0.machines[side as usize].lock().expect("no thread panics while a machine is used")
    }

    fn cable(&self) -> MutexGuard<'_, Cable> {
        let cable = self.0.cable.as_ref().expect("a case on loopback does nothing to the network");
        cable.lock().expect("no thread panics while the cable is used")
    }
}
