//! A host that dies during an operation: none of its code runs afterwards.

use crate::driver::Started;
use refrain::{
    Faults, World,
    event::{Event, Kind},
};
use std::{
    future::{Future, pending, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::Poll,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::sleep,
};

/// Acknowledges a request before it is written to disk.
async fn acknowledges_too_early(disk: Arc<Mutex<u32>>) -> std::io::Result<()> {
    let listener = TcpListener::bind("0.0.0.0:80").await?;
    loop {
        let Ok((mut stream, _)) = listener.accept().await else { continue };
        let disk = disk.clone();
        tokio::spawn(async move {
            while stream.read_u8().await.is_ok() {
                stream.write_all(b"x").await?;
                *disk.lock().unwrap() += 1;
            }
            std::io::Result::Ok(())
        });
    }
}

/// Sends `requests` requests, and counts the responses.
async fn asks(requests: usize) -> u32 {
    let Ok(mut stream) = TcpStream::connect("server:80").await else { return 0 };
    let mut answers = 0;
    for _ in 0..requests {
        if stream.write_u8(1).await.is_err() || stream.read_u8().await.is_err() {
            break;
        }
        answers += 1;
    }
    answers
}

async fn every_answer_is_on_the_disk(world: World, faults: Faults) {
    let disk = Arc::new(Mutex::new(0));
    let kept = disk.clone();
    world.host("server", move || acknowledges_too_early(kept.clone()));
    let client = world.client("client");
    world.faults(faults);
    let answers = client.run(async { tokio::time::timeout(Duration::from_secs(60), asks(3)).await.unwrap_or(0) }).await;
    assert!(*disk.lock().unwrap() >= answers, "an answer is on the disk");
}

#[refrain::test(runs = 3000, expect = "panic")]
async fn an_early_acknowledgement_is_found_by_crashes(world: World) {
    every_answer_is_on_the_disk(world, Faults::between("server", "client").crashes()).await;
}

#[refrain::test(runs = 3000, expect = "panic")]
async fn an_early_acknowledgement_is_found_by_kills(world: World) {
    every_answer_is_on_the_disk(world, Faults::between("server", "client").kills()).await;
}

/// Counts what runs after the end of a process.
#[derive(Clone, Default)]
struct Ran(Arc<AtomicUsize>);

impl Ran {
    fn once(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// Returns a guard that counts when it is dropped.
    fn guard(&self) -> Guard {
        Guard(self.clone())
    }
}

struct Guard(Ran);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.once();
    }
}

/// Runs a process that dies of `fault` at its first write to the client; returns how much of it ran after that.
async fn ran_after<F, Fut>(world: World, fault: &str, process: F) -> usize
where
    F: Fn(TcpStream, Ran) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = ()> + 'static,
{
    let ran = Ran::default();
    let counts = ran.clone();
    world.host("server", move || {
        let counts = counts.clone();
        async move {
            let listener = TcpListener::bind("0.0.0.0:80").await?;
            let (stream, _) = listener.accept().await?;
            process(stream, counts).await;
            pending::<std::io::Result<()>>().await
        }
    });
    let client = world.client("client");
    world.fault(format!("{fault} server when server -> client makes its 1st write"));
    client
        .run(async {
            let mut stream = TcpStream::connect("server:80").await.unwrap();
            assert_eq!(stream.read_u8().await.unwrap(), b'x', "what was written before is on its way");
            sleep(Duration::from_secs(10)).await;
        })
        .await;
    ran.0.load(Relaxed)
}

/// Defines one test for each way to die.
macro_rules! nothing_runs_after {
    ($($name:ident: $process:expr),* $(,)?) => {
        mod crashed {
            use super::*;
            $(
                #[refrain::test(runs = 20)]
                async fn $name(world: World) {
                    assert_eq!(ran_after(world, "crash", $process).await, 0);
                }
            )*
        }

        mod killed {
            use super::*;
            $(
                #[refrain::test(runs = 20)]
                async fn $name(world: World) {
                    assert_eq!(ran_after(world, "kill", $process).await, 0);
                }
            )*
        }
    };
}

nothing_runs_after! {
    code_after_the_operation: |mut stream: TcpStream, ran: Ran| async move {
        let _ = stream.write_all(b"x").await;
        ran.once();
    },
    code_after_an_operation_without_await: |stream: TcpStream, ran: Ran| async move {
        stream.writable().await.unwrap();
        let _ = stream.try_write(b"x");
        ran.once();
    },
    other_branches_of_a_join: |mut stream: TcpStream, ran: Ran| async move {
        tokio::join!(
            async { stream.write_all(b"x").await.unwrap() },
            async { ran.once() },
        );
    },
    code_around_the_poll: |mut stream: TcpStream, ran: Ran| async move {
        let mut write = Box::pin(async move { stream.write_all(b"x").await });
        poll_fn(move |cx| {
            let _ = write.as_mut().poll(cx);
            ran.once();
            Poll::<()>::Pending
        })
        .await
    },
    destructors_of_the_poll: |mut stream: TcpStream, ran: Ran| async move {
        let _guard = ran.guard();
        stream.write_all(b"x").await.unwrap();
    },
    destructors_of_other_tasks: |mut stream: TcpStream, ran: Ran| async move {
        tokio::spawn(async move {
            let _guard = ran.guard();
            pending::<()>().await
        });
        tokio::task::yield_now().await;
        sleep(Duration::from_millis(1)).await;
        stream.write_all(b"x").await.unwrap();
    },
    code_that_catches_panics: |stream: TcpStream, ran: Ran| async move {
        stream.writable().await.unwrap();
        let _ = catch_unwind(AssertUnwindSafe(|| stream.try_write(b"x")));
        ran.once();
    },
    a_task_of_a_local_set: |mut stream: TcpStream, ran: Ran| async move {
        let local = tokio::task::LocalSet::new();
        let inner = ran.clone();
        local.spawn_local(async move {
            let _ = stream.write_all(b"x").await;
            inner.once();
        });
        let mut local = Box::pin(local);
        poll_fn(move |cx| {
            let polled = local.as_mut().poll(cx);
            if ran.0.load(Relaxed) > 0 || polled.is_ready() {
                ran.once();
            }
            polled
        })
        .await
    },
    a_task_that_is_woken: |mut stream: TcpStream, ran: Ran| async move {
        let (tell, told) = tokio::sync::oneshot::channel::<Guard>();
        let other = ran.clone();
        tokio::spawn(async move {
            let _ = told.await;
            other.once();
        });
        sleep(Duration::from_millis(1)).await;
        let guard = ran.guard();
        tokio::join!(async move { stream.write_all(b"x").await.unwrap() }, async move { drop(tell.send(guard)) });
    },
}

#[test]
fn the_timeline_shows_nothing_of_a_host_after_its_end() {
    for test in ["crashed::code_after_the_operation", "killed::code_after_the_operation"] {
        let mut worker = Started::worker(&format!("verdicts::dead_hosts::{test}"));
        for seed in 0..10 {
            let ran = worker.record(serde_json::json!({ "seed": seed }));
            let events: Vec<Event> = serde_json::from_value(ran["events"].clone()).unwrap();
            let is_end = |event: &Event| matches!(event.kind, Kind::FaultBegins(_));
            let end = events.iter().position(is_end).expect("the fault began");
            let after: Vec<_> =
                events[end + 1..].iter().filter(|event| event.host == "server" && event.task.is_some()).collect();
            assert!(after.is_empty(), "{after:#?}");
        }
    }
}
