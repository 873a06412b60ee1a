// The auto traits of every type and future.

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
