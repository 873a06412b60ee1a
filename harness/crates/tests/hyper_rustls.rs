//! `hyper-rustls`: HTTPS by the connector of hyper's client.

use super::{Done, exchange, expect, tokio_rustls::configs};
use ::hyper_rustls::HttpsConnectorBuilder;
use ::tokio_rustls::{
    TlsAcceptor,
    rustls::{ClientConfig, ServerConfig},
};
use http_body_util::{BodyExt, Empty, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    server,
    service::service_fn,
};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioIo},
};
use refrain::World;
use std::{convert::Infallible, sync::Arc};
use tokio::{net::TcpListener, time::sleep};

async fn hello(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new("hello".into())))
}

async fn serve(config: Arc<ServerConfig>) -> Done {
    let acceptor = TlsAcceptor::from(config);
    let listener = TcpListener::bind("0.0.0.0:443").await?;
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(super::ACCEPT_PAUSE).await;
            continue;
        };
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            let stream = acceptor.accept(stream).await.map_err(|error| error.to_string())?;
            let served =
                server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(hello)).await;
            served.map_err(|error| error.to_string())
        });
    }
}

async fn ask(config: ClientConfig) -> Done {
    let connector = HttpsConnectorBuilder::new().with_tls_config(config).https_only().enable_http1().build();
    let client = Client::builder(TokioExecutor::new()).build::<_, Empty<Bytes>>(connector);
    let response = client.get("https://server/".parse()?).await?;
    expect(response.into_body().collect().await?.to_bytes(), "hello")
}

#[refrain::test(runs = 50)]
async fn hyper_rustls_answers(world: World) {
    let (server, client) = configs().expect("a certificate can be made");
    exchange(world, move || serve(server.clone()), move || ask((*client).clone())).await;
}
