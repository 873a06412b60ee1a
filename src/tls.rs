//! TLS 1.3 over a connection: the handshakes of both ends, within a time limit.
//!
//! Sessions are not resumed: a link lasts, and a client's next connection is its next question. So no ticket is sent
//! that a peer would leave unread, which would reset the connection at its end.

use crate::credentials::{Credentials, Own};
use crate::error::ChannelError;
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::version::TLS13;
use rustls::{CipherSuite, ClientConfig, ServerConfig};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

/// Time limit of a handshake.
pub const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);

/// The accepting end. Cheap to clone.
#[derive(Clone)]
pub struct Acceptor(TlsAcceptor);

/// The dialling end, which expects a name in the certificate of the other one. Cheap to clone.
#[derive(Clone)]
pub struct Dialler {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Acceptor {
    /// Shows the own certificate. A peer may show one of the CA, or none.
    ///
    /// # Errors
    /// If there is no own certificate, or it does not belong to the key.
    pub fn new(credentials: &Credentials) -> Result<Self, rustls::Error> {
        let Some(Own { chain, key }) = &credentials.own else {
            return Err(rustls::Error::General("there is no own certificate".to_owned()));
        };
        let peers =
            WebPkiClientVerifier::builder_with_provider(credentials.roots()?, provider()).allow_unauthenticated();
        let peers = peers.build().map_err(|error| rustls::Error::General(error.to_string()))?;
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])?
            .with_client_cert_verifier(peers)
            .with_single_cert(chain.clone(), key.clone_key())?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    /// Performs the handshake; returns the certificate that the peer has proven to have.
    ///
    /// # Errors
    /// [`ChannelError::Tls`] if the peer does not take part as it should, or in time.
    pub async fn accept(
        &self,
        stream: TcpStream,
    ) -> Result<(server::TlsStream<TcpStream>, Option<CertificateDer<'static>>), ChannelError> {
        let stream = in_time(self.0.accept(stream)).await?;
        let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
        let certificate = certificate.map(|certificate| certificate.clone().into_owned());
        Ok((stream, certificate))
    }
}

impl Dialler {
    /// Expects `name` in the peer's certificate, and shows the own one, if there is one.
    ///
    /// # Errors
    /// If the own certificate does not belong to the key, or `name` is no name.
    pub fn new(credentials: &Credentials, name: &str) -> Result<Self, rustls::Error> {
        let config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])?
            .with_root_certificates(credentials.roots()?);
        let mut config = match &credentials.own {
            Some(Own { chain, key }) => config.with_client_auth_cert(chain.clone(), key.clone_key())?,
            None => config.with_no_client_auth(),
        };
        config.resumption = Resumption::disabled();
        let name = ServerName::try_from(name.to_owned())
            .map_err(|_| rustls::Error::General(format!("`{name}` is no name that a certificate may have")))?;
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }

    /// Performs the handshake; returns the certificate of the peer, which has the name.
    ///
    /// # Errors
    /// [`ChannelError::Tls`] if the peer does not take part as it should, or in time.
    pub async fn connect(
        &self,
        stream: TcpStream,
    ) -> Result<(client::TlsStream<TcpStream>, Option<CertificateDer<'static>>), ChannelError> {
        let stream = in_time(self.connector.connect(self.name.clone(), stream)).await?;
        let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
        let certificate = certificate.map(|certificate| certificate.clone().into_owned());
        Ok((stream, certificate))
    }
}

async fn in_time<T>(handshake: impl Future<Output = io::Result<T>>) -> Result<T, ChannelError> {
    match timeout(HANDSHAKE_LIMIT, handshake).await {
        Ok(shaken) => shaken.map_err(ChannelError::from_tls),
        Err(_) => Err(ChannelError::SlowHandshake { limit_secs: HANDSHAKE_LIMIT.as_secs() }),
    }
}

/// Returns ring's algorithms. SHA-256 is preferred to SHA-384, which few processors have instructions for: a handshake hashes more
/// than it encrypts.
fn provider() -> Arc<CryptoProvider> {
    let mut provider = ring::default_provider();
    provider.cipher_suites.sort_by_key(|suite| suite.suite() != CipherSuite::TLS13_AES_128_GCM_SHA256);
    Arc::new(provider)
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Acceptor(..)")
    }
}

impl fmt::Debug for Dialler {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Dialler").field("name", &self.name).finish_non_exhaustive()
    }
}
