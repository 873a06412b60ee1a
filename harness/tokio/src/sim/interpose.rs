//! Functions of libc that the simulation answers on its own thread.
//!
//! A definition here takes the place of libc's in the whole program. On every other thread, and outside of a simulation, it calls
//! libc's.
#![allow(unsafe_code)]

use libc::{c_int, sockaddr, sockaddr_storage, socklen_t};
use socket2::SockAddr;
use std::{io, net::SocketAddr, ptr};

/// Calls libc's own function of this name.
macro_rules! libcs {
    ($name:ident($($arg:ident: $type:ty),*) -> $out:ty) => {{
        static AT: AtomicUsize = AtomicUsize::new(0);
        let mut at = AT.load(Relaxed);
        if at == 0 {
            let name = concat!(stringify!($name), "\0");
            // SAFETY: the name ends with a zero.
            at = unsafe { crate::sim::interpose::next::of_libc(libc::RTLD_NEXT, name.as_ptr().cast()) } as usize;
            assert!(at != 0, concat!("libc has no ", stringify!($name)));
            AT.store(at, Relaxed);
        }
        // SAFETY: libc's function of this name has this type, and the caller keeps to its contract.
        unsafe { std::mem::transmute::<usize, unsafe extern "C" fn($($type),*) -> $out>(at)($($arg),*) }
    }};
}

mod chance;
mod datagrams;
mod futex;
pub(crate) mod guard;
#[cfg(all(target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) mod heap;
#[cfg(not(all(target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64"))))]
#[path = "interpose/no_heap.rs"]
pub(crate) mod heap;
mod links;
mod names;
#[cfg(all(target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod next;
#[cfg(not(all(target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64"))))]
#[path = "interpose/no_next.rs"]
mod next;
mod path;
mod preempt;
mod processes;
mod sockets;
mod threads;

pub(crate) use sockets::{Bound, give_bound, lend_udp, take_bound};
pub use threads::end_threads;
pub(crate) use threads::{is_started_by_service, on_a_thread, on_start as on_thread_start};

/// Lets the linker take these definitions: nobody in this crate calls them.
pub(crate) fn link() {
    guard::answer_futex_with(futex::futex);
    let names = [
        names::getaddrinfo as *const (),
        names::freeaddrinfo as *const (),
        sockets::bind as *const (),
        sockets::listen as *const (),
        sockets::getsockname as *const (),
        sockets::getpeername as *const (),
        sockets::connect as *const (),
        sockets::close as *const (),
        datagrams::sendmsg as *const (),
        datagrams::sendto as *const (),
        datagrams::recvmsg as *const (),
        datagrams::recvmmsg as *const (),
        chance::syscall as *const (),
        links::realpath as *const (),
        processes::fork as *const (),
        processes::posix_spawn as *const (),
        processes::posix_spawnp as *const (),
        threads::pthread_create as *const (),
        threads::pthread_join as *const (),
        threads::pthread_detach as *const (),
        processes::sched_yield as *const (),
        processes::nanosleep as *const (),
        processes::clock_nanosleep as *const (),
        processes::getpid as *const (),
        processes::gettid as *const (),
        processes::pthread_sigmask as *const (),
        processes::sigprocmask as *const (),
    ];
    std::hint::black_box((names, heap::symbols(), next::symbol()));
}

/// As libc's: 0, or -1 and `errno`.
fn status(done: io::Result<()>) -> c_int {
    let Err(error) = done else { return 0 };
    // SAFETY: it is this thread's own.
    unsafe { *libc::__errno_location() = error.raw_os_error().unwrap_or(libc::EINVAL) };
    -1
}

/// # Safety
/// As libc's.
unsafe fn read_address(addr: *const sockaddr, len: socklen_t) -> Option<SocketAddr> {
    // SAFETY: as the caller says.
    unsafe { read_any_address(addr, len) }.and_then(|addr| addr.as_socket())
}

/// The address of a Unix socket as well.
///
/// # Safety
/// As libc's.
unsafe fn read_any_address(addr: *const sockaddr, len: socklen_t) -> Option<SockAddr> {
    if addr.is_null() || len as usize > size_of::<sockaddr_storage>() {
        return None;
    }
    let copy = |storage: *mut sockaddr_storage, room: *mut socklen_t| {
        // SAFETY: `addr` has `len` bytes, and there is room for so many.
        unsafe { ptr::copy_nonoverlapping(addr.cast::<u8>(), storage.cast::<u8>(), len as usize) };
        // SAFETY: it is a valid pointer to a length.
        unsafe { *room = len };
        Ok(())
    };
    // SAFETY: the address was copied as a caller of libc has given it.
    let ((), addr) = unsafe { SockAddr::try_init(|storage, room| copy(storage.cast(), room)) }.ok()?;
    Some(addr)
}
