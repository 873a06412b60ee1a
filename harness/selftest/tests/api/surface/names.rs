// Compiled twice, against tokio and against the simulated one: every name that both have, and the auto traits of each.

use super::{Absent, Fact, Probe, probe};
use std::{
    convert::Infallible,
    future::{Ready, ready},
    io,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Interest},
    net::{
        TcpListener, TcpSocket, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixSocket, UnixStream, lookup_host,
        tcp::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, WriteHalf},
        unix,
    },
    runtime::{Builder, EnterGuard, Handle, Runtime, RuntimeFlavor, TryCurrentError},
    signal::unix::{Signal, SignalKind},
    sync::{
        Barrier, BarrierWaitResult, MappedMutexGuard, Mutex, MutexGuard, Notify, OnceCell, OwnedMappedMutexGuard,
        OwnedMutexGuard, OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard,
        OwnedSemaphorePermit, RwLock, RwLockMappedWriteGuard, RwLockReadGuard, RwLockWriteGuard, Semaphore,
        SemaphorePermit, SetError, SetOnce, broadcast,
        futures::{Notified, OwnedNotified},
        mpsc, oneshot, watch,
    },
    task::{AbortHandle, Id, JoinError, JoinHandle, JoinSet, LocalEnterGuard, LocalSet},
    time::{Instant, Interval, MissedTickBehavior, Sleep, Timeout, error::Elapsed},
};

macro_rules! exist {
    ($($name:expr),* $(,)?) => {{ $(let _ = $name;)* }};
}

/// References every function that both have.
pub fn functions() {
    exist![
        TcpStream::connect::<&str>,
        TcpStream::local_addr,
        TcpStream::peer_addr,
        TcpStream::take_error,
        TcpStream::peek,
        TcpStream::poll_peek,
        TcpStream::ready,
        TcpStream::readable,
        TcpStream::writable,
        TcpStream::poll_read_ready,
        TcpStream::poll_write_ready,
        TcpStream::try_read,
        TcpStream::try_read_vectored,
        TcpStream::try_read_buf::<Vec<u8>>,
        TcpStream::try_write,
        TcpStream::try_write_vectored,
        TcpStream::nodelay,
        TcpStream::set_nodelay,
        TcpStream::quickack,
        TcpStream::set_quickack,
        TcpStream::linger,
        TcpStream::set_zero_linger,
        TcpStream::ttl,
        TcpStream::set_ttl,
        TcpStream::split,
        TcpStream::into_split,
        TcpStream::from_std,
        TcpStream::into_std,
        |stream: &TcpStream| drop(TcpStream::try_io(stream, Interest::READABLE, || Ok(()))),
        |stream: &TcpStream| drop(TcpStream::async_io(stream, Interest::READABLE, || Ok(()))),
    ];
    #[allow(deprecated)]
    {
        exist![TcpStream::set_linger, TcpSocket::set_linger];
    }
    exist![
        TcpListener::bind::<&str>,
        TcpListener::accept,
        TcpListener::poll_accept,
        TcpListener::local_addr,
        TcpListener::ttl,
        TcpListener::set_ttl,
        TcpListener::from_std,
        TcpListener::into_std,
        TcpSocket::new_v4,
        TcpSocket::new_v6,
        TcpSocket::bind,
        TcpSocket::connect,
        TcpSocket::listen,
        TcpSocket::local_addr,
        TcpSocket::take_error,
        TcpSocket::keepalive,
        TcpSocket::set_keepalive,
        TcpSocket::reuseaddr,
        TcpSocket::set_reuseaddr,
        TcpSocket::reuseport,
        TcpSocket::set_reuseport,
        TcpSocket::send_buffer_size,
        TcpSocket::set_send_buffer_size,
        TcpSocket::recv_buffer_size,
        TcpSocket::set_recv_buffer_size,
        TcpSocket::linger,
        TcpSocket::set_zero_linger,
        TcpSocket::nodelay,
        TcpSocket::set_nodelay,
        TcpSocket::tos_v4,
        TcpSocket::set_tos_v4,
        TcpSocket::from_std_stream,
        TcpSocket::device,
        TcpSocket::bind_device,
    ];
    exist![
        ReadHalf::peek,
        ReadHalf::poll_peek,
        ReadHalf::ready,
        ReadHalf::readable,
        ReadHalf::try_read,
        ReadHalf::try_read_vectored,
        ReadHalf::try_read_buf::<Vec<u8>>,
        ReadHalf::local_addr,
        ReadHalf::peer_addr,
        WriteHalf::ready,
        WriteHalf::writable,
        WriteHalf::try_write,
        WriteHalf::try_write_vectored,
        WriteHalf::local_addr,
        WriteHalf::peer_addr,
        OwnedReadHalf::reunite,
        OwnedReadHalf::peek,
        OwnedReadHalf::poll_peek,
        OwnedReadHalf::ready,
        OwnedReadHalf::readable,
        OwnedReadHalf::try_read,
        OwnedReadHalf::try_read_vectored,
        OwnedReadHalf::try_read_buf::<Vec<u8>>,
        OwnedReadHalf::local_addr,
        OwnedReadHalf::peer_addr,
        OwnedWriteHalf::reunite,
        OwnedWriteHalf::forget,
        OwnedWriteHalf::ready,
        OwnedWriteHalf::writable,
        OwnedWriteHalf::try_write,
        OwnedWriteHalf::try_write_vectored,
        OwnedWriteHalf::local_addr,
        OwnedWriteHalf::peer_addr,
    ];
    exist![
        UdpSocket::bind::<&str>,
        UdpSocket::connect::<&str>,
        UdpSocket::local_addr,
        UdpSocket::peer_addr,
        UdpSocket::take_error,
        UdpSocket::ready,
        UdpSocket::readable,
        UdpSocket::writable,
        UdpSocket::poll_send_ready,
        UdpSocket::poll_recv_ready,
        UdpSocket::send,
        UdpSocket::poll_send,
        UdpSocket::try_send,
        UdpSocket::send_to::<&str>,
        UdpSocket::poll_send_to,
        UdpSocket::try_send_to,
        UdpSocket::recv,
        UdpSocket::poll_recv,
        UdpSocket::try_recv,
        UdpSocket::recv_buf::<Vec<u8>>,
        UdpSocket::try_recv_buf::<Vec<u8>>,
        UdpSocket::recv_from,
        UdpSocket::poll_recv_from,
        UdpSocket::try_recv_from,
        UdpSocket::recv_buf_from::<Vec<u8>>,
        UdpSocket::try_recv_buf_from::<Vec<u8>>,
        UdpSocket::peek,
        UdpSocket::poll_peek,
        UdpSocket::try_peek,
        UdpSocket::peek_from,
        UdpSocket::poll_peek_from,
        UdpSocket::try_peek_from,
        UdpSocket::peek_sender,
        UdpSocket::poll_peek_sender,
        UdpSocket::try_peek_sender,
        UdpSocket::ttl,
        UdpSocket::set_ttl,
        UdpSocket::tos_v4,
        UdpSocket::set_tos_v4,
        UdpSocket::from_std,
        UdpSocket::into_std,
        |socket: &UdpSocket| drop(UdpSocket::try_io(socket, Interest::READABLE, || Ok(()))),
        |socket: &UdpSocket| drop(UdpSocket::async_io(socket, Interest::READABLE, || Ok(()))),
        UdpSocket::broadcast,
        UdpSocket::set_broadcast,
        UdpSocket::device,
        UdpSocket::bind_device,
        lookup_host::<&str>,
    ];
    exist![
        UnixStream::connect::<&str>,
        UnixStream::connect_addr,
        UnixStream::pair,
        UnixStream::local_addr,
        UnixStream::peer_addr,
        UnixStream::peer_cred,
        UnixStream::take_error,
        UnixStream::ready,
        UnixStream::readable,
        UnixStream::writable,
        UnixStream::poll_read_ready,
        UnixStream::poll_write_ready,
        UnixStream::try_read,
        UnixStream::try_read_vectored,
        UnixStream::try_read_buf::<Vec<u8>>,
        UnixStream::try_write,
        UnixStream::try_write_vectored,
        UnixStream::split,
        UnixStream::into_split,
        UnixDatagram::bind::<&str>,
        UnixDatagram::pair,
        UnixDatagram::unbound,
        UnixDatagram::connect::<&str>,
        UnixDatagram::local_addr,
        UnixDatagram::peer_addr,
        UnixDatagram::take_error,
        UnixDatagram::shutdown,
        UnixDatagram::ready,
        UnixDatagram::readable,
        UnixDatagram::writable,
        UnixDatagram::poll_send_ready,
        UnixDatagram::poll_recv_ready,
        UnixDatagram::send,
        UnixDatagram::poll_send,
        UnixDatagram::try_send,
        UnixDatagram::send_to::<&str>,
        UnixDatagram::poll_send_to::<&str>,
        UnixDatagram::try_send_to::<&str>,
        UnixDatagram::recv,
        UnixDatagram::poll_recv,
        UnixDatagram::try_recv,
        UnixDatagram::recv_buf::<Vec<u8>>,
        UnixDatagram::try_recv_buf::<Vec<u8>>,
        UnixDatagram::recv_from,
        UnixDatagram::poll_recv_from,
        UnixDatagram::try_recv_from,
        UnixDatagram::recv_buf_from::<Vec<u8>>,
        UnixDatagram::try_recv_buf_from::<Vec<u8>>,
        UnixListener::bind::<&str>,
        UnixListener::bind_addr,
        UnixListener::accept,
        UnixListener::poll_accept,
        UnixListener::local_addr,
        UnixListener::take_error,
        UnixSocket::new_stream,
        UnixSocket::new_datagram,
        |socket: UnixSocket| UnixSocket::bind(&socket, "x"),
        |socket: UnixSocket| UnixSocket::connect(socket, "x"),
        UnixSocket::listen,
        UnixSocket::datagram,
        unix::SocketAddr::is_unnamed,
        unix::SocketAddr::as_pathname,
        unix::SocketAddr::as_abstract_name,
        unix::UCred::uid,
        unix::UCred::gid,
        unix::UCred::pid,
        unix::ReadHalf::ready,
        unix::ReadHalf::readable,
        unix::ReadHalf::try_read,
        unix::ReadHalf::try_read_vectored,
        unix::ReadHalf::try_read_buf::<Vec<u8>>,
        unix::ReadHalf::local_addr,
        unix::ReadHalf::peer_addr,
        unix::WriteHalf::ready,
        unix::WriteHalf::writable,
        unix::WriteHalf::try_write,
        unix::WriteHalf::try_write_vectored,
        unix::WriteHalf::local_addr,
        unix::WriteHalf::peer_addr,
        unix::OwnedReadHalf::reunite,
        unix::OwnedReadHalf::ready,
        unix::OwnedReadHalf::readable,
        unix::OwnedReadHalf::try_read,
        unix::OwnedReadHalf::try_read_vectored,
        unix::OwnedReadHalf::try_read_buf::<Vec<u8>>,
        unix::OwnedReadHalf::local_addr,
        unix::OwnedReadHalf::peer_addr,
        unix::OwnedWriteHalf::reunite,
        unix::OwnedWriteHalf::forget,
        unix::OwnedWriteHalf::ready,
        unix::OwnedWriteHalf::writable,
        unix::OwnedWriteHalf::try_write,
        unix::OwnedWriteHalf::try_write_vectored,
        unix::OwnedWriteHalf::local_addr,
        unix::OwnedWriteHalf::peer_addr,
    ];
    exist![
        tokio::time::sleep,
        tokio::time::sleep_until,
        tokio::time::timeout::<Ready<()>>,
        tokio::time::timeout_at::<Ready<()>>,
        tokio::time::interval,
        tokio::time::interval_at,
        Sleep::deadline,
        Sleep::is_elapsed,
        Sleep::reset,
        Timeout::<Ready<()>>::get_ref,
        Timeout::<Ready<()>>::get_mut,
        Timeout::<Ready<()>>::into_inner,
        Interval::tick,
        Interval::poll_tick,
        Interval::reset,
        Interval::reset_immediately,
        Interval::reset_after,
        Interval::reset_at,
        Interval::missed_tick_behavior,
        Interval::set_missed_tick_behavior,
        Interval::period,
        Instant::now,
        Instant::from_std,
        Instant::into_std,
        Instant::duration_since,
        Instant::checked_duration_since,
        Instant::saturating_duration_since,
        Instant::elapsed,
        Instant::checked_add,
        Instant::checked_sub,
    ];
    exist![
        tokio::spawn::<Ready<()>>,
        tokio::task::spawn::<Ready<()>>,
        tokio::task::spawn_blocking::<fn(), ()>,
        tokio::task::block_in_place::<fn(), ()>,
        tokio::task::spawn_local::<Ready<()>>,
        tokio::task::yield_now,
        tokio::task::consume_budget,
        tokio::task::unconstrained::<Ready<()>>,
        tokio::task::id,
        tokio::task::try_id,
        tokio::task::coop::has_budget_remaining,
        LocalSet::new,
        LocalSet::enter,
        LocalSet::spawn_local::<Ready<()>>,
        LocalSet::block_on::<Ready<()>>,
        LocalSet::run_until::<Ready<()>>,
        JoinHandle::<()>::abort,
        JoinHandle::<()>::abort_handle,
        JoinHandle::<()>::is_finished,
        JoinHandle::<()>::id,
        AbortHandle::abort,
        AbortHandle::is_finished,
        AbortHandle::id,
        JoinError::is_cancelled,
        JoinError::is_panic,
        JoinError::into_panic,
        JoinError::try_into_panic,
        JoinError::id,
        JoinSet::<()>::new,
        JoinSet::<()>::len,
        JoinSet::<()>::is_empty,
        JoinSet::<()>::spawn::<Ready<()>>,
        JoinSet::<()>::spawn_on::<Ready<()>>,
        JoinSet::<()>::spawn_local::<Ready<()>>,
        JoinSet::<()>::spawn_local_on::<Ready<()>>,
        JoinSet::<()>::spawn_blocking::<fn()>,
        JoinSet::<()>::spawn_blocking_on::<fn()>,
        JoinSet::<()>::join_next,
        JoinSet::<()>::join_next_with_id,
        JoinSet::<()>::try_join_next,
        JoinSet::<()>::try_join_next_with_id,
        JoinSet::<()>::poll_join_next,
        JoinSet::<()>::poll_join_next_with_id,
        JoinSet::<()>::join_all,
        JoinSet::<()>::shutdown,
        JoinSet::<()>::abort_all,
        JoinSet::<()>::detach_all,
    ];
    exist![
        Handle::current,
        Handle::try_current,
        Handle::enter,
        Handle::spawn::<Ready<()>>,
        Handle::spawn_blocking::<fn(), ()>,
        Handle::runtime_flavor,
        Handle::block_on::<Ready<()>>,
        TryCurrentError::is_missing_context,
        TryCurrentError::is_thread_local_destroyed,
        Runtime::new,
        Runtime::block_on::<Ready<()>>,
        Runtime::handle,
        Runtime::enter,
        Runtime::spawn::<Ready<()>>,
        Runtime::spawn_blocking::<fn(), ()>,
        Runtime::shutdown_timeout,
        Runtime::shutdown_background,
        Builder::new_multi_thread,
        Builder::new_current_thread,
        Builder::enable_all,
        Builder::build,
        tokio::signal::ctrl_c,
        tokio::signal::unix::signal,
        Signal::recv,
        Signal::poll_recv,
        SignalKind::from_raw,
        SignalKind::as_raw_value,
        SignalKind::alarm,
        SignalKind::child,
        SignalKind::hangup,
        SignalKind::interrupt,
        SignalKind::io,
        SignalKind::pipe,
        SignalKind::quit,
        SignalKind::terminate,
        SignalKind::user_defined1,
        SignalKind::user_defined2,
        SignalKind::window_change,
    ];
    exist![Barrier::new, Barrier::wait, BarrierWaitResult::is_leader,];
    exist![
        broadcast::channel::<()>,
        broadcast::Sender::<()>::new,
        broadcast::Sender::<()>::send,
        broadcast::Sender::<()>::subscribe,
        broadcast::Sender::<()>::downgrade,
        broadcast::Sender::<()>::len,
        broadcast::Sender::<()>::is_empty,
        broadcast::Sender::<()>::receiver_count,
        broadcast::Sender::<()>::same_channel,
        broadcast::Sender::<()>::closed,
        broadcast::Sender::<()>::strong_count,
        broadcast::Sender::<()>::weak_count,
        broadcast::WeakSender::<()>::upgrade,
        broadcast::WeakSender::<()>::strong_count,
        broadcast::WeakSender::<()>::weak_count,
        broadcast::Receiver::<()>::len,
        broadcast::Receiver::<()>::is_empty,
        broadcast::Receiver::<()>::same_channel,
        broadcast::Receiver::<()>::sender_strong_count,
        broadcast::Receiver::<()>::sender_weak_count,
        broadcast::Receiver::<()>::is_closed,
        broadcast::Receiver::<()>::resubscribe,
        broadcast::Receiver::<()>::recv,
        broadcast::Receiver::<()>::try_recv,
        broadcast::Receiver::<()>::blocking_recv,
    ];
    exist![
        mpsc::channel::<()>,
        mpsc::Receiver::<()>::recv,
        mpsc::Receiver::<()>::recv_many,
        mpsc::Receiver::<()>::try_recv,
        mpsc::Receiver::<()>::blocking_recv,
        mpsc::Receiver::<()>::blocking_recv_many,
        mpsc::Receiver::<()>::close,
        mpsc::Receiver::<()>::is_closed,
        mpsc::Receiver::<()>::is_empty,
        mpsc::Receiver::<()>::len,
        mpsc::Receiver::<()>::capacity,
        mpsc::Receiver::<()>::max_capacity,
        mpsc::Receiver::<()>::poll_recv,
        mpsc::Receiver::<()>::poll_recv_many,
        mpsc::Receiver::<()>::sender_strong_count,
        mpsc::Receiver::<()>::sender_weak_count,
        mpsc::Sender::<()>::send,
        mpsc::Sender::<()>::closed,
        mpsc::Sender::<()>::try_send,
        mpsc::Sender::<()>::send_timeout,
        mpsc::Sender::<()>::blocking_send,
        mpsc::Sender::<()>::is_closed,
        mpsc::Sender::<()>::reserve,
        mpsc::Sender::<()>::reserve_many,
        mpsc::Sender::<()>::reserve_owned,
        mpsc::Sender::<()>::try_reserve,
        mpsc::Sender::<()>::try_reserve_many,
        mpsc::Sender::<()>::try_reserve_owned,
        mpsc::Sender::<()>::same_channel,
        mpsc::Sender::<()>::capacity,
        mpsc::Sender::<()>::downgrade,
        mpsc::Sender::<()>::max_capacity,
        mpsc::Sender::<()>::strong_count,
        mpsc::Sender::<()>::weak_count,
        mpsc::WeakSender::<()>::upgrade,
        mpsc::WeakSender::<()>::strong_count,
        mpsc::WeakSender::<()>::weak_count,
        mpsc::Permit::<()>::send,
        mpsc::OwnedPermit::<()>::send,
        mpsc::OwnedPermit::<()>::release,
        mpsc::OwnedPermit::<()>::same_channel,
        mpsc::OwnedPermit::<()>::same_channel_as_sender,
        mpsc::unbounded_channel::<()>,
        mpsc::UnboundedReceiver::<()>::recv,
        mpsc::UnboundedReceiver::<()>::recv_many,
        mpsc::UnboundedReceiver::<()>::try_recv,
        mpsc::UnboundedReceiver::<()>::blocking_recv,
        mpsc::UnboundedReceiver::<()>::blocking_recv_many,
        mpsc::UnboundedReceiver::<()>::close,
        mpsc::UnboundedReceiver::<()>::is_closed,
        mpsc::UnboundedReceiver::<()>::is_empty,
        mpsc::UnboundedReceiver::<()>::len,
        mpsc::UnboundedReceiver::<()>::poll_recv,
        mpsc::UnboundedReceiver::<()>::poll_recv_many,
        mpsc::UnboundedReceiver::<()>::sender_strong_count,
        mpsc::UnboundedReceiver::<()>::sender_weak_count,
        mpsc::UnboundedSender::<()>::send,
        mpsc::UnboundedSender::<()>::closed,
        mpsc::UnboundedSender::<()>::is_closed,
        mpsc::UnboundedSender::<()>::same_channel,
        mpsc::UnboundedSender::<()>::downgrade,
        mpsc::UnboundedSender::<()>::strong_count,
        mpsc::UnboundedSender::<()>::weak_count,
        mpsc::WeakUnboundedSender::<()>::upgrade,
        mpsc::WeakUnboundedSender::<()>::strong_count,
        mpsc::WeakUnboundedSender::<()>::weak_count,
    ];
    exist![
        Mutex::<()>::new,
        Mutex::<()>::const_new,
        Mutex::<()>::lock,
        Mutex::<()>::blocking_lock,
        Mutex::<()>::blocking_lock_owned,
        Mutex::<()>::lock_owned,
        Mutex::<()>::try_lock,
        Mutex::<()>::get_mut,
        Mutex::<()>::try_lock_owned,
        Mutex::<()>::into_inner,
        MutexGuard::<()>::map::<(), fn(&mut ()) -> &mut ()>,
        MutexGuard::<()>::try_map::<(), fn(&mut ()) -> Option<&mut ()>>,
        MutexGuard::<()>::mutex,
        OwnedMutexGuard::<()>::map::<(), fn(&mut ()) -> &mut ()>,
        OwnedMutexGuard::<()>::try_map::<(), fn(&mut ()) -> Option<&mut ()>>,
        OwnedMutexGuard::<()>::mutex,
        MappedMutexGuard::<()>::map::<(), fn(&mut ()) -> &mut ()>,
        MappedMutexGuard::<()>::try_map::<(), fn(&mut ()) -> Option<&mut ()>>,
        OwnedMappedMutexGuard::<()>::map::<(), fn(&mut ()) -> &mut ()>,
        OwnedMappedMutexGuard::<()>::try_map::<(), fn(&mut ()) -> Option<&mut ()>>,
    ];
    exist![
        Notify::new,
        Notify::const_new,
        Notify::notified,
        Notify::notified_owned,
        Notify::notify_one,
        Notify::notify_last,
        Notify::notify_waiters,
        Notified::enable,
        OwnedNotified::enable,
    ];
    exist![
        OnceCell::<()>::new,
        OnceCell::<()>::const_new,
        OnceCell::<()>::new_with,
        OnceCell::<()>::const_new_with,
        OnceCell::<()>::initialized,
        OnceCell::<()>::get,
        OnceCell::<()>::get_mut,
        OnceCell::<()>::set,
        OnceCell::<()>::get_or_init::<fn() -> Ready<()>, Ready<()>>,
        OnceCell::<()>::get_or_try_init::<(), fn() -> Ready<Result<(), ()>>, Ready<Result<(), ()>>>,
        OnceCell::<()>::into_inner,
        OnceCell::<()>::take,
        SetError::<()>::is_already_init_err,
        SetError::<()>::is_initializing_err,
    ];
    exist![
        oneshot::channel::<()>,
        oneshot::Sender::<()>::send,
        oneshot::Sender::<()>::closed,
        oneshot::Sender::<()>::is_closed,
        oneshot::Sender::<()>::poll_closed,
        oneshot::Receiver::<()>::close,
        oneshot::Receiver::<()>::is_terminated,
        oneshot::Receiver::<()>::is_empty,
        oneshot::Receiver::<()>::try_recv,
        oneshot::Receiver::<()>::blocking_recv,
    ];
    exist![
        RwLock::<()>::new,
        RwLock::<()>::with_max_readers,
        RwLock::<()>::const_new,
        RwLock::<()>::const_with_max_readers,
        RwLock::<()>::read,
        RwLock::<()>::blocking_read,
        RwLock::<()>::read_owned,
        RwLock::<()>::try_read,
        RwLock::<()>::try_read_owned,
        RwLock::<()>::write,
        RwLock::<()>::blocking_write,
        RwLock::<()>::write_owned,
        RwLock::<()>::try_write,
        RwLock::<()>::try_write_owned,
        RwLock::<()>::get_mut,
        RwLock::<()>::into_inner,
        OwnedRwLockReadGuard::<()>::map::<fn(&()) -> &(), ()>,
        OwnedRwLockReadGuard::<()>::try_map::<fn(&()) -> Option<&()>, ()>,
        OwnedRwLockReadGuard::<()>::rwlock,
        OwnedRwLockWriteGuard::<()>::map::<fn(&mut ()) -> &mut (), ()>,
        OwnedRwLockWriteGuard::<()>::downgrade_map::<fn(&()) -> &(), ()>,
        OwnedRwLockWriteGuard::<()>::try_map::<fn(&mut ()) -> Option<&mut ()>, ()>,
        OwnedRwLockWriteGuard::<()>::try_downgrade_map::<fn(&()) -> Option<&()>, ()>,
        OwnedRwLockWriteGuard::<()>::into_mapped,
        OwnedRwLockWriteGuard::<()>::downgrade,
        OwnedRwLockWriteGuard::<()>::rwlock,
        OwnedRwLockMappedWriteGuard::<()>::map::<fn(&mut ()) -> &mut (), ()>,
        OwnedRwLockMappedWriteGuard::<()>::try_map::<fn(&mut ()) -> Option<&mut ()>, ()>,
        OwnedRwLockMappedWriteGuard::<()>::rwlock,
        RwLockReadGuard::<()>::map::<fn(&()) -> &(), ()>,
        RwLockReadGuard::<()>::try_map::<fn(&()) -> Option<&()>, ()>,
        RwLockWriteGuard::<()>::map::<fn(&mut ()) -> &mut (), ()>,
        RwLockWriteGuard::<()>::downgrade_map::<fn(&()) -> &(), ()>,
        RwLockWriteGuard::<()>::try_map::<fn(&mut ()) -> Option<&mut ()>, ()>,
        RwLockWriteGuard::<()>::try_downgrade_map::<fn(&()) -> Option<&()>, ()>,
        RwLockWriteGuard::<()>::into_mapped,
        RwLockWriteGuard::<()>::downgrade,
        RwLockMappedWriteGuard::<()>::map::<fn(&mut ()) -> &mut (), ()>,
        RwLockMappedWriteGuard::<()>::try_map::<fn(&mut ()) -> Option<&mut ()>, ()>,
    ];
    exist![
        Semaphore::new,
        Semaphore::const_new,
        Semaphore::available_permits,
        Semaphore::add_permits,
        Semaphore::forget_permits,
        Semaphore::acquire,
        Semaphore::acquire_many,
        Semaphore::try_acquire,
        Semaphore::try_acquire_many,
        Semaphore::blocking_acquire,
        Semaphore::blocking_acquire_many,
        Semaphore::acquire_owned,
        Semaphore::acquire_many_owned,
        Semaphore::try_acquire_owned,
        Semaphore::try_acquire_many_owned,
        Semaphore::blocking_acquire_owned,
        Semaphore::blocking_acquire_many_owned,
        Semaphore::close,
        Semaphore::is_closed,
        SemaphorePermit::forget,
        SemaphorePermit::merge,
        SemaphorePermit::split,
        SemaphorePermit::semaphore,
        SemaphorePermit::num_permits,
        OwnedSemaphorePermit::forget,
        OwnedSemaphorePermit::merge,
        OwnedSemaphorePermit::split,
        OwnedSemaphorePermit::semaphore,
        OwnedSemaphorePermit::num_permits,
    ];
    exist![
        SetOnce::<()>::new,
        SetOnce::<()>::const_new,
        SetOnce::<()>::new_with,
        SetOnce::<()>::const_new_with,
        SetOnce::<()>::initialized,
        SetOnce::<()>::get,
        SetOnce::<()>::set,
        SetOnce::<()>::into_inner,
        SetOnce::<()>::wait,
    ];
    exist![
        watch::Ref::<()>::has_changed,
        watch::channel::<()>,
        watch::Receiver::<()>::borrow,
        watch::Receiver::<()>::borrow_and_update,
        watch::Receiver::<()>::has_changed,
        watch::Receiver::<()>::is_closed,
        watch::Receiver::<()>::mark_changed,
        watch::Receiver::<()>::mark_unchanged,
        watch::Receiver::<()>::changed,
        |seen: &'static mut watch::Receiver<()>| watch::Receiver::<()>::wait_for(seen, |()| true),
        watch::Receiver::<()>::same_channel,
        watch::Sender::<()>::new,
        watch::Sender::<()>::send,
        watch::Sender::<()>::send_modify::<fn(&mut ())>,
        watch::Sender::<()>::send_if_modified::<fn(&mut ()) -> bool>,
        watch::Sender::<()>::send_replace,
        watch::Sender::<()>::borrow,
        watch::Sender::<()>::is_closed,
        watch::Sender::<()>::closed,
        watch::Sender::<()>::subscribe,
        watch::Sender::<()>::receiver_count,
        watch::Sender::<()>::sender_count,
        watch::Sender::<()>::same_channel,
    ];
    exist![
        tokio::io::duplex,
        tokio::io::copy::<TcpStream, TcpStream>,
        tokio::io::split::<TcpStream>,
        Interest::is_readable,
        RuntimeFlavor::MultiThread,
        MissedTickBehavior::Burst,
    ];
}

/// Ordinary code that uses the APIs as programs do: arguments, results, conversions, macros.
pub async fn program() -> io::Result<()> {
    fn stream(_: impl AsyncRead + AsyncWrite + Unpin + Send + Sync + 'static) {}
    tokio::task_local! { static NAME: u32; }
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let at = listener.local_addr()?;
    let (accepted, connected) = tokio::join!(listener.accept(), TcpStream::connect(at));
    let (mut accepted, _) = accepted?;
    let (mut reader, mut writer) = connected?.into_split();
    accepted.write_all(b"ping").await?;
    let mut buffer = bytes::BytesMut::with_capacity(9);
    reader.read_buf(&mut buffer).await?;
    writer.shutdown().await?;
    let _: &TcpStream = reader.as_ref();
    let _: &TcpStream = writer.as_ref();
    let connected = reader.reunite(writer).map_err(io::Error::other)?;
    stream(connected);
    stream(accepted);
    let joined: Result<u32, JoinError> = tokio::spawn(NAME.scope(7, async { NAME.get() })).await;
    let _: u32 = joined?;
    let elapsed: Result<(), Elapsed> = tokio::time::timeout(Duration::ZERO, std::future::pending()).await;
    let _: io::Error = elapsed.unwrap_err().into();
    let _: JoinSet<()> = [ready(()), ready(())].into_iter().collect();
    let local = LocalSet::new();
    let value = std::rc::Rc::new(3);
    let same = local.run_until(async move { tokio::task::spawn_local(async move { *value }).await }).await?;
    tokio::pin! { let sleep = tokio::time::sleep(Duration::from_millis(1)); }
    tokio::select! {
        biased;
        () = &mut sleep => {}
        () = std::future::pending() => unreachable!("{same}"),
    }
    Handle::current().spawn_blocking(|| ()).await?;
    shared().await;
    Ok(())
}

/// The same with what tasks share: statics, unsized values, owned guards, errors.
async fn shared() {
    static LOCK: Mutex<Vec<u8>> = Mutex::const_new(vec![]);
    static PERMITS: Semaphore = Semaphore::const_new(1);
    static WOKEN: Notify = Notify::const_new();
    static MADE: OnceCell<u32> = OnceCell::const_new();
    LOCK.lock().await.push(1);
    let all: std::sync::Arc<Mutex<[u8]>> = std::sync::Arc::new(Mutex::new([1, 2]));
    let guard = all.clone().lock_owned().await;
    assert_eq!(
        (std::sync::Arc::strong_count(&all), std::sync::Arc::ptr_eq(OwnedMutexGuard::mutex(&guard), &all)),
        (2, true)
    );
    assert!(all.try_lock().is_err() && all.clone().try_lock_owned().is_err());
    let last = OwnedMutexGuard::map(guard, |all| all.last_mut().unwrap());
    assert_eq!(format!("{last} {last:?} {:?}", Mutex::new(3)), "2 2 Mutex { data: 3 }");
    drop(last);
    assert_eq!(
        MutexGuard::mutex(&all.lock().await).try_lock().map(|_| ()).map_err(|error| error.to_string()).unwrap_err(),
        "operation would block"
    );
    let lock: std::sync::Arc<RwLock<dyn std::any::Any + Send + Sync>> = std::sync::Arc::new(RwLock::new(7u32));
    let (one, other) = (lock.clone().read_owned().await, lock.read().await);
    assert!(lock.try_write().is_err() && other.is::<u32>());
    drop((one, other));
    let read = lock.clone().write_owned().await.downgrade();
    assert!(lock.try_read().is_ok() && OwnedRwLockReadGuard::rwlock(&read).try_write().is_err());
    drop(read);
    let permit = PERMITS.acquire().await.unwrap();
    assert_eq!((PERMITS.available_permits(), PERMITS.try_acquire().is_err()), (0, true));
    // A wait that is given up takes no permit.
    assert!(tokio::time::timeout(Duration::from_millis(1), PERMITS.acquire()).await.is_err());
    drop(permit);
    assert_eq!(PERMITS.available_permits(), 1);
    let owned = std::sync::Arc::new(Semaphore::new(3));
    let mut permits = owned.clone().acquire_many_owned(3).await.unwrap();
    let one = permits.split(1).unwrap();
    assert!(permits.split(3).is_none() && permits.num_permits() == 2);
    permits.merge(one);
    permits.forget();
    assert_eq!((owned.available_permits(), std::sync::Arc::strong_count(&owned)), (0, 1));
    let woken = std::sync::Arc::new(Notify::new()).notified_owned();
    tokio::pin!(woken);
    assert!(!woken.as_mut().enable());
    WOKEN.notify_one();
    WOKEN.notified().await;
    assert_eq!(*MADE.get_or_init(async || 7).await, 7);
    let (requests, mut received) = mpsc::channel(1);
    let permit = requests.clone().reserve_owned().await.unwrap();
    assert_eq!(
        requests.send_timeout(1, Duration::from_millis(1)).await.unwrap_err().to_string(),
        "timed out waiting on send operation"
    );
    drop((permit.send(2), requests));
    assert_eq!((received.recv().await, received.recv().await), (Some(2), None));
    let (reply, answer) = oneshot::channel::<u32>();
    drop(reply);
    assert_eq!(answer.await.unwrap_err().to_string(), "channel closed");
    let (state, mut seen) = watch::channel(0);
    state.send_replace(1);
    assert_eq!(*seen.wait_for(|state| *state == 1).await.unwrap(), 1);
    let (news, mut heard) = broadcast::channel(1);
    let _ = (news.send(1), news.send(2));
    assert!(matches!(heard.recv().await, Err(broadcast::error::RecvError::Lagged(1))));
}

/// Lists the auto traits of a type.
macro_rules! auto {
    ($($type:ty),* $(,)?) => {
        vec![$(Fact(stringify!($type).into(), super::auto_traits!(Probe::<$type>::new()))),*]
    };
}

/// Lists the auto traits of an expression's type; the expression is never evaluated.
macro_rules! auto_of {
    ($($value:expr),* $(,)?) => {
        vec![$(Fact(stringify!($value).into(), super::auto_traits!(probe(|| $value)))),*]
    };
}

/// Returns the auto traits of types and futures.
#[allow(unreachable_code)]
pub fn auto_traits() -> Vec<Fact> {
    let mut facts = auto![
        TcpStream,
        TcpListener,
        TcpSocket,
        UdpSocket,
        ReadHalf<'static>,
        WriteHalf<'static>,
        OwnedReadHalf,
        OwnedWriteHalf,
        ReuniteError,
        UnixDatagram,
        UnixStream,
        UnixListener,
        UnixSocket,
        unix::SocketAddr,
        unix::UCred,
        unix::ReadHalf<'static>,
        unix::WriteHalf<'static>,
        unix::OwnedReadHalf,
        unix::OwnedWriteHalf,
        unix::ReuniteError,
        Sleep,
        Interval,
        Timeout<Ready<()>>,
        Instant,
        Elapsed,
        JoinHandle<()>,
        JoinHandle<*const ()>,
        AbortHandle,
        JoinError,
        JoinSet<()>,
        JoinSet<*const ()>,
        LocalSet,
        LocalEnterGuard,
        Id,
        Handle,
        EnterGuard<'static>,
        TryCurrentError,
        Runtime,
        Signal,
        SignalKind,
    ];
    facts.extend(auto![
        Mutex<()>,
        Mutex<*const ()>,
        MutexGuard<'static, ()>,
        MutexGuard<'static, std::cell::Cell<()>>,
        OwnedMutexGuard<()>,
        OwnedMutexGuard<std::cell::Cell<()>>,
        MappedMutexGuard<'static, ()>,
        OwnedMappedMutexGuard<()>,
        RwLock<()>,
        RwLock<std::cell::Cell<()>>,
        RwLockReadGuard<'static, ()>,
        RwLockReadGuard<'static, std::cell::Cell<()>>,
        RwLockWriteGuard<'static, ()>,
        RwLockMappedWriteGuard<'static, ()>,
        OwnedRwLockReadGuard<()>,
        OwnedRwLockWriteGuard<()>,
        OwnedRwLockMappedWriteGuard<()>,
        Semaphore,
        SemaphorePermit<'static>,
        OwnedSemaphorePermit,
        Notify,
        Notified<'static>,
        OwnedNotified,
        Barrier,
        OnceCell<()>,
        OnceCell<std::cell::Cell<()>>,
        SetOnce<()>,
        mpsc::Sender<()>,
        mpsc::Sender<*const ()>,
        mpsc::Receiver<()>,
        mpsc::Receiver<*const ()>,
        mpsc::WeakSender<()>,
        mpsc::OwnedPermit<()>,
        mpsc::UnboundedSender<()>,
        mpsc::UnboundedReceiver<()>,
        oneshot::Sender<()>,
        oneshot::Receiver<()>,
        oneshot::Receiver<*const ()>,
        broadcast::Sender<()>,
        broadcast::Receiver<()>,
        broadcast::WeakSender<()>,
        watch::Sender<()>,
        watch::Receiver<()>,
        watch::Receiver<std::cell::Cell<()>>,
    ]);
    let never = || -> Infallible { unreachable!("it is never run") };
    macro_rules! any {
        () => {
            match never() {}
        };
    }
    facts.extend(auto_of![
        TcpStream::connect("x"),
        TcpListener::bind("x"),
        TcpListener::accept(any!()),
        TcpSocket::connect(any!(), any!()),
        TcpStream::peek(any!(), any!()),
        TcpStream::ready(any!(), any!()),
        TcpStream::readable(any!()),
        UnixStream::connect("x"),
        UnixDatagram::send(any!(), any!()),
        UnixDatagram::recv_from(any!(), any!()),
        UnixListener::accept(any!()),
        UnixSocket::connect(any!(), "x"),
        UnixStream::readable(any!()),
        UdpSocket::bind("x"),
        UdpSocket::recv_from(any!(), any!()),
        UdpSocket::send_to(any!(), any!(), "x"),
        lookup_host("x"),
        tokio::time::sleep(any!()),
        tokio::time::timeout(any!(), ready(())),
        Interval::tick(any!()),
        JoinSet::<()>::join_next(any!()),
        JoinSet::<()>::shutdown(any!()),
        LocalSet::run_until(any!(), ready(())),
        tokio::task::yield_now(),
        tokio::signal::ctrl_c(),
        Signal::recv(any!()),
        Mutex::<()>::lock(any!()),
        Mutex::<()>::lock_owned(any!()),
        RwLock::<()>::read(any!()),
        RwLock::<()>::write_owned(any!()),
        Semaphore::acquire(any!()),
        Semaphore::acquire_owned(any!()),
        Barrier::wait(any!()),
        OnceCell::<()>::get_or_init(any!(), || ready(())),
        SetOnce::<()>::wait(any!()),
        mpsc::Sender::<()>::send(any!(), ()),
        mpsc::Sender::<()>::reserve_owned(any!()),
        mpsc::Receiver::<()>::recv(any!()),
        mpsc::UnboundedReceiver::<()>::recv(any!()),
        oneshot::Sender::<()>::closed(any!()),
        broadcast::Receiver::<()>::recv(any!()),
        watch::Receiver::<()>::changed(any!()),
        watch::Sender::<()>::closed(any!()),
    ]);
    facts
}

/// Checks that a type lacks a function: the trait's function is found where the type has none of its own.
macro_rules! absent {
    ($($type:ident: $($name:ident),*;)*) => {{
        let mut facts = vec![];
        $({
            #[allow(dead_code)]
            trait Fallback {
                $(fn $name() -> Absent {
                    Absent
                })*
            }
            impl Fallback for $type {}
            $(facts.push(Fact(
                concat!(stringify!($type), "::", stringify!($name)).into(),
                super::whether_absent(&<$type>::$name),
            ));)*
        })*
        facts
    }};
}

/// Returns what the simulated one omits on purpose; the reasons are in the test.
pub fn absences() -> Vec<Fact> {
    absent! {
        TcpSocket: tclass_v6, set_tclass_v6;
        UdpSocket: multicast_loop_v4, set_multicast_loop_v4, multicast_ttl_v4, set_multicast_ttl_v4, multicast_loop_v6,
            set_multicast_loop_v6, tclass_v6, set_tclass_v6, join_multicast_v4, join_multicast_v6, leave_multicast_v4,
            leave_multicast_v6;
        Handle: metrics, id, name;
        Runtime: metrics;
    }
}
