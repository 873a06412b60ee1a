//! `tarpc`: calls of a service's methods.

use super::{Done, exchange, expect};
use ::tarpc::{
    client, context,
    serde_transport::tcp,
    server::{BaseChannel, Channel},
    tokio_serde::formats::Json,
};
use futures_util::StreamExt;
use refrain::World;

#[::tarpc::service]
trait Greeter {
    async fn greet(name: String) -> String;
}

#[derive(Clone)]
struct Polite;

impl Greeter for Polite {
    async fn greet(self, _: context::Context, name: String) -> String {
        format!("hello {name}")
    }
}

async fn serve() -> Done {
    let mut connections = tcp::listen("0.0.0.0:7", Json::default).await?;
    while let Some(connection) = connections.next().await {
        let Ok(transport) = connection else {
            tokio::time::sleep(super::ACCEPT_PAUSE).await;
            continue;
        };
        tokio::spawn(BaseChannel::with_defaults(transport).execute(Polite.serve()).for_each(|answers| async {
            tokio::spawn(answers);
        }));
    }
    Ok(())
}

async fn ask() -> Done {
    let transport = tcp::connect("server:7", Json::default).await?;
    let client = GreeterClient::new(client::Config::default(), transport).spawn();
    expect(client.greet(context::current(), "client".into()).await?, "hello client")
}

#[refrain::test(runs = 50)]
async fn tarpc_answers(world: World) {
    exchange(world, serve, ask).await;
}
