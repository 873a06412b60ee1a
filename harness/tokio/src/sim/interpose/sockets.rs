//! The addresses of sockets that std or `socket2` makes: they are bound within the simulation, and nowhere else.

use super::{guard, read_address, read_any_address, status};
use crate::sim::{
    common::{Common, hand_on},
    kernel::{self, ConnId, ListenerId, Side, SocketId, SocketKind, UdpId, UnixId, presented},
};
use libc::{c_int, sockaddr, socklen_t};
use refrain_core::verdict::Outside::Network;
use socket2::{SockAddr, SockRef, Type};
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    io,
    mem::ManuallyDrop,
    net::SocketAddr,
    os::{
        fd::{AsRawFd, BorrowedFd},
        linux::net::SocketAddrExt,
        unix::{ffi::OsStrExt, fs::MetadataExt, net},
    },
    ptr,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// What a real socket was bound to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    Socket(SocketId),
    Listener(ListenerId),
    Udp(UdpId),
    Stream(ConnId, Side),
    Unix(UnixId),
}

/// A real socket that stands for a simulated one.
#[derive(Debug, Clone, Copy)]
struct Stands {
    bound: Bound,
    /// Whether the simulated one is closed with it.
    owns: bool,
}

thread_local! {
    /// What real sockets were bound to, by their inode: descriptors are used again.
    static BOUND: Common<BTreeMap<u64, Stands>> = const { Common::new() };
}

/// How many there are: while there are none, closing a file asks nothing more.
static BOUND_COUNT: AtomicUsize = AtomicUsize::new(0);

/// What a real socket was bound to, which is no longer its.
pub(crate) fn take_bound(socket: BorrowedFd<'_>) -> Option<Bound> {
    remove(inode(socket)?).map(|stands| stands.bound)
}

/// Lets a real socket stand for what is bound.
pub(crate) fn give_bound(socket: BorrowedFd<'_>, bound: Bound) {
    insert(socket, Stands { bound, owns: true });
}

/// Lets the descriptor of a simulated UDP socket send and receive.
pub(crate) fn lend_udp(socket: BorrowedFd<'_>, id: UdpId) {
    insert(socket, Stands { bound: Bound::Udp(id), owns: false });
}

/// Gives what this thread knows to the one that calls the result.
pub(super) fn hand_on_bound() -> Box<dyn FnOnce()> {
    hand_on(&BOUND)
}

fn insert(socket: BorrowedFd<'_>, stands: Stands) {
    if let Some(inode) = inode(socket)
        && BOUND.with(|bound| bound.get().borrow_mut().insert(inode, stands)).is_none()
    {
        BOUND_COUNT.fetch_add(1, Relaxed);
    }
}

fn remove(inode: u64) -> Option<Stands> {
    let stands = BOUND.with(|bound| bound.get().borrow_mut().remove(&inode));
    BOUND_COUNT.fetch_sub(usize::from(stands.is_some()), Relaxed);
    stands
}

/// The number that no other open file has.
fn inode(file: BorrowedFd<'_>) -> Option<u64> {
    // SAFETY: the descriptor is open, and is not closed by this.
    let file = unsafe { ManuallyDrop::new(<std::fs::File as std::os::fd::FromRawFd>::from_raw_fd(file.as_raw_fd())) };
    file.metadata().ok().map(|metadata| metadata.ino())
}

/// A socket that is bound within the simulation has an address there, and nowhere else.
///
/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bind(fd: c_int, addr: *const sockaddr, len: socklen_t) -> c_int {
    // SAFETY: the caller gives an address.
    let Some(to) = unsafe { read_any_address(addr, len) }.filter(|_| kernel::is_running()) else {
        return libcs!(bind(fd: c_int, addr: *const sockaddr, len: socklen_t) -> c_int);
    };
    // SAFETY: the caller says that it is open.
    let socket = unsafe { BorrowedFd::borrow_raw(fd) };
    if bound_to(fd).is_some() {
        return status(Err(io::Error::from_raw_os_error(libc::EINVAL)));
    }
    match (to.as_socket(), to.as_unix()) {
        (Some(to), _) => status(bind_here(socket, to)),
        (None, Some(to)) => status(bind_unix(socket, &to)),
        (None, None) => libcs!(bind(fd: c_int, addr: *const sockaddr, len: socklen_t) -> c_int),
    }
}

fn bind_unix(fd: BorrowedFd<'_>, addr: &net::SocketAddr) -> io::Result<()> {
    let kind = match SockRef::from(&fd).r#type()? {
        Type::DGRAM => SocketKind::Datagram,
        _ => SocketKind::Stream,
    };
    let host = kernel::current_host();
    let id = kernel::with(|k| {
        let id = k.unix_new(host, kind)?;
        k.unix_bind(id, addr).inspect_err(|_| k.unix_close(id)).map(|()| id)
    })?;
    give_bound(fd, Bound::Unix(id));
    Ok(())
}

fn bind_here(fd: BorrowedFd<'_>, addr: SocketAddr) -> io::Result<()> {
    let socket = SockRef::from(&fd);
    let host = kernel::current_host();
    let (reuse_addr, reuse_port) = (socket.reuse_address()?, socket.reuse_port()?);
    let bound = match socket.r#type()? {
        Type::DGRAM => Bound::Udp(kernel::with(|k| k.udp_bind(host, addr))?),
        _ => kernel::with(|k| {
            let id = k.new_socket(host, addr.is_ipv6())?;
            let options = &mut k.sockets[id].options;
            (options.reuse_addr, options.reuse_port) = (reuse_addr, reuse_port);
            k.bind(id, addr).inspect_err(|_| k.close_socket(id)).map(|()| Bound::Socket(id))
        })?,
    };
    give_bound(fd, bound);
    Ok(())
}

/// The simulated socket is closed.
fn release(bound: Bound) {
    kernel::with(|k| match bound {
        Bound::Socket(id) => k.close_socket(id),
        Bound::Listener(id) => k.close_listener(id),
        Bound::Udp(id) => k.udp_close(id),
        Bound::Stream(conn, side) => k.close(conn, side),
        Bound::Unix(id) => k.unix_close(id),
    });
}

/// What a real socket is bound to here, if this thread simulates.
fn bound_to(fd: c_int) -> Option<(u64, Stands)> {
    if BOUND_COUNT.load(Relaxed) == 0 || fd < 0 {
        return None;
    }
    // SAFETY: it is only asked for its number, which a closed one has not.
    let inode = inode(unsafe { BorrowedFd::borrow_raw(fd) })?;
    let stands = BOUND.try_with(|bound| bound.get().try_borrow().ok()?.get(&inode).copied()).ok()??;
    Some((inode, stands))
}

/// The simulated UDP socket for which a real one stands.
pub(super) fn udp_of(fd: c_int) -> Option<UdpId> {
    match bound_to(fd)?.1.bound {
        Bound::Udp(id) => Some(id),
        Bound::Socket(_) | Bound::Listener(_) | Bound::Stream(..) | Bound::Unix(_) => None,
    }
}

/// Listens within the simulation, where it is bound.
///
/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn listen(fd: c_int, backlog: c_int) -> c_int {
    // As the kernel, which takes a negative one for the largest.
    let most = u32::try_from(backlog).unwrap_or(u32::MAX);
    match bound_to(fd) {
        Some((inode, Stands { bound: Bound::Socket(id), owns })) => {
            status(kernel::with(|k| k.listen(id, most)).map(|id| {
                BOUND.with(|bound| bound.get().borrow_mut().insert(inode, Stands { bound: Bound::Listener(id), owns }));
            }))
        }
        Some((_, Stands { bound: Bound::Unix(id), .. })) => status(kernel::with(|k| k.unix_listen(id, most))),
        _ => libcs!(listen(fd: c_int, backlog: c_int) -> c_int),
    }
}

/// The simulated address.
///
/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getsockname(fd: c_int, addr: *mut sockaddr, len: *mut socklen_t) -> c_int {
    match bound_to(fd) {
        // SAFETY: the caller gives room for the address.
        Some((_, Stands { bound, .. })) => unsafe { write_address(&address(bound), addr, len) },
        None => libcs!(getsockname(fd: c_int, addr: *mut sockaddr, len: *mut socklen_t) -> c_int),
    }
}

/// The simulated address of the other end.
///
/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getpeername(fd: c_int, addr: *mut sockaddr, len: *mut socklen_t) -> c_int {
    match bound_to(fd) {
        Some((_, Stands { bound: Bound::Stream(conn, side), .. })) => {
            let peer = kernel::with(|k| k.shown_address(conn, side, 1 - side));
            // SAFETY: the caller gives room for the address.
            unsafe { write_address(&peer.into(), addr, len) }
        }
        Some((_, Stands { bound: Bound::Unix(id), .. })) => {
            match kernel::with(|k| k.unix_peer(id).map(|peer| of_unix(k.unix[peer].address.as_ref()))) {
                // SAFETY: the caller gives room for the address.
                Some(peer) => unsafe { write_address(&peer, addr, len) },
                None => status(Err(io::Error::from_raw_os_error(libc::ENOTCONN))),
            }
        }
        _ => libcs!(getpeername(fd: c_int, addr: *mut sockaddr, len: *mut socklen_t) -> c_int),
    }
}

/// # Safety
/// There is room for `len` bytes at `addr`.
unsafe fn write_address(from: &SockAddr, addr: *mut sockaddr, len: *mut socklen_t) -> c_int {
    // SAFETY: no more is written than there is room for; what does not fit is cut.
    unsafe {
        ptr::copy_nonoverlapping(from.as_ptr().cast::<u8>(), addr.cast::<u8>(), from.len().min(*len) as usize);
        *len = from.len();
    }
    0
}

/// The simulated address of a real socket.
fn address(bound: Bound) -> SockAddr {
    kernel::with(|k| match bound {
        Bound::Socket(id) => k.sockets[id].bound.expect("it was bound").into(),
        Bound::Listener(id) => presented(k.listeners[id].addr, k.listeners[id].options.v6).into(),
        Bound::Udp(id) => presented(k.udp[id].addr, k.udp[id].v6).into(),
        Bound::Stream(conn, side) => k.shown_address(conn, side, side).into(),
        Bound::Unix(id) => of_unix(k.unix[id].address.as_ref()),
    })
}

/// The address of a Unix socket, which may be unnamed.
fn of_unix(address: Option<&net::SocketAddr>) -> SockAddr {
    let abstract_name = |name: &[u8]| SockAddr::unix(OsStr::from_bytes(&[b"\0", name].concat()));
    let path = address.and_then(|address| address.as_pathname()).map(SockAddr::unix);
    let named = path.or_else(|| address.and_then(|address| address.as_abstract_name()).map(abstract_name));
    named.and_then(Result::ok).unwrap_or_else(|| SockAddr::unix("").expect("no name is a name"))
}

/// Closes the simulated socket as well.
///
/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn close(fd: c_int) -> c_int {
    if let Some((inode, Stands { bound, owns })) = bound_to(fd) {
        remove(inode);
        if owns {
            release(bound);
        }
    }
    libcs!(close(fd: c_int) -> c_int)
}

/// Ends a run that is about to reach the machine's network, which would be another one each time.
pub(super) fn check_escape(call: &'static str, to: Option<SocketAddr>) {
    guard::check(call, Network, || to.map_or_else(|| "a Unix socket".to_owned(), |addr| addr.to_string()));
}

/// No real connection is made.
///
/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connect(fd: c_int, addr: *const sockaddr, len: socklen_t) -> c_int {
    // SAFETY: the caller gives an address.
    check_escape("connect", unsafe { read_address(addr, len) });
    libcs!(connect(fd: c_int, addr: *const sockaddr, len: socklen_t) -> c_int)
}
