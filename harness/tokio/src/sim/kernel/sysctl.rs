//! Kernel settings of a simulated machine, as `sysctl` and `ulimit` set them on a real one. The defaults are Linux's.

use std::time::Duration;

/// Kernel settings of a simulated machine, named as in Linux's `ip-sysctl` documentation.
///
/// A socket reads a setting when it needs it: change settings before the host's process starts.
/// # Examples
///
/// ```
/// # #[cfg(feature = "sim")] {
/// use refrain_tokio::control::{Overflow, Sysctl};
///
/// let windows_nt = Sysctl::default().overflow(Overflow::Reset).somaxconn(5);
/// assert_eq!(windows_nt.tcp_retries2, Sysctl::LINUX.tcp_retries2);
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sysctl {
    /// How a listener responds to a SYN when its queue is full.
    pub overflow: Overflow,
    /// Maximum backlog.
    pub somaxconn: u32,
    /// Number of SYN retransmissions, after 1, 2, 4 s and so on. With 6, a connect times out after 127 s.
    pub tcp_syn_retries: u32,
    /// How many of the first SYN retransmission timeouts stay at 1 s, in addition to `tcp_syn_retries`. 0 on Linux
    /// before 6.5 and 4 since, where a connect times out after 131 s.
    pub tcp_syn_linear_timeouts: u32,
    /// Number of SYN-ACK retransmissions. With 5, a handshake that the client does not complete is dropped after 63 s.
    pub tcp_synack_retries: u32,
    /// Number of data retransmissions, after 0.2, 0.4 s and so on up to 120 s. With 15, a connection times out after
    /// 924.6 s.
    pub tcp_retries2: u32,
    /// The same for a connection that its application has closed. With 8, it times out after 102.2 s. Linux's default
    /// of 0 means 8.
    pub tcp_orphan_retries: u32,
    /// How long a connection with keep-alive is idle before the first probe.
    pub tcp_keepalive_time: Duration,
    /// The time between probes.
    pub tcp_keepalive_intvl: Duration,
    /// Number of unanswered probes that end a connection.
    pub tcp_keepalive_probes: u32,
    /// Send buffer of a TCP socket, in bytes. Linux starts near 16 KiB and tunes it; here it is fixed.
    pub tcp_wmem: u32,
    /// Receive buffer of a TCP socket, in bytes. Linux tunes it; here it is fixed.
    pub tcp_rmem: u32,
    /// Receive buffer of a UDP socket, in bytes; datagrams beyond it are dropped.
    pub udp_rmem: u32,
    /// Memory in bytes, with the kernel's overhead, of data that a Unix socket has sent and its peer has not read, before the
    /// writer waits.
    pub wmem_default: u32,
    /// Maximum number of datagrams in the queue of a Unix socket, plus one, before senders wait. Linux has 10; systemd sets 512.
    pub max_dgram_qlen: u32,
    /// Maximum number of open sockets of the process: `ulimit -n`, but only sockets are counted.
    pub nofile: u32,
}

/// How a listener responds to a SYN when its queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// Drops it, as Linux does: the client retransmits it.
    DropSyn,
    /// Answers with a reset, as Windows NT does: the client's connect is refused.
    Reset,
}

impl Sysctl {
    /// Linux's defaults.
    pub const LINUX: Sysctl = Sysctl {
        overflow: Overflow::DropSyn,
        somaxconn: 4096,
        tcp_syn_retries: 6,
        tcp_syn_linear_timeouts: 0,
        tcp_synack_retries: 5,
        tcp_retries2: 15,
        tcp_orphan_retries: 8,
        tcp_keepalive_time: Duration::from_secs(7200),
        tcp_keepalive_intvl: Duration::from_secs(75),
        tcp_keepalive_probes: 9,
        tcp_wmem: 64 << 10,
        tcp_rmem: 64 << 10,
        udp_rmem: 208 << 10,
        wmem_default: 208 << 10,
        max_dgram_qlen: 10,
        nofile: 1024,
    };
}

/// Defines a setter for each setting.
macro_rules! setters {
    ($($name:ident: $type:ty),* $(,)?) => {
        impl Sysctl {
            $(
                #[doc = concat!("Sets [`", stringify!($name), "`](Sysctl#structfield.", stringify!($name), ").")]
                #[must_use]
                pub const fn $name(mut self, $name: $type) -> Sysctl {
                    self.$name = $name;
                    self
                }
            )*
        }
    };
}

setters! {
    overflow: Overflow,
    somaxconn: u32,
    tcp_syn_retries: u32,
    tcp_syn_linear_timeouts: u32,
    tcp_synack_retries: u32,
    tcp_retries2: u32,
    tcp_orphan_retries: u32,
    tcp_keepalive_time: Duration,
    tcp_keepalive_intvl: Duration,
    tcp_keepalive_probes: u32,
    tcp_wmem: u32,
    tcp_rmem: u32,
    udp_rmem: u32,
    wmem_default: u32,
    max_dgram_qlen: u32,
    nofile: u32,
}

impl Default for Sysctl {
    fn default() -> Sysctl {
        Sysctl::LINUX
    }
}
