//! Services that use a crate in a way which fails on a bad network, and the same ones repaired. What is wrong is the use, not the crate.
//!
//! Each defect is caught, shrunk and saved in `traces/`. Those traces are what `ci/replays --crates` replays.

mod bb8;
mod deadpool;
mod hyper_util;
mod redis;
mod rumqttc;
mod tokio_postgres;
mod tokio_tungstenite;
mod tonic;
mod tower;

use super::{Done, accept, expect, tokio_itself};
use refrain::{Faults, World};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::time::{sleep, timeout};

/// How long a repaired service waits for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a service works.
const PERIOD: Duration = Duration::from_secs(1);
/// How long the network may fail.
const FAILS_FOR: Duration = Duration::from_secs(10);
/// How soon after that the service works again.
const BOUND: Duration = Duration::from_secs(60);

/// Whether a service has its defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Uses {
    Wrong,
    Right,
}

/// How often a service has done its work.
#[derive(Debug, Clone, Default)]
struct Work(Arc<AtomicU64>);

impl Work {
    fn is_done(&self) {
        self.0.fetch_add(1, SeqCst);
    }

    fn times(&self) -> u64 {
        self.0.load(SeqCst)
    }
}

/// Lets a service work for ever, with a server, while the network between them fails. Once it has healed, the work must go on.
async fn goes_on<S, Served, W, Working>(world: World, serve: S, work: W)
where
    S: Fn() -> Served + Send + Sync + 'static,
    Served: Future<Output = Done> + 'static,
    W: Fn(Work) -> Working + Send + Sync + 'static,
    Working: Future<Output = Done> + 'static,
{
    let done = Work::default();
    world.host("server", serve);
    world.host("client", {
        let done = done.clone();
        move || work(done.clone())
    });
    world.faults(Faults::between("server", "client").all());
    sleep(FAILS_FOR).await;
    world.heal().await;
    let before = done.times();
    world
        .eventually(BOUND, "the client works again", || async {
            match done.times() > before + 1 {
                true => Ok(()),
                false => Err("it has not worked since"),
            }
        })
        .await;
}

/// Does something every second, whatever comes of it, and counts how often it was done.
async fn regularly(done: Work, job: impl AsyncFnMut() -> Done) -> Done {
    often(done, PERIOD, job).await
}

/// The same in other periods.
async fn often(done: Work, period: Duration, mut job: impl AsyncFnMut() -> Done) -> Done {
    loop {
        if job().await.is_ok() {
            done.is_done();
        }
        sleep(period).await;
    }
}

/// Waits for something as long as one has to, or for ever.
async fn answered<T>(uses: Uses, answer: impl Future<Output = T>) -> Result<T, tokio::time::error::Elapsed> {
    match uses {
        Uses::Wrong => Ok(answer.await),
        Uses::Right => timeout(PATIENCE, answer).await,
    }
}
