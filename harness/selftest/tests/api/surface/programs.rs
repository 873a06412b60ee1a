// Programs that use the APIs as services do.

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
