//! One small client-server exchange a crate, on a network that fails. Each crate is the registry's, unmodified.

mod async_nats;
mod async_tungstenite;
mod axum;
mod bb8;
mod deadpool;
mod defects;
mod elasticsearch;
mod fred;
mod h2;
mod hickory_resolver;
mod hyper;
mod hyper_rustls;
mod hyper_util;
mod jsonrpsee;
mod lettre;
mod mobc;
mod poem;
mod quinn;
mod redis;
mod reqwest;
mod rumqttc;
mod sqlx;
mod tarpc;
mod tokio_itself;
mod tokio_postgres;
mod tokio_rustls;
mod tokio_socks;
mod tokio_stream;
mod tokio_tungstenite;
mod tokio_util;
mod tonic;
mod tower;
mod tower_http;
mod warp;

use refrain::{Faults, World};
use std::{error::Error, future::Future, io, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

/// What an exchange ends with.
type Done = Result<(), Box<dyn Error + Send + Sync>>;

/// How long a client waits for the whole of its exchange.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a server waits when it cannot accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Lets `ask` talk to `serve` while the network fails, and once more after it has healed: then it must succeed.
async fn exchange<S, Served, A, Asked>(world: World, serve: S, ask: A)
where
    S: Fn() -> Served + Send + Sync + 'static,
    Served: Future<Output = Done> + 'static,
    A: Fn() -> Asked,
    Asked: Future<Output = Done> + Send + 'static,
{
    world.host("server", serve);
    let client = world.client("client");
    world.faults(Faults::between("server", "client").all());
    let _ = client.run(timeout(PATIENCE, ask())).await;
    world.heal().await;
    world
        .eventually(Duration::from_secs(60), "an answer comes", || async {
            timeout(PATIENCE, client.run(ask()))
                .await
                .map_err(|_| "no answer".to_owned())?
                .map_err(|error| error.to_string())
        })
        .await;
}

/// Accepts on a port, as a server does that outlives a failed accept, and answers each connection in a task.
async fn accept<F>(port: u16, answer: fn(TcpStream) -> F) -> Done
where
    F: Future<Output = Done> + Send + 'static,
{
    let listener = TcpListener::bind(("0.0.0.0", port)).await?;
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // What becomes of one connection is its client's affair.
        tokio::spawn(async move { answer(stream).await.is_ok() });
    }
}

/// Demands that two things are the same, as an error and no panic: a fault may have come between.
fn expect<T: PartialEq<U> + std::fmt::Debug, U: std::fmt::Debug>(got: T, expected: U) -> Done {
    match got == expected {
        true => Ok(()),
        false => Err(io::Error::other(format!("{got:?} came, not {expected:?}")).into()),
    }
}
