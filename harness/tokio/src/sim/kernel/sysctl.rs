//! What a simulated machine can be told, as `sysctl` and `ulimit` tell a real one. The defaults are Linux's.

use std::time::Duration;

/// Settings of one simulated machine; see `ip-sysctl` in Linux's documentation, whose names they have.
///
/// A socket takes the settings of the time when it needs them: change them before the host's process starts.
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
    /// What a listener does with a SYN that finds its queue full.
    pub overflow: Overflow,
    /// The most that a backlog can be.
    pub somaxconn: u32,
    /// How often a SYN is sent again, after 1, 2, 4 s and so on. 6: a connect times out after 127 s.
    pub tcp_syn_retries: u32,
    /// How many of the first waits for the answer to a SYN stay at 1 s, besides `tcp_syn_retries`. Linux has 0 before
    /// version 6.5, and 4 since: 131 s then.
    pub tcp_syn_linear_timeouts: u32,
    /// How often a SYN-ACK is sent again. 5: a handshake that the client does not finish is forgotten after 63 s.
    pub tcp_synack_retries: u32,
    /// How often data is sent again, after 0.2, 0.4 s and so on up to 120 s. 15: a connection times out after 924.6 s.
    pub tcp_retries2: u32,
    /// The same for a connection that its application has closed. 8: 102.2 s. Linux says 0 and means this.
    pub tcp_orphan_retries: u32,
    /// How long a connection with keep-alive is silent before it is probed.
    pub tcp_keepalive_time: Duration,
    /// How long each probe waits for its answer.
    pub tcp_keepalive_intvl: Duration,
    /// How many probes without an answer end a connection.
    pub tcp_keepalive_probes: u32,
    /// Bytes that a socket takes from its writer before the writer waits. Linux begins near 16 KiB and adapts; fixed here.
    pub tcp_wmem: u32,
    /// Bytes that a socket holds for its reader before the window closes. Linux adapts; fixed here.
    pub tcp_rmem: u32,
    /// Bytes that a UDP socket holds for its reader before it drops what comes.
    pub udp_rmem: u32,
    /// How many sockets the process may have open: `ulimit -n`, but sockets alone are counted.
    pub nofile: u32,
}

/// What a listener does with a SYN that finds its queue full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// Drops it, as Linux: the client sends it again, and waits.
    DropSyn,
    /// Answers with a reset, as Windows NT: the client is refused.
    Reset,
}

impl Sysctl {
    /// What Linux has unless it is told otherwise.
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
        nofile: 1024,
    };
}

/// A method for each setting.
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
    nofile: u32,
}

impl Default for Sysctl {
    fn default() -> Sysctl {
        Sysctl::LINUX
    }
}
