//! The network as madsim sees it: a simulator that is told when a node is reset.

use super::{End, HostId, with};
use madsim::{Config, plugin::Simulator, rand::GlobalRng, task::NodeId, time::TimeHandle};

/// Registered with every simulated runtime. The network itself lies in the kernel.
pub(crate) struct Network;

impl Simulator for Network {
    fn new(_: &GlobalRng, _: &TimeHandle, _: &Config) -> Network {
        Network
    }

    /// A node's process is gone, whoever killed it: its kernel closes its sockets.
    fn reset_node(&self, id: NodeId) {
        if super::is_running() {
            with(|k| {
                if let Some(host) = k.hosts.iter().position(|host| host.node == Some(id)) {
                    k.process_ends(host as HostId, End::Killed);
                }
            });
        }
    }
}
