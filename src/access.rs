//! Who may enter: which peer is the other side, which clients may ask, and what proves it.

mod current;
mod identity;
mod tokens;

pub use current::{Current, Source};
pub use identity::Identity;
pub use tokens::Tokens;

pub(crate) use identity::hex;

use crate::answer::{Answer, Code, Refusal};
use crate::credentials::{Credentials, names_of};
use crate::secret::Secret;
use crate::tls::{Acceptor, Dialler};
use rustls::pki_types::CertificateDer;
use std::net::SocketAddr;

/// Who may enter, as of one reading of the settings.
#[derive(Debug, Clone)]
pub struct Access {
    tls: Option<Tls>,
    tokens: Tokens,
    revoked: Vec<String>,
}

#[derive(Debug, Clone)]
struct Tls {
    acceptor: Acceptor,
    dialler: Dialler,
    /// The name in the certificate of the other side.
    peer: String,
}

/// The other end of a connection that was accepted.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// What its certificate proves, if it has shown one.
    pub identity: Option<Identity>,
}

/// An answer of the other side, and who gave it.
#[derive(Debug, Clone)]
pub struct Attributed {
    /// The answer.
    pub answer: Answer,
    /// The identity of the other side on the link that it came over.
    pub by: Identity,
}

impl Access {
    /// Lets every program of this machine in, and nobody else: the daemon has no credentials, so it listens on loopback.
    pub fn loopback() -> Self {
        Self { tls: None, tokens: Tokens::default(), revoked: Vec::new() }
    }

    /// Talks TLS with everybody. `peer` is the name in the certificate of the other side.
    ///
    /// # Errors
    /// If there is no own certificate, it does not belong to the key, or `peer` is no name.
    pub fn secured(credentials: &Credentials, peer: &str) -> Result<Self, rustls::Error> {
        let (acceptor, dialler) = (Acceptor::new(credentials)?, Dialler::new(credentials, peer)?);
        Ok(Self { tls: Some(Tls { acceptor, dialler, peer: peer.to_owned() }), ..Self::loopback() })
    }

    /// Sets the tokens by which clients without a certificate may ask.
    pub fn with_tokens(self, tokens: Tokens) -> Self {
        Self { tokens, ..self }
    }

    /// Sets the identities that are no longer accepted, by name or fingerprint.
    pub fn with_revoked(self, revoked: Vec<String>) -> Self {
        Self { revoked, ..self }
    }

    /// Returns what accepts TLS connections; without it connections are not encrypted.
    pub(crate) fn acceptor(&self) -> Option<&Acceptor> {
        self.tls.as_ref().map(|tls| &tls.acceptor)
    }

    /// Returns what dials the other side.
    pub(crate) fn dialler(&self) -> Option<&Dialler> {
        self.tls.as_ref().map(|tls| &tls.dialler)
    }

    /// Returns whether connections are encrypted, and both ends prove who they are.
    pub fn is_secured(&self) -> bool {
        self.tls.is_some()
    }

    /// Returns who the peer is, from the certificate that the handshake has verified.
    pub(crate) fn identify(&self, certificate: Option<&CertificateDer<'_>>) -> Option<Identity> {
        let certificate = certificate?;
        let names = names_of(certificate);
        // A certificate may have several names: that of the other side counts first.
        let pinned = self.tls.as_ref().and_then(|tls| names.iter().find(|name| name.eq_ignore_ascii_case(&tls.peer)));
        pinned.or(names.first()).map(|name| Identity::of(certificate, name))
    }

    /// Returns whether this is the other side, and still accepted: for its link and for its answers.
    pub fn trusts(&self, identity: &Identity) -> bool {
        let is_peer = match &self.tls {
            Some(tls) => identity.name().eq_ignore_ascii_case(&tls.peer),
            None => *identity == Identity::loopback(),
        };
        is_peer && !self.is_revoked(identity)
    }

    /// Returns the identity of a peer that may hold the link.
    ///
    /// # Errors
    /// [`Code::Denied`] for everybody else.
    pub fn admit_add_in(&self, peer: &Peer) -> Result<Identity, Refusal> {
        let Some(tls) = &self.tls else { return self.trusted(Identity::loopback()) };
        match &peer.identity {
            Some(identity) => self.trusted(identity.clone()),
            None => Err(denied(format!("the add-in needs the certificate of {}", tls.peer))),
        }
    }

    fn trusted(&self, identity: Identity) -> Result<Identity, Refusal> {
        let peer = self.tls.as_ref().map_or("loopback", |tls| &tls.peer);
        match &identity {
            identity if self.is_revoked(identity) => Err(denied(format!("{identity} is revoked"))),
            identity if !self.trusts(identity) => Err(denied(format!("{identity} is not {peer}, which `peer` names"))),
            _ => Ok(identity),
        }
    }

    /// Returns the name of a client that may ask: of its certificate, of its token, or its address.
    ///
    /// # Errors
    /// [`Code::Denied`] for everybody else.
    pub fn admit_client(&self, peer: &Peer, token: Option<&Secret>) -> Result<String, Refusal> {
        match (&peer.identity, token) {
            (Some(identity), _) if self.is_revoked(identity) => Err(denied(format!("{identity} is revoked"))),
            (Some(identity), _) => Ok(identity.name().to_owned()),
            (None, None) if self.tls.is_none() && self.tokens.is_empty() => Ok(peer.address.ip().to_string()),
            (None, None) => Err(denied("a client needs a token (--token FILE), or a certificate (--certificate FILE)")),
            (None, Some(token)) => match self.tokens.holder(token) {
                Some(name) if self.is_listed(name) => Err(denied(format!("{name} is revoked"))),
                Some(name) => Ok(name.to_owned()),
                None => Err(denied("nobody has this token: `tokens` of the daemon lists them")),
            },
        }
    }

    /// Returns whether `revoked` lists a name that no certificate proves.
    pub fn is_listed(&self, name: &str) -> bool {
        self.revoked.iter().any(|listed| listed.eq_ignore_ascii_case(name))
    }

    fn is_revoked(&self, identity: &Identity) -> bool {
        self.revoked.iter().any(|listed| identity.is_called(listed))
    }
}

fn denied(why: impl Into<String>) -> Refusal {
    Refusal::new(Code::Denied, why)
}

#[cfg(test)]
#[path = "access/tests.rs"]
mod tests;
