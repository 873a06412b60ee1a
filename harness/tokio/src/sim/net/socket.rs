//! A simulated TCP socket, before it listens or connects.

use super::{TcpListener, TcpStream};
use crate::sim::kernel::{self, SocketId, SocketOptions};
use std::{io, net::SocketAddr, time::Duration};

/// Sets options, then listens or connects. As tokio's.
#[derive(Debug)]
pub struct TcpSocket {
    id: SocketId,
}

impl TcpSocket {
    /// A socket of IPv4.
    pub fn new_v4() -> io::Result<TcpSocket> {
        TcpSocket::new(false)
    }

    /// A socket of IPv6, which is of both families, as Linux's are unless a program says otherwise.
    pub fn new_v6() -> io::Result<TcpSocket> {
        TcpSocket::new(true)
    }

    fn new(v6: bool) -> io::Result<TcpSocket> {
        let host = kernel::current_host();
        kernel::with(|k| k.new_socket(host, v6)).map(|id| TcpSocket { id })
    }

    /// Gives it an address of this host.
    pub fn bind(&self, addr: SocketAddr) -> io::Result<()> {
        kernel::with(|k| k.bind(self.id, addr))
    }

    /// Connects to an address.
    pub async fn connect(self, addr: SocketAddr) -> io::Result<TcpStream> {
        let conn = kernel::with(|k| k.connect_socket(self.id, addr))?;
        TcpStream::connected(conn).await
    }

    /// Listens, with room for `backlog` connections that nobody has accepted, and one more.
    pub fn listen(self, backlog: u32) -> io::Result<TcpListener> {
        kernel::with(|k| k.listen(self.id, backlog)).map(TcpListener::of)
    }

    /// The address that it was given.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(kernel::with(|k| {
            let (bound, v6) = (k.sockets[self.id].bound, k.sockets[self.id].options.v6);
            bound.map_or(kernel::unbound(v6), |bound| kernel::seen(bound, v6))
        }))
    }

    /// Never one: nothing has happened to it yet.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        Ok(None)
    }

    /// How many bytes it takes before its writer waits.
    pub fn set_send_buffer_size(&self, size: u32) -> io::Result<()> {
        self.set(|options| options.set_send_buffer(size))
    }

    /// Twice what was asked for, as Linux says it.
    pub fn send_buffer_size(&self) -> io::Result<u32> {
        self.get(|options| options.send_buffer * 2)
    }

    /// How many bytes it holds for its reader before the other end waits.
    pub fn set_recv_buffer_size(&self, size: u32) -> io::Result<()> {
        self.set(|options| options.set_receive_buffer(size))
    }

    /// Twice what was asked for, as Linux says it.
    pub fn recv_buffer_size(&self) -> io::Result<u32> {
        self.get(|options| options.receive_buffer * 2)
    }

    /// Zero: a dropped stream resets its connection. Another time is noted only; on a real system the drop would block.
    #[deprecated = "`SO_LINGER` causes the socket to block the thread on drop"]
    pub fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        self.set(|options| options.linger = linger)
    }

    /// A dropped stream resets its connection.
    pub fn set_zero_linger(&self) -> io::Result<()> {
        self.set(|options| options.linger = Some(Duration::ZERO))
    }

    /// What was set.
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        self.get(|options| options.linger)
    }

    fn get<T>(&self, value: impl FnOnce(&SocketOptions) -> T) -> io::Result<T> {
        Ok(kernel::with(|k| value(&k.sockets[self.id].options)))
    }

    fn set(&self, change: impl FnOnce(&mut SocketOptions)) -> io::Result<()> {
        kernel::with(|k| change(&mut k.sockets[self.id].options));
        Ok(())
    }
}

/// Options that are a value and no more.
macro_rules! options {
    ($($(#[$doc:meta])* $name:ident, $set:ident, $field:ident: $type:ty;)*) => {
        impl TcpSocket {$(
            $(#[$doc])*
            pub fn $set(&self, $field: $type) -> io::Result<()> {
                self.set(|options| options.$field = $field)
            }

            /// What was set.
            pub fn $name(&self) -> io::Result<$type> {
                self.get(|options| options.$field)
            }
        )*}
    };
}

options! {
    /// Whether a silent connection is probed, at the times that its host's settings give.
    keepalive, set_keepalive, keepalive: bool;
    /// Whether it may have the port of a connection that is over, or of another socket that does not listen.
    reuseaddr, set_reuseaddr, reuse_addr: bool;
    /// Whether others that say so may have the port, too. Connections are spread over their listeners.
    reuseport, set_reuseport, reuse_port: bool;
    /// Notes the wish. Writes are always sent at once here.
    nodelay, set_nodelay, nodelay: bool;
    /// Notes the type of service. Nothing here looks at it.
    tos_v4, set_tos_v4, tos: u32;
}

impl Drop for TcpSocket {
    fn drop(&mut self) {
        kernel::with(|k| k.close_socket(self.id));
    }
}
