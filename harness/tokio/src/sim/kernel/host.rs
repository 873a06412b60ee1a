//! Hosts and their processes: start, end, crash, reboot.

use super::{
    Action, ConnId, End, HostId, Kernel, Kind, ListenerId, Ports, Side, SocketId, Sysctl, TEST_HOST, UdpId, UnixId,
    Waiters, What, current_task, family,
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

/// A simulated machine that runs one process.
#[derive(Debug)]
pub(crate) struct Host {
    pub name: String,
    pub ip: IpAddr,
    pub node: Option<NodeId>,
    /// Whether the host has power.
    pub up: bool,
    /// Whether its process runs.
    pub running: bool,
    /// Number of boots; connections from an earlier boot are unknown to the host.
    pub boot: u32,
    /// Counts the host's processes; tasks of an earlier one are dead.
    pub incarnation: u32,
    pub sysctl: Sysctl,
    /// Sockets of its process that neither listen nor connect.
    pub sockets: BTreeSet<SocketId>,
    pub listeners: Vec<ListenerId>,
    /// The connection ends that its process holds.
    pub conns: BTreeSet<(ConnId, Side)>,
    pub udp_sockets: BTreeSet<UdpId>,
    pub unix_sockets: BTreeSet<UnixId>,
    /// The host whose Unix sockets and power it shares: itself, unless it was added to the machine of another host.
    pub machine: HostId,
    pub tcp: Ports,
    pub udp: Ports,
    pub signal_waiters: Waiters,
    /// Number of active faults that keep the host down, and of those that pause it.
    pub downs: u32,
    pub pauses: u32,
    signals: BTreeMap<i32, u64>,
}

/// An operation on a host that only madsim can perform. The driver task executes it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum HostAction {
    Kill,
    Restart,
    Pause,
    Resume,
}

/// Pending work for the driver task.
pub(crate) struct Work {
    pub timers: Vec<(u64, Action)>,
    pub hosts: Vec<(HostAction, HostId)>,
}

impl Host {
    pub fn new(name: &str, id: HostId) -> Host {
        Host {
            name: name.to_owned(),
            ip: address(id),
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
            unix_sockets: BTreeSet::new(),
            machine: id,
            tcp: Ports::default(),
            udp: Ports::default(),
            signal_waiters: Waiters::default(),
            downs: 0,
            pauses: 0,
            signals: BTreeMap::new(),
        }
    }

    /// Returns whether the process has received a signal that it handles.
    pub fn was_signalled(&self) -> bool {
        self.signals.values().any(|sent| *sent > 0)
    }

    /// Returns the host's address in the family of `other`.
    pub fn ip_like(&self, other: IpAddr) -> IpAddr {
        match (self.ip, other) {
            (IpAddr::V4(own), IpAddr::V6(_)) => family::v6_of(own).into(),
            _ => self.ip,
        }
    }

    /// Returns whether this is an address of the host.
    pub fn has(&self, ip: IpAddr) -> bool {
        self.ip_like(ip) == ip
    }

    /// Returns how many signals with this number the process has received. Calling it installs the handler, so that the
    /// signal no longer kills the process.
    pub fn signals_sent(&mut self, number: i32) -> u64 {
        *self.signals.entry(number).or_default()
    }
}

/// Returns the address of a host: 10.0.0.1 to 10.0.0.250, 10.0.1.1 and so on; 10.0.0.254 is the test's own host.
pub(crate) fn address(host: HostId) -> IpAddr {
    let nth = if host == TEST_HOST { 253 } else { ((host - 1) / 250 * 256 + (host - 1) % 250) as u32 };
    IpAddr::V4(Ipv4Addr::from(FIRST_ADDRESS + nth))
}

/// Returns the id of the host that this address belongs to if that host exists.
pub(crate) fn with_address(ip: IpAddr) -> Option<HostId> {
    let nth = u32::from(family::v4_of(ip)?).checked_sub(FIRST_ADDRESS)? as usize;
    Some(if nth == 253 { TEST_HOST } else { nth / 256 * 250 + nth % 256 + 1 })
}

impl Kernel {
    /// Adds a host that is up and runs no process yet.
    pub fn add_host(&mut self, name: &str) -> HostId {
        let host = self.hosts.len();
        self.hosts.push(Host::new(name, host));
        self.hosts_by_name.insert(name.to_owned(), host);
        host
    }

    pub fn host_do(&mut self, action: HostAction, host: HostId) {
        self.host_actions.push((action, host));
        let driver = self.driver.take();
        self.wake(driver);
    }

    /// Sends a Unix signal to a host's process. Without a handler the signal kills it.
    pub fn signal(&mut self, host: HostId, number: i32) {
        self.event_on(Kind::Fault, host, number as usize, |_| What::Signal { number });
        match self.hosts[host].signals.get_mut(&number) {
            Some(sent) => *sent += 1,
            None => return self.kill_process(host, End::Signalled(number)),
        }
        self.hosts[host].signal_waiters.wake(&mut self.wakes);
    }

    /// Marks a host's process as started.
    pub fn process_starts(&mut self, host: HostId) {
        self.hosts[host].running = true;
        self.event_on(Kind::Start, host, 0, |_| What::Start);
    }

    /// Kills a host's process: none of its code runs any more.
    pub fn kill_process(&mut self, host: HostId, how: End) {
        self.kill_tasks(host);
        self.process_ends(host, how);
        self.host_do(HostAction::Kill, host);
    }

    /// Marks the process's tasks as killed, including the one that is being polled.
    fn kill_tasks(&mut self, host: HostId) {
        let incarnation = self.hosts[host].incarnation;
        for task in self.tasks.iter_mut().filter(|task| task.host == host && task.incarnation == incarnation) {
            task.killed = true;
        }
        self.current_died |= self.tasks[current_task()].host == host && self.tasks[current_task()].killed;
    }

    /// Ends a host's process: its kernel closes its sockets, as a real one does.
    pub fn process_ends(&mut self, host: HostId, how: End) {
        if !std::mem::replace(&mut self.hosts[host].running, false) {
            return;
        }
        self.event_on(Kind::End, host, 0, |_| What::End(how));
        for id in self.hosts[host].listeners.clone() {
            self.close_listener(id);
        }
        for id in self.hosts[host].sockets.clone() {
            self.close_socket(id);
        }
        for id in self.hosts[host].udp_sockets.clone() {
            self.udp_close(id);
        }
        for id in self.hosts[host].unix_sockets.clone() {
            self.unix_close(id);
        }
        for (conn, side) in std::mem::take(&mut self.hosts[host].conns) {
            self.close(conn, side);
        }
        self.forget_process(host);
    }

    /// Returns the hosts that share a machine: one, unless others were added to it.
    pub(super) fn on_machine_of(&self, host: HostId) -> Vec<HostId> {
        let machine = self.hosts[host].machine;
        (0..self.hosts.len()).filter(|&other| self.hosts[other].machine == machine).collect()
    }

    /// Takes a machine's power away: its hosts send nothing and lose all connection state.
    pub fn crash(&mut self, host: HostId) {
        for host in self.on_machine_of(host) {
            self.lose_power(host);
        }
        self.unix_crash(self.hosts[host].machine);
    }

    fn lose_power(&mut self, host: HostId) {
        self.kill_tasks(host);
        let h = &mut self.hosts[host];
        h.up = false;
        h.running = false;
        h.boot += 1;
        let listeners = std::mem::take(&mut h.listeners);
        h.sockets.clear();
        h.conns.clear();
        h.udp_sockets.clear();
        (h.tcp, h.udp) = (h.tcp.after_reboot(), h.udp.after_reboot());
        for id in listeners {
            self.listeners[id].open = false;
            self.listeners[id].queue.clear();
        }
        self.unix_lose(host);
        self.forget_process(host);
        self.host_do(HostAction::Kill, host);
    }

    fn forget_process(&mut self, host: HostId) {
        self.hosts[host].incarnation += 1;
        self.hosts[host].signals.clear();
        // Taken and woken rather than dropped: a waker must not be dropped while the kernel is borrowed. Waking a dead
        // task has no effect.
        self.hosts[host].signal_waiters.wake(&mut self.wakes);
        for task in self.tasks.iter_mut().filter(|task| task.host == host) {
            task.waits.clear();
        }
    }

    /// Takes the pending work of the driver task: timers to arm and hosts to change.
    pub fn take_work(&mut self, driver: &Waker) -> Work {
        self.driver = Some(driver.clone());
        Work { timers: std::mem::take(&mut self.later), hosts: std::mem::take(&mut self.host_actions) }
    }

    /// Returns the connections, UDP and Unix sockets that a host's process holds, except listeners.
    pub fn sockets(&self, host: HostId) -> Vec<OpenSocket> {
        let Host { conns, udp_sockets, .. } = &self.hosts[host];
        let conns = conns.iter().map(|&(conn, side)| OpenSocket::Tcp(self.connection(conn, side)));
        let udp = udp_sockets.iter().map(|&id| OpenSocket::Udp(self.udp_endpoint(id)));
        let unix = self.unix_open(host).map(|id| OpenSocket::Unix(self.unix_socket(id)));
        conns.chain(udp).chain(unix).collect()
    }

    /// Returns the number of open sockets, without listeners, and of live tasks of a host.
    pub fn open_now(&self, host: HostId) -> (usize, usize) {
        let tasks = self.tasks.iter().filter(|task| task.host == host && self.is_alive(task)).count();
        let Host { conns, udp_sockets, .. } = &self.hosts[host];
        (conns.len() + udp_sockets.len() + self.unix_open(host).count(), tasks)
    }
}
