//! Descriptors of simulated Unix sockets: see [`crate::sim::net::fd`]. A Unix socket has no options that matter here.

use crate::sim::{
    interpose::Bound,
    kernel::{self, SocketKind, UnixId},
    net::fd,
};
use socket2::{Domain, Socket, Type};
use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::OnceLock,
};

/// The real socket of a simulated one, if anybody has asked for it.
#[derive(Debug, Default)]
pub(super) struct Descriptor(OnceLock<Socket>);

impl Descriptor {
    pub fn lend(&self, kind: Type) -> BorrowedFd<'_> {
        self.0.get_or_init(|| new(kind).expect("a descriptor can be opened")).as_fd()
    }
}

/// A real socket, which is neither bound nor connected.
fn new(kind: Type) -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, kind, None)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// A real socket that stands for a simulated one.
pub(super) fn stands_for(id: UnixId, kind: Type) -> io::Result<OwnedFd> {
    let socket = new(kind)?;
    fd::bind(&socket, Bound::Unix(id));
    Ok(socket.into())
}

/// The simulated socket for which a real one stands.
pub(super) fn simulated(socket: &impl AsFd, kind: SocketKind, listens: bool, what: &str) -> io::Result<UnixId> {
    match fd::bound(socket, what)? {
        Bound::Unix(id) if kernel::with(|k| k.unix[id].kind == kind && k.unix_listens(id) == listens) => Ok(id),
        other => Err(fd::refuse(socket, other, "a socket of another kind")),
    }
}

/// Gives a type of sockets its descriptors. A type that moves data has operations on them, too.
macro_rules! descriptor {
    ($type:ident, $real:ident, $kind:ident, listens: $listens:literal) => {
        impl $type {
            /// A socket of std that stands for a simulated one: it was bound within the simulation, or
            #[doc = concat!("[`", stringify!($type), "::into_std`] gave it.")]
            ///
            /// # Errors
            /// One of the machine is refused.
            pub fn from_std(socket: std::os::unix::net::$type) -> io::Result<$type> {
                let what = concat!("a std::os::unix::net::", stringify!($type), " that was not bound by the current host");
                descriptor::simulated(&socket, SocketKind::$kind, $listens, what).map($type::of)
            }

            #[doc = concat!("A socket of std that stands for it; it goes back by [`", stringify!($type), "::from_std`].")]
            ///
            /// # Errors
            /// If the machine gives no descriptor.
            pub fn into_std(mut self) -> io::Result<std::os::unix::net::$type> {
                let real = descriptor::stands_for(self.id, socket2::Type::$real)?;
                drop(std::mem::take(&mut self.fd));
                // The simulated socket is closed with the one of std.
                std::mem::forget(self);
                Ok(real.into())
            }
        }

        impl TryFrom<std::os::unix::net::$type> for $type {
            type Error = io::Error;

            fn try_from(socket: std::os::unix::net::$type) -> io::Result<$type> {
                $type::from_std(socket)
            }
        }

        impl std::os::fd::AsFd for $type {
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                self.fd.lend(socket2::Type::$real)
            }
        }

        impl std::os::fd::AsRawFd for $type {
            fn as_raw_fd(&self) -> std::os::fd::RawFd {
                std::os::fd::AsFd::as_fd(self).as_raw_fd()
            }
        }
    };
    ($type:ident, $real:ident, $kind:ident) => {
        descriptor!($type, $real, $kind, listens: false);

        impl $type {
            /// Tries an operation of the caller's, which is to be one of this socket's.
            pub fn try_io<R>(&self, _: Interest, f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
                f()
            }

            /// Calls an operation of the caller's until it no longer returns `WouldBlock`.
            pub async fn async_io<R>(&self, interest: Interest, f: impl FnMut() -> io::Result<R>) -> io::Result<R> {
                crate::sim::net::fd::retry(async || self.ready(interest).await.map(drop), f).await
            }
        }
    };
}

pub(super) use descriptor;
