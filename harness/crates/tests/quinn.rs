//! `quinn`: a stream of QUIC, whose datagrams go by the descriptor of a UDP socket.

use super::{Done, exchange, expect, tokio_rustls::certificate};
use ::quinn::{ClientConfig, Endpoint, ServerConfig, crypto::rustls::QuicClientConfig};
use ::tokio_rustls::rustls;
use refrain::World;
use std::{net::Ipv4Addr, sync::Arc};

fn configs() -> Result<(ServerConfig, ClientConfig), Box<dyn std::error::Error + Send + Sync>> {
    let (chain, key) = certificate()?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(chain[0].clone())?;
    let server = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let server = ServerConfig::with_crypto(Arc::new(::quinn::crypto::rustls::QuicServerConfig::try_from(server)?));
    Ok((server, ClientConfig::new(Arc::new(QuicClientConfig::try_from(client)?))))
}

async fn serve(config: ServerConfig) -> Done {
    let endpoint = Endpoint::server(config, (Ipv4Addr::UNSPECIFIED, 443).into())?;
    while let Some(incoming) = endpoint.accept().await {
        tokio::spawn(async move {
            let connection = incoming.await?;
            let (mut send, mut receive) = connection.accept_bi().await?;
            let word = receive.read_to_end(100).await?;
            send.write_all(&word).await?;
            send.finish()?;
            connection.closed().await;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        });
    }
    Ok(())
}

async fn ask(config: ClientConfig) -> Done {
    let mut endpoint = Endpoint::client((Ipv4Addr::UNSPECIFIED, 0).into())?;
    endpoint.set_default_client_config(config);
    let at = tokio::net::lookup_host("server:443").await?.next().ok_or("no address")?;
    let connection = endpoint.connect(at, "server")?.await?;
    let (mut send, mut receive) = connection.open_bi().await?;
    send.write_all(b"hello").await?;
    send.finish()?;
    let answer = receive.read_to_end(100).await?;
    connection.close(0u32.into(), b"");
    expect(answer, b"hello".to_vec())
}

#[refrain::test(runs = 50)]
async fn quinn_answers(world: World) {
    let (server, client) = configs().expect("a certificate can be made");
    exchange(world, move || serve(server.clone()), move || ask(client.clone())).await;
}
