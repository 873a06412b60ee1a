//! A UDP socket's descriptor, and the socket of std that stands for it.

use super::{UdpSocket, fd};
use crate::sim::{
    interpose::{self, Bound},
    kernel,
};
use real::io::Interest;
use socket2::Type;
use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd},
};

impl UdpSocket {
    /// A socket of std that was bound within the simulation.
    ///
    /// # Errors
    /// One of the machine is refused.
    pub fn from_std(socket: std::net::UdpSocket) -> io::Result<UdpSocket> {
        match fd::bound(&socket, "a std::net::UdpSocket that was not bound by the current host")? {
            Bound::Udp(id) => Ok(UdpSocket::of(id)),
            other => Err(fd::refuse(&socket, other, "a socket of another kind, as one of UDP")),
        }
    }

    /// A socket of std that stands for it; it goes back by [`UdpSocket::from_std`].
    pub fn into_std(self) -> io::Result<std::net::UdpSocket> {
        let std = std::net::UdpSocket::from(self.as_fd().try_clone_to_owned()?);
        fd::bind(&std, Bound::Udp(self.id));
        std::mem::forget(self);
        Ok(std)
    }

    /// Tries an operation of the caller's, which is to be one of this socket's.
    pub fn try_io<R>(&self, _: Interest, f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        f()
    }

    /// Calls an operation of the caller's until it no longer returns `WouldBlock`.
    pub async fn async_io<R>(&self, interest: Interest, f: impl FnMut() -> io::Result<R>) -> io::Result<R> {
        fd::retry(async || self.ready(interest).await.map(drop), f).await
    }

    /// Never set: datagrams go to one host.
    pub fn broadcast(&self) -> io::Result<bool> {
        Ok(false)
    }

    /// Refused but for `false`: datagrams go to one host.
    pub fn set_broadcast(&self, on: bool) -> io::Result<()> {
        if on { Err(fd::outside("a broadcast")) } else { Ok(()) }
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

impl TryFrom<std::net::UdpSocket> for UdpSocket {
    type Error = io::Error;

    fn try_from(socket: std::net::UdpSocket) -> io::Result<UdpSocket> {
        UdpSocket::from_std(socket)
    }
}

impl AsFd for UdpSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        let options = kernel::with(|k| {
            let socket = &k.udp[self.id];
            kernel::SocketOptions { v6: socket.v6, ..k.options(socket.host) }
        });
        let descriptor = self.fd.lend(Type::DGRAM, &options);
        interpose::lend_udp(descriptor, self.id);
        descriptor
    }
}

impl AsRawFd for UdpSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}
