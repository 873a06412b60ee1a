//! `jsonrpsee`: calls by JSON over HTTP and over a websocket.

use super::{Done, exchange, expect};
use ::jsonrpsee::{
    core::client::ClientT,
    http_client::HttpClient,
    rpc_params,
    server::{RpcModule, ServerBuilder},
    ws_client::WsClientBuilder,
};
use refrain::World;

async fn serve() -> Done {
    let mut methods = RpcModule::new(());
    methods.register_method("greet", |params, _, _| params.one::<String>().map(|name| format!("hello {name}")))?;
    ServerBuilder::default().build("0.0.0.0:80").await?.start(methods).stopped().await;
    Ok(())
}

async fn ask() -> Done {
    let http = HttpClient::builder().build("http://server:80")?;
    expect(http.request::<String, _>("greet", rpc_params!["client"]).await?, "hello client")?;
    let socket = WsClientBuilder::default().build("ws://server:80").await?;
    expect(socket.request::<String, _>("greet", rpc_params!["client"]).await?, "hello client")
}

#[refrain::test(runs = 50)]
async fn jsonrpsee_answers(world: World) {
    exchange(world, serve, ask).await;
}
