//! `tower`: retries of what is not idempotent.

use super::{Done, PATIENCE, Uses, accept};
use ::tower::{Service, ServiceBuilder, ServiceExt, retry::Policy, service_fn};
use refrain::{Faults, World};
use std::{
    collections::BTreeSet,
    future::{Ready, ready},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// What the server has on its disk: a run is a process of its own.
static BALANCE: AtomicU64 = AtomicU64::new(0);
static SEEN: Mutex<BTreeSet<u64>> = Mutex::new(BTreeSet::new());

/// Deposits one each time that it is asked with a number; with `Uses::Right` that number is new.
async fn deposit(mut stream: TcpStream, uses: Uses) -> Done {
    let number = stream.read_u64().await?;
    let is_new = SEEN.lock().map_err(|_| "poisoned")?.insert(number);
    if is_new || uses == Uses::Wrong {
        BALANCE.fetch_add(1, SeqCst);
    }
    stream.write_u8(1).await?;
    Ok(())
}

async fn ask(number: u64) -> Done {
    let mut stream = TcpStream::connect("server:7").await?;
    stream.write_u64(number).await?;
    stream.read_u8().await?;
    Ok(())
}

/// Tries again so often.
#[derive(Clone)]
struct Attempts(u8);

impl Policy<u64, (), Box<dyn std::error::Error + Send + Sync>> for Attempts {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _: &mut u64,
        result: &mut Result<(), Box<dyn std::error::Error + Send + Sync>>,
    ) -> Option<Ready<()>> {
        self.0 = self.0.checked_sub(1)?;
        result.is_err().then(|| ready(()))
    }

    fn clone_request(&mut self, number: &u64) -> Option<u64> {
        Some(*number)
    }
}

async fn test(world: World, uses: Uses) {
    drop(match uses {
        Uses::Wrong => world.host("server", || accept(7, |stream| deposit(stream, Uses::Wrong))),
        Uses::Right => world.host("server", || accept(7, |stream| deposit(stream, Uses::Right))),
    });
    let client = world.client("client");
    world.faults(Faults::between("server", "client").all());
    let asked = client.run(async {
        let mut service = ServiceBuilder::new().retry(Attempts(3)).timeout(PATIENCE).service(service_fn(ask));
        for number in 0..5 {
            let _ = service.ready().await?.call(number).await;
        }
        Done::Ok(())
    });
    asked.await.unwrap();
    world.heal().await;
    let balance = BALANCE.load(SeqCst);
    assert!(balance <= 5, "{balance} were deposited, and 5 were asked for");
}

/// The server has done what it was asked, its answer is lost, and a retry does it again.
#[refrain::test(runs = 200, expect = "panic")]
async fn a_retry_deposits_twice(world: World) {
    test(world, Uses::Wrong).await;
}

#[refrain::test(runs = 100)]
async fn a_retry_with_its_number_deposits_once(world: World) {
    test(world, Uses::Right).await;
}
