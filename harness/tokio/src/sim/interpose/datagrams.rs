//! Datagrams that are sent and received by the descriptor of a UDP socket, as `quinn-udp` does it.

use super::{
    read_address,
    sockets::{check_escape, udp_of},
    status,
};
use crate::sim::kernel::{self, UdpId};
use libc::{c_int, c_uint, c_void, cmsghdr, iovec, mmsghdr, msghdr, sockaddr, socklen_t, ssize_t, timespec};
use socket2::SockAddr;
use std::{
    io, ptr, slice,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    task::Poll,
};

/// The most that one datagram carries.
const BYTES_MAX: usize = 65_535;

/// As libc's: a count, or -1 and `errno`.
fn count(done: io::Result<usize>) -> ssize_t {
    match done {
        Ok(n) => n as ssize_t,
        Err(error) => status(Err(error)) as ssize_t,
    }
}

/// # Safety
/// The message is one that a caller of libc gives.
unsafe fn parts<'a>(message: &msghdr) -> Vec<&'a mut [u8]> {
    let parts = (0..message.msg_iovlen).map(|n| {
        // SAFETY: there are so many parts, each with so many bytes.
        unsafe {
            let part: iovec = *message.msg_iov.add(n);
            slice::from_raw_parts_mut(part.iov_base.cast::<u8>(), part.iov_len)
        }
    });
    parts.filter(|part| !part.is_empty()).collect()
}

/// The size of the datagrams into which the kernel is to cut what is sent (`UDP_SEGMENT`).
///
/// # Safety
/// The message is one that a caller of libc gives.
unsafe fn segment_size(message: &msghdr) -> Option<usize> {
    // SAFETY: the control messages are within the memory that the caller gives.
    unsafe {
        let mut control: *mut cmsghdr = libc::CMSG_FIRSTHDR(message);
        while let Some(head) = control.as_ref() {
            if (head.cmsg_level, head.cmsg_type) == (libc::SOL_UDP, libc::UDP_SEGMENT) {
                return Some(ptr::read_unaligned(libc::CMSG_DATA(control).cast::<u16>()) as usize);
            }
            control = libc::CMSG_NXTHDR(message, control);
        }
    }
    None
}

/// Sends a datagram from a simulated host.
///
/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sendmsg(fd: c_int, message: *const msghdr, flags: c_int) -> ssize_t {
    let Some(id) = udp_of(fd) else {
        // SAFETY: the caller gives a message. Without an address it goes where the socket is connected to.
        unsafe {
            if !(*message).msg_name.is_null() {
                check_escape("sendmsg", read_address((*message).msg_name.cast(), (*message).msg_namelen));
            }
        }
        return libcs!(sendmsg(fd: c_int, message: *const msghdr, flags: c_int) -> ssize_t);
    };
    // SAFETY: the caller gives a message.
    let (to, bytes, size) = unsafe {
        let message = &*message;
        (read_address(message.msg_name.cast(), message.msg_namelen), parts(message).concat(), segment_size(message))
    };
    let size = size.filter(|size| *size > 0).unwrap_or(BYTES_MAX);
    let send = |part: &[u8]| kernel::with(|k| k.udp_send(id, part, to)).map(drop);
    // An empty datagram is one, too.
    let sent = if bytes.is_empty() { send(&[]) } else { bytes.chunks(size).try_for_each(send) };
    count(sent.map(|()| bytes.len()))
}

/// Sends a datagram from a simulated host, as std does.
///
/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sendto(
    fd: c_int,
    bytes: *const c_void,
    len: usize,
    flags: c_int,
    addr: *const sockaddr,
    addr_len: socklen_t,
) -> ssize_t {
    // SAFETY: the caller gives an address, or null.
    let to = unsafe { read_address(addr, addr_len) };
    let Some(id) = udp_of(fd) else {
        if !addr.is_null() {
            check_escape("sendto", to);
        }
        return libcs!(sendto(
            fd: c_int, bytes: *const c_void, len: usize, flags: c_int, addr: *const sockaddr, addr_len: socklen_t
        ) -> ssize_t);
    };
    // SAFETY: the caller gives so many bytes.
    let bytes = if len == 0 { &[] } else { unsafe { slice::from_raw_parts(bytes.cast::<u8>(), len) } };
    count(kernel::with(|k| k.udp_send(id, bytes, to)))
}

/// Receives a datagram on a simulated host.
///
/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn recvmsg(fd: c_int, message: *mut msghdr, flags: c_int) -> ssize_t {
    match udp_of(fd) {
        // SAFETY: the caller gives a message.
        Some(id) => count(receive(id, unsafe { &mut *message }, flags)),
        None => libcs!(recvmsg(fd: c_int, message: *mut msghdr, flags: c_int) -> ssize_t),
    }
}

/// Receives datagrams on a simulated host.
///
/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn recvmmsg(
    fd: c_int,
    messages: *mut mmsghdr,
    length: c_uint,
    flags: c_int,
    timeout: *mut timespec,
) -> c_int {
    let Some(id) = udp_of(fd) else {
        return libcs!(recvmmsg(
            fd: c_int, messages: *mut mmsghdr, length: c_uint, flags: c_int, timeout: *mut timespec
        ) -> c_int);
    };
    for n in 0..length as usize {
        // SAFETY: the caller gives so many messages.
        let message = unsafe { &mut *messages.add(n) };
        match receive(id, &mut message.msg_hdr, flags) {
            Ok(bytes) => message.msg_len = bytes as c_uint,
            Err(error) if n == 0 => return status(Err(error)),
            Err(_) => return n as c_int,
        }
    }
    length as c_int
}

fn receive(id: UdpId, message: &mut msghdr, flags: c_int) -> io::Result<usize> {
    // SAFETY: the caller gives a message.
    let parts = unsafe { parts(message) };
    let mut whole = vec![0; parts.iter().map(|part| part.len()).sum()];
    let peek = flags & libc::MSG_PEEK != 0;
    let Poll::Ready(received) = kernel::with(|k| k.udp_poll_receive(None, id, &mut whole, peek)) else {
        return Err(io::Error::from_raw_os_error(libc::EAGAIN));
    };
    let (n, from) = received?;
    let mut rest = &whole[..n];
    for part in parts {
        let fits = rest.split_off(..rest.len().min(part.len())).unwrap_or_default();
        part[..fits.len()].copy_from_slice(fits);
    }
    (message.msg_flags, message.msg_controllen) = (0, 0);
    if !message.msg_name.is_null() {
        let from = SockAddr::from(from);
        // SAFETY: the caller gives room for so many bytes, and takes what does not fit as cut.
        unsafe {
            let fits = from.len().min(message.msg_namelen) as usize;
            ptr::copy_nonoverlapping(from.as_ptr().cast::<u8>(), message.msg_name.cast::<u8>(), fits);
        }
        message.msg_namelen = from.len();
    }
    Ok(n)
}
