//! Descriptors of simulated sockets.
//!
//! Who asks a simulated socket for its descriptor gets that of a real socket, which is neither bound nor connected: a bag of
//! options. What `socket2` and its like set on it is read back at the next operation. In the other direction a real socket is
//! taken over with its options, and with the address that it was given while the simulation ran ([`crate::sim::interpose`]).

use crate::sim::{
    interpose::{self, Bound},
    kernel::SocketOptions,
};
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};
use std::{
    fmt, io,
    os::fd::{AsFd, BorrowedFd},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

/// The real socket of a simulated one, if anybody has asked for it.
#[derive(Default)]
pub(super) struct Token {
    socket: OnceLock<(Socket, [usize; 2])>,
    /// Whether somebody may have changed its options since they were read.
    lent: AtomicBool,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").finish_non_exhaustive()
    }
}

impl Token {
    /// The descriptor, which has the options that the simulated socket has when it is made.
    pub fn lend(&self, kind: Type, options: &SocketOptions) -> BorrowedFd<'_> {
        self.lent.store(true, Relaxed);
        let (socket, _) = self.socket.get_or_init(|| {
            let domain = if options.v6 { Domain::IPV6 } else { Domain::IPV4 };
            let protocol = if kind == Type::STREAM { Protocol::TCP } else { Protocol::UDP };
            let socket = Socket::new(domain, kind, Some(protocol)).expect("a descriptor can be opened");
            socket.set_nonblocking(true).expect("a new socket takes options");
            write(&socket, options).expect("a new socket takes options");
            let buffers = buffers(&socket);
            (socket, buffers)
        });
        socket.as_fd()
    }

    /// Reads the options back that somebody may have set.
    pub fn read_back(&self, options: &mut SocketOptions) {
        if self.lent.swap(false, Relaxed)
            && let Some((socket, before)) = self.socket.get()
        {
            read(socket, *before, options);
        }
    }

    /// Whether somebody may have set options since they were read.
    pub fn is_lent(&self) -> bool {
        self.lent.load(Relaxed)
    }

    /// Passes options on that were set by tokio's methods, lest the old ones are read back.
    pub fn write(&self, options: &SocketOptions) -> io::Result<()> {
        self.socket.get().map_or(Ok(()), |(socket, _)| write(socket, options))
    }
}

/// Takes over the options of a real socket, which had those of any new socket before.
pub(super) fn adopt(socket: &Socket, options: &mut SocketOptions) {
    let new = Socket::new(socket.domain().unwrap_or(Domain::IPV4), socket.r#type().unwrap_or(Type::STREAM), None);
    read(socket, new.map(|new| buffers(&new)).unwrap_or_default(), options);
}

/// What it was bound to while the simulation ran. A real address is outside: refused.
pub(super) fn bound(socket: &impl AsFd, what: &str) -> io::Result<Bound> {
    interpose::take_bound(socket.as_fd()).ok_or_else(|| outside(what))
}

/// Refuses a socket of another kind than is asked for. It goes on to stand for its simulated one, which is closed with it.
pub(super) fn refuse(socket: &impl AsFd, bound: Bound, what: &str) -> io::Error {
    bind(socket, bound);
    outside(what)
}

/// Lets a real socket stand for a simulated one.
pub(super) fn bind(stands: &impl AsFd, bound: Bound) {
    interpose::give_bound(stands.as_fd(), bound);
}

/// Why something cannot come into the simulation, or leave it.
pub(super) fn outside(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, format!("{what} is outside of the simulation: let tokio make it"))
}

/// The sizes of both buffers, as this machine gives them.
fn buffers(socket: &Socket) -> [usize; 2] {
    [socket.send_buffer_size().unwrap_or(0), socket.recv_buffer_size().unwrap_or(0)]
}

fn write(socket: &Socket, options: &SocketOptions) -> io::Result<()> {
    socket.set_reuse_address(options.reuse_addr)?;
    socket.set_reuse_port(options.reuse_port)?;
    if socket.r#type()? != Type::STREAM {
        return Ok(());
    }
    socket.set_keepalive(options.keepalive)?;
    socket.set_tcp_nodelay(options.nodelay)?;
    socket.set_linger(options.linger)?;
    let mut keepalive = TcpKeepalive::new();
    if let Some(time) = options.keepalive_time {
        keepalive = keepalive.with_time(time);
    }
    if let Some(interval) = options.keepalive_interval {
        keepalive = keepalive.with_interval(interval);
    }
    if let Some(probes) = options.keepalive_probes {
        keepalive = keepalive.with_retries(probes);
    }
    if options.keepalive {
        socket.set_tcp_keepalive(&keepalive)?;
    }
    socket.set_tcp_user_timeout(options.user_timeout)
}

/// What differs from a new socket of this machine is what somebody has set.
fn read(socket: &Socket, before: [usize; 2], options: &mut SocketOptions) {
    options.reuse_addr = socket.reuse_address().unwrap_or(options.reuse_addr);
    options.reuse_port = socket.reuse_port().unwrap_or(options.reuse_port);
    let now = buffers(socket);
    // Linux doubles what was asked for.
    if now[0] != before[0] {
        options.set_send_buffer((now[0] / 2) as u32);
    }
    if now[1] != before[1] {
        options.set_receive_buffer((now[1] / 2) as u32);
    }
    if !socket.r#type().is_ok_and(|kind| kind == Type::STREAM) {
        return;
    }
    options.keepalive = socket.keepalive().unwrap_or(options.keepalive);
    options.nodelay = socket.tcp_nodelay().unwrap_or(options.nodelay);
    options.linger = socket.linger().unwrap_or(options.linger);
    options.user_timeout = socket.tcp_user_timeout().ok().flatten().filter(|time| !time.is_zero());
    let machine = machine();
    options.keepalive_time =
        socket.tcp_keepalive_time().ok().filter(|time| *time != machine.0).or(options.keepalive_time);
    options.keepalive_interval =
        socket.tcp_keepalive_interval().ok().filter(|time| *time != machine.1).or(options.keepalive_interval);
    options.keepalive_probes =
        socket.tcp_keepalive_retries().ok().filter(|n| *n != machine.2).or(options.keepalive_probes);
}

/// What this machine gives a socket that nobody has told anything.
fn machine() -> (std::time::Duration, std::time::Duration, u32) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None);
    let Ok(socket) = socket else { return Default::default() };
    (
        socket.tcp_keepalive_time().unwrap_or_default(),
        socket.tcp_keepalive_interval().unwrap_or_default(),
        socket.tcp_keepalive_retries().unwrap_or_default(),
    )
}

/// Calls an operation, each time once the socket is ready, until it no longer returns `WouldBlock`.
pub(super) async fn retry<R>(
    ready: impl AsyncFn() -> io::Result<()>,
    mut f: impl FnMut() -> io::Result<R>,
) -> io::Result<R> {
    loop {
        ready().await?;
        match f() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => return done,
        }
    }
}
