//! A simulated TCP socket that is not listening or connected yet.

use super::{TcpListener, TcpStream};
use crate::sim::kernel::{self, SocketId, SocketOptions};
use std::{io, net::SocketAddr, time::Duration};

/// A TCP socket that is not listening or connected yet.
#[derive(Debug)]
pub struct TcpSocket {
    id: SocketId,
}

impl TcpSocket {
    /// Creates an IPv4 socket.
    pub fn new_v4() -> io::Result<TcpSocket> {
        TcpSocket::new(false)
    }

    /// Creates an IPv6 socket, dual-stack as by default on Linux.
    pub fn new_v6() -> io::Result<TcpSocket> {
        TcpSocket::new(true)
    }

    fn new(v6: bool) -> io::Result<TcpSocket> {
        let host = kernel::current_host();
        kernel::with(|k| k.new_socket(host, v6)).map(|id| TcpSocket { id })
    }

    /// Binds the socket to an address of this host.
    pub fn bind(&self, addr: SocketAddr) -> io::Result<()> {
        kernel::with(|k| k.bind(self.id, addr))
    }

    /// Connects to an address.
    pub async fn connect(self, addr: SocketAddr) -> io::Result<TcpStream> {
        let conn = kernel::with(|k| k.connect_socket(self.id, addr))?;
        TcpStream::connected(conn).await
    }

    /// Listens with a backlog. As on Linux, the queue holds one more connection than the backlog.
    pub fn listen(self, backlog: u32) -> io::Result<TcpListener> {
        kernel::with(|k| k.listen(self.id, backlog)).map(TcpListener::of)
    }

    /// Returns the local address.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(kernel::with(|k| {
            let (bound, v6) = (k.sockets[self.id].bound, k.sockets[self.id].options.v6);
            bound.map_or(kernel::unbound(v6), |bound| kernel::presented(bound, v6))
        }))
    }

    /// Returns `None`: an unused socket has no pending error.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        Ok(None)
    }

    /// Sets the size of the send buffer in bytes.
    pub fn set_send_buffer_size(&self, size: u32) -> io::Result<()> {
        self.set(|options| options.set_send_buffer(size))
    }

    /// Returns twice the size that was set, as Linux does.
    pub fn send_buffer_size(&self) -> io::Result<u32> {
        self.get(|options| options.send_buffer * 2)
    }

    /// Sets the size of the receive buffer in bytes.
    pub fn set_recv_buffer_size(&self, size: u32) -> io::Result<()> {
        self.set(|options| options.set_receive_buffer(size))
    }

    /// Returns twice the size that was set, as Linux does.
    pub fn recv_buffer_size(&self) -> io::Result<u32> {
        self.get(|options| options.receive_buffer * 2)
    }

    /// Sets `SO_LINGER`. With zero, dropping the stream resets the connection. Other values are stored without effect;
    /// on a real system the drop would block.
    #[deprecated = "`SO_LINGER` causes the socket to block the thread on drop"]
    pub fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        self.set(|options| options.linger = linger)
    }

    /// Makes dropping the stream reset the connection.
    pub fn set_zero_linger(&self) -> io::Result<()> {
        self.set(|options| options.linger = Some(Duration::ZERO))
    }

    /// Returns the value of `SO_LINGER`.
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

/// Defines getters and setters of plain options.
macro_rules! options {
    ($($(#[$doc:meta])* $name:ident, $set:ident, $field:ident: $type:ty;)*) => {
        impl TcpSocket {$(
            $(#[$doc])*
            pub fn $set(&self, $field: $type) -> io::Result<()> {
                self.set(|options| options.$field = $field)
            }

            /// Returns the option's value.
            pub fn $name(&self) -> io::Result<$type> {
                self.get(|options| options.$field)
            }
        )*}
    };
}

options! {
    /// Sets whether an idle connection is probed, at the intervals of its host's settings.
    keepalive, set_keepalive, keepalive: bool;
    /// Sets whether it may share the port of a connection in TIME_WAIT, or of another socket that does not listen.
    reuseaddr, set_reuseaddr, reuse_addr: bool;
    /// Sets whether it may share its port with other sockets that set this. Connections are distributed over their
    /// listeners.
    reuseport, set_reuseport, reuse_port: bool;
    /// Sets `TCP_NODELAY`, without effect: writes are always sent at once.
    nodelay, set_nodelay, nodelay: bool;
    /// Sets the type of service, without effect.
    tos_v4, set_tos_v4, tos: u32;
}

impl Drop for TcpSocket {
    fn drop(&mut self) {
        kernel::with(|k| k.close_socket(self.id));
    }
}
