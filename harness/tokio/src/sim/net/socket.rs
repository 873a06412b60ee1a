//! A simulated TCP socket that is not listening or connected yet.

use super::{TcpListener, TcpStream, fd};
use crate::sim::{
    interpose::{Bound, take_bound},
    kernel::{self, SocketId, SocketOptions},
};
use socket2::{Socket, Type};
use std::{
    io,
    net::SocketAddr,
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd},
    time::Duration,
};

/// A TCP socket that is not listening or connected yet.
#[derive(Debug)]
pub struct TcpSocket {
    id: SocketId,
    fd: fd::Token,
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
        kernel::with(|k| k.new_socket(host, v6)).map(TcpSocket::of)
    }

    fn of(id: SocketId) -> TcpSocket {
        TcpSocket { id, fd: fd::Token::default() }
    }

    /// Binds the socket to an address of this host.
    pub fn bind(&self, addr: SocketAddr) -> io::Result<()> {
        self.read_back();
        kernel::with(|k| k.bind(self.id, addr))
    }

    /// Connects to an address.
    pub async fn connect(self, addr: SocketAddr) -> io::Result<TcpStream> {
        self.read_back();
        let conn = kernel::with(|k| k.connect_socket(self.id, addr))?;
        TcpStream::connected(conn).await
    }

    /// Listens with a backlog. As on Linux, the queue holds one more connection than the backlog.
    pub fn listen(self, backlog: u32) -> io::Result<TcpListener> {
        self.read_back();
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
        self.read_back();
        Ok(kernel::with(|k| value(&k.sockets[self.id].options)))
    }

    fn set(&self, change: impl FnOnce(&mut SocketOptions)) -> io::Result<()> {
        kernel::with(|k| change(&mut k.sockets[self.id].options));
        self.fd.write(&kernel::with(|k| k.sockets[self.id].options))
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

impl TcpSocket {
    fn read_back(&self) {
        kernel::with(|k| self.fd.read_back(&mut k.sockets[self.id].options));
    }

    /// A stream of std that is not connected: a socket with its options, and its address within the simulation.
    ///
    /// # Panics
    /// If it is connected on the machine's network.
    pub fn from_std_stream(stream: std::net::TcpStream) -> TcpSocket {
        TcpSocket::adopt(Socket::from(stream)).unwrap_or_else(|error| panic!("{error}"))
    }

    fn adopt(socket: Socket) -> io::Result<TcpSocket> {
        if socket.peer_addr().is_ok() {
            return Err(fd::outside("a socket that is connected on the machine's network"));
        }
        let this = match take_bound(socket.as_fd()) {
            Some(Bound::Socket(id)) => TcpSocket::of(id),
            Some(_) => return Err(fd::outside("a socket that listens, as one that does not")),
            None => TcpSocket::new(socket.domain()? == socket2::Domain::IPV6)?,
        };
        kernel::with(|k| fd::adopt(&socket, &mut k.sockets[this.id].options));
        Ok(this)
    }

    /// Gives no name: a simulated host has one network.
    pub fn device(&self) -> io::Result<Option<Vec<u8>>> {
        Ok(None)
    }

    /// Notes nothing: a simulated host has one network.
    pub fn bind_device(&self, _: Option<&[u8]>) -> io::Result<()> {
        Ok(())
    }
}

impl AsFd for TcpSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.lend(Type::STREAM, &kernel::with(|k| k.sockets[self.id].options))
    }
}

impl AsRawFd for TcpSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl FromRawFd for TcpSocket {
    #[allow(unsafe_code)]
    unsafe fn from_raw_fd(fd: RawFd) -> TcpSocket {
        // SAFETY: the caller gives it away.
        let socket = Socket::from(unsafe { OwnedFd::from_raw_fd(fd) });
        TcpSocket::adopt(socket).unwrap_or_else(|error| panic!("{error}"))
    }
}

impl IntoRawFd for TcpSocket {
    fn into_raw_fd(self) -> RawFd {
        let owned = self.as_fd().try_clone_to_owned().expect("a descriptor can be opened");
        if kernel::with(|k| k.sockets[self.id].bound.is_some()) {
            fd::bind(&owned, Bound::Socket(self.id));
            std::mem::forget(self);
        }
        owned.into_raw_fd()
    }
}

impl Drop for TcpSocket {
    fn drop(&mut self) {
        kernel::with(|k| k.close_socket(self.id));
    }
}
