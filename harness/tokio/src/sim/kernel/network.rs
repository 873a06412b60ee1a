//! Registers the network with madsim, which notifies it when a node is reset.

use super::{End, HostId, with};
use madsim::{Config, plugin::Simulator, rand::GlobalRng, task::NodeId, time::TimeHandle};

/// The madsim simulator registered with every runtime. The network's state is in the kernel.
pub(crate) struct Network;

impl Simulator for Network {
    fn new(_: &GlobalRng, _: &TimeHandle, _: &Config) -> Network {
        Network
    }

    /// Ends the process of a node that was killed: its kernel closes its sockets.
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
