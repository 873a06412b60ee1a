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
    sync::{Barrier, Mutex, Notify, OnceCell, RwLock, Semaphore, broadcast, mpsc, oneshot, watch},
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
    exist![
        mpsc::channel::<()>,
        oneshot::channel::<()>,
        broadcast::channel::<()>,
        watch::channel::<()>,
        Mutex::<()>::new,
        RwLock::<()>::new,
        Notify::new,
        Semaphore::new,
        Barrier::new,
        OnceCell::<()>::new,
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
    Ok(())
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
