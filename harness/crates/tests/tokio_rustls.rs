//! `tokio-rustls`, with ring: a certificate that is made in each run, from the chance of its plan.

use super::{Done, exchange, expect};
use ::tokio_rustls::{
    TlsAcceptor, TlsConnector,
    rustls::{
        ClientConfig, RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer},
    },
};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use refrain::World;
use std::{error::Error, sync::Arc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::sleep,
};

type Configs = (Arc<ServerConfig>, Arc<ClientConfig>);

/// A certificate for the name `server`, and its key.
pub fn certificate() -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Box<dyn Error + Send + Sync>> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["server".to_owned()])?;
    Ok((vec![cert.der().clone()], PrivateKeyDer::try_from(signing_key.serialize_der())?))
}

/// A server with such a certificate, and a client that trusts it.
pub fn configs() -> Result<Configs, Box<dyn Error + Send + Sync>> {
    let (chain, key) = certificate()?;
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(chain[0].clone())?;
    let server = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok((Arc::new(server), Arc::new(client)))
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
            let mut stream = acceptor.accept(stream).await?;
            let mut word = [0; 5];
            stream.read_exact(&mut word).await?;
            stream.write_all(&word).await?;
            stream.shutdown().await
        });
    }
}

async fn ask(config: Arc<ClientConfig>) -> Done {
    let stream = TcpStream::connect("server:443").await?;
    let mut stream = TlsConnector::from(config).connect("server".try_into()?, stream).await?;
    stream.write_all(b"hello").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    expect(answer, "hello")
}

#[refrain::test(runs = 50)]
async fn tokio_rustls_answers(world: World) {
    let (server, client) = configs().expect("a certificate can be made");
    exchange(world, move || serve(server.clone()), move || ask(client.clone())).await;
}
