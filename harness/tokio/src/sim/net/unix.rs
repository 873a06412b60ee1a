//! tokio's Unix sockets, between the processes of one simulated machine.

use std::{
    io,
    os::{
        linux::net::SocketAddrExt,
        unix::{ffi::OsStrExt, net},
    },
    path::Path,
};

mod cred;
mod datagram;
mod descriptor;
mod listener;
mod socket;
mod split;
mod stream;

pub use cred::UCred;
pub use datagram::UnixDatagram;
pub use listener::UnixListener;
// tokio's own types: an address is a name, and refers to a socket only within a machine.
pub use real::net::unix::{SocketAddr, gid_t, pid_t, uid_t};
pub use socket::UnixSocket;
pub use split::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, WriteHalf};
pub use stream::UnixStream;

/// Parses an address: a path or, after a zero byte, an abstract name.
fn address(path: impl AsRef<Path>) -> io::Result<net::SocketAddr> {
    match path.as_ref().as_os_str().as_bytes().split_first() {
        Some((0, name)) => net::SocketAddr::from_abstract_name(name),
        _ => net::SocketAddr::from_pathname(path),
    }
}

/// Converts the address of a socket, which may be unbound.
fn known(address: Option<net::SocketAddr>) -> io::Result<SocketAddr> {
    address.map_or_else(|| net::SocketAddr::from_pathname(""), Ok).map(SocketAddr::from)
}
