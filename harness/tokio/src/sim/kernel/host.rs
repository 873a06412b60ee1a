//! Hosts and their processes: start, end, crash, boot.

use super::{
    Action, ConnId, End, HostId, Kernel, Kind, ListenerId, Ports, Side, SocketId, Sysctl, TEST_HOST, UdpId, Waiters,
    What, current_task, family,
};
use madsim::task::NodeId;
use refrain_core::verdict::OpenSocket;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr},
    task::Waker,
};

/// 10.0.0.1.
const FIRST_ADDRESS: u32 = 0x0a00_0001;

/// A simulated machine with one process.
#[derive(Debug)]
pub(crate) struct Host {
    pub name: String,
    pub ip: IpAddr,
    pub node: Option<NodeId>,
    /// Whether it has power.
    pub up: bool,
    /// Whether its process runs.
    pub running: bool,
    /// How often it has booted; connections of an earlier boot are unknown to it.
    pub boot: u32,
    /// Which process it runs; what an earlier one held is gone with it.
    pub incarnation: u32,
    pub sysctl: Sysctl,
    /// Sockets of its application that neither listen nor connect.
    pub sockets: BTreeSet<SocketId>,
    pub listeners: Vec<ListenerId>,
    /// Ends of connections that its application holds.
    pub conns: BTreeSet<(ConnId, Side)>,
    pub udp_sockets: BTreeSet<UdpId>,
    pub tcp: Ports,
    pub udp: Ports,
    pub signal_waiters: Waiters,
    /// How many faults keep it down, and paused, now.
    pub downs: u32,
    pub pauses: u32,
    signals: BTreeMap<i32, u64>,
}

/// What only madsim can do to a host; done by the driver task.
#[derive(Debug, Clone, Copy)]
pub(crate) enum HostAction {
    Kill,
    Restart,
    Pause,
    Resume,
}

/// What the driver has to do.
pub(crate) struct Work {
    pub timers: Vec<(u64, Action)>,
    pub hosts: Vec<(HostAction, HostId)>,
}

impl Host {
    pub fn new(name: &str, ip: IpAddr) -> Host {
        Host {
            name: name.to_owned(),
            ip,
            node: None,
            up: true,
            running: true,
            boot: 1,
            incarnation: 1,
            sysctl: Sysctl::default(),
            sockets: BTreeSet::new(),
            listeners: vec![],
            conns: BTreeSet::new(),
            udp_sockets: BTreeSet::new(),
            tcp: Ports::default(),
            udp: Ports::default(),
            signal_waiters: Waiters::default(),
            downs: 0,
            pauses: 0,
            signals: BTreeMap::new(),
        }
    }

    /// Whether its process was sent a signal that it handles.
    pub fn was_signalled(&self) -> bool {
        self.signals.values().any(|sent| *sent > 0)
    }

    /// Its address of the family of another one.
    pub fn ip_like(&self, other: IpAddr) -> IpAddr {
        match (self.ip, other) {
            (IpAddr::V4(own), IpAddr::V6(_)) => family::v6_of(own).into(),
            _ => self.ip,
        }
    }

    /// Whether it has an address.
    pub fn has(&self, ip: IpAddr) -> bool {
        self.ip_like(ip) == ip
    }

    /// How many signals of a kind it was sent. Asking installs the handler: the signal kills no more.
    pub fn signals_sent(&mut self, number: i32) -> u64 {
        *self.signals.entry(number).or_default()
    }
}

/// The address of a host: 10.0.0.1 to 10.0.0.250, 10.0.1.1 and so on, and 10.0.0.254 for the test's own.
pub(crate) fn address(host: HostId) -> IpAddr {
    let nth = if host == TEST_HOST { 253 } else { ((host - 1) / 250 * 256 + (host - 1) % 250) as u32 };
    IpAddr::V4(Ipv4Addr::from(FIRST_ADDRESS + nth))
}

/// The only host that can have an address.
pub(crate) fn with_address(ip: IpAddr) -> Option<HostId> {
    let nth = u32::from(family::v4_of(ip)?).checked_sub(FIRST_ADDRESS)? as usize;
    Some(if nth == 253 { TEST_HOST } else { nth / 256 * 250 + nth % 256 + 1 })
}

impl Kernel {
    /// Adds a host, which has power and runs nothing yet.
    pub fn add_host(&mut self, name: &str) -> HostId {
        let host = self.hosts.len();
        self.hosts.push(Host::new(name, address(host)));
        self.hosts_by_name.insert(name.to_owned(), host);
        host
    }

    pub fn host_do(&mut self, action: HostAction, host: HostId) {
        self.host_actions.push((action, host));
        let driver = self.driver.take();
        self.wake(driver);
    }

    /// Sends a Unix signal to a host's process. Without a handler it dies of it.
    pub fn signal(&mut self, host: HostId, number: i32) {
        self.event_on(Kind::Fault, host, number as usize, |_| What::Signal { number });
        match self.hosts[host].signals.get_mut(&number) {
            Some(sent) => *sent += 1,
            None => return self.kill_process(host, End::Signalled(number)),
        }
        let waiters = self.hosts[host].signal_waiters.take();
        self.wake(waiters);
    }

    /// A host's process starts.
    pub fn process_starts(&mut self, host: HostId) {
        self.hosts[host].running = true;
        self.event_on(Kind::Start, host, 0, |_| What::Start);
    }

    /// A host's process is killed: none of its code runs any more.
    pub fn kill_process(&mut self, host: HostId, how: End) {
        self.strike(host);
        self.process_ends(host, how);
        self.host_do(HostAction::Kill, host);
    }

    /// What the host's process is about goes no further, the operation that is under way included.
    fn strike(&mut self, host: HostId) {
        let incarnation = self.hosts[host].incarnation;
        for task in self.tasks.iter_mut().filter(|task| task.host == host && task.incarnation == incarnation) {
            task.killed = true;
        }
        self.current_died |= self.tasks[current_task()].host == host && self.tasks[current_task()].killed;
    }

    /// A host's process is gone: its kernel closes its sockets as a real one does.
    pub fn process_ends(&mut self, host: HostId, how: End) {
        if !std::mem::replace(&mut self.hosts[host].running, false) {
            return;
        }
        self.event_on(Kind::End, host, 0, |_| What::End(how));
        for id in self.hosts[host].listeners.clone() {
            self.unlisten(id);
        }
        for id in self.hosts[host].sockets.clone() {
            self.close_socket(id);
        }
        for id in self.hosts[host].udp_sockets.clone() {
            self.udp_close(id);
        }
        for (conn, side) in std::mem::take(&mut self.hosts[host].conns) {
            self.close(conn, side);
        }
        self.forget_process(host);
    }

    /// A host loses power: nothing is sent, nothing is remembered.
    pub fn crash(&mut self, host: HostId) {
        self.strike(host);
        let h = &mut self.hosts[host];
        h.up = false;
        h.running = false;
        h.boot += 1;
        let listeners = std::mem::take(&mut h.listeners);
        h.sockets.clear();
        h.conns.clear();
        h.udp_sockets.clear();
        (h.tcp, h.udp) = (Ports::default(), Ports::default());
        for id in listeners {
            self.listeners[id].open = false;
            self.listeners[id].queue.clear();
        }
        self.forget_process(host);
        self.host_do(HostAction::Kill, host);
    }

    fn forget_process(&mut self, host: HostId) {
        self.hosts[host].incarnation += 1;
        self.hosts[host].signals.clear();
        // Nobody drops a waker while the kernel is borrowed; of a dead task it does nothing.
        let waiters = self.hosts[host].signal_waiters.take();
        self.wake(waiters);
        for task in self.tasks.iter_mut().filter(|task| task.host == host) {
            task.waits.clear();
        }
    }

    /// What the driver has to do now: timers to arm, hosts to change.
    pub fn take_work(&mut self, driver: &Waker) -> Work {
        self.driver = Some(driver.clone());
        Work { timers: std::mem::take(&mut self.later), hosts: std::mem::take(&mut self.host_actions) }
    }

    /// The connections and UDP sockets that a host's application holds.
    pub fn sockets(&self, host: HostId) -> Vec<OpenSocket> {
        let Host { conns, udp_sockets, .. } = &self.hosts[host];
        let conns = conns.iter().map(|&(conn, side)| OpenSocket::Tcp(self.connection(conn, side)));
        conns.chain(udp_sockets.iter().map(|&id| OpenSocket::Udp(self.udp_endpoint(id)))).collect()
    }

    /// How many sockets and how many tasks a host has now, its listeners not counted.
    pub fn open_now(&self, host: HostId) -> (usize, usize) {
        let tasks = self.tasks.iter().filter(|task| task.host == host && self.is_alive(task)).count();
        (self.hosts[host].conns.len() + self.hosts[host].udp_sockets.len(), tasks)
    }
}
