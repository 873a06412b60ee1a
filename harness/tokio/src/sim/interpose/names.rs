//! Names, as libc looks them up: those of the simulated hosts.

use crate::sim::kernel::{self, NotResolved};
use libc::{addrinfo, c_char, c_int, sockaddr_storage};
use socket2::SockAddr;
use std::{
    ffi::CStr,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    ptr,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// Marks the answers that are ours to free.
const OURS: c_int = 0x5eed_0000;

/// Names are those of the simulated hosts.
///
/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getaddrinfo(
    node: *const c_char,
    service: *const c_char,
    hints: *const addrinfo,
    res: *mut *mut addrinfo,
) -> c_int {
    if !kernel::is_running() {
        return libcs!(getaddrinfo(
            node: *const c_char, service: *const c_char, hints: *const addrinfo, res: *mut *mut addrinfo
        ) -> c_int);
    }
    // SAFETY: the strings end with a zero, or are null.
    let text = |text: *const c_char| (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy());
    // SAFETY: they are null or a caller's.
    let (flags, family, kind) = unsafe { hints.as_ref() }
        .map_or((0, libc::AF_UNSPEC, libc::SOCK_STREAM), |hints| (hints.ai_flags, hints.ai_family, hints.ai_socktype));
    let ips: Vec<IpAddr> = match text(node) {
        None if flags & libc::AI_PASSIVE != 0 => vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()],
        None => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        Some(name) => {
            let host = kernel::current_host();
            match kernel::with(|k| k.resolve(host, &name)) {
                Ok(ips) => ips,
                Err(NotResolved::TryAgain) => return libc::EAI_AGAIN,
                Err(NotResolved::NoName | NotResolved::NoHost { .. }) => return libc::EAI_NONAME,
            }
        }
    };
    let is_asked_for = |ip: &IpAddr| match family {
        libc::AF_INET => ip.is_ipv4(),
        libc::AF_INET6 => ip.is_ipv6(),
        _ => true,
    };
    let ips: Vec<IpAddr> = ips.into_iter().filter(is_asked_for).collect();
    if ips.is_empty() {
        return libc::EAI_NONAME;
    }
    let port = text(service).map_or(Ok(0), |service| match &*service {
        "http" => Ok(80),
        "https" => Ok(443),
        number => number.parse::<u16>(),
    });
    let Ok(port) = port else { return libc::EAI_SERVICE };
    let answers = ips.into_iter().rev().fold(ptr::null_mut(), |next, ip| answer(SocketAddr::new(ip, port), kind, next));
    // SAFETY: the caller gives a place for the answer.
    unsafe { *res = answers };
    0
}

/// An answer and its address, in one piece of memory.
#[repr(C)]
struct Answer {
    info: addrinfo,
    addr: sockaddr_storage,
}

fn answer(addr: SocketAddr, kind: c_int, next: *mut addrinfo) -> *mut addrinfo {
    let from = SockAddr::from(addr);
    // SAFETY: of integers and pointers all zeros are values.
    let mut answer: Box<Answer> = Box::new(unsafe { std::mem::zeroed() });
    // SAFETY: an address is no longer than the storage for any.
    unsafe {
        ptr::copy_nonoverlapping(from.as_ptr().cast::<u8>(), (&raw mut answer.addr).cast::<u8>(), from.len() as usize)
    };
    answer.info.ai_flags = OURS;
    answer.info.ai_family = from.family().into();
    answer.info.ai_socktype = kind;
    answer.info.ai_addrlen = from.len();
    answer.info.ai_next = next;
    let answer = Box::into_raw(answer);
    // SAFETY: it is the box of before, which nobody else has.
    unsafe { (*answer).info.ai_addr = (&raw mut (*answer).addr).cast() };
    answer.cast()
}

/// Frees what `getaddrinfo` gave.
///
/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn freeaddrinfo(mut res: *mut addrinfo) {
    // SAFETY: it is null or an answer.
    if unsafe { res.as_ref() }.is_none_or(|answer| answer.ai_flags != OURS) {
        return libcs!(freeaddrinfo(res: *mut addrinfo) -> ());
    }
    while !res.is_null() {
        // SAFETY: ours are boxes, each of which is freed once.
        let answer = unsafe { Box::from_raw(res.cast::<Answer>()) };
        res = answer.info.ai_next;
    }
}
