//! The settings of access: who may enter, and by which files that is proven.

use crate::access::{Access, Source, Tokens};
use crate::browse_log::{self, Event};
use crate::credentials::{self, Credentials, Files, OwnFiles};
use crate::error::Error;
use crate::problem::{Cause, Problem};
use clap::Args;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The options of access, on the command line and in the table `[access]` of the file.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccessOptions {
    /// PEM file with the certificate of the CA that both sides trust
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// PEM file with the certificate of this side
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// PEM file with its key, which nobody else may read
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The name in the certificate of the other side, which alone may have the link
    #[arg(long, value_name = "NAME")]
    peer: Option<String>,
    /// File of the tokens by which clients without a certificate ask: a line `NAME TOKEN` for each
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// A name or the SHA-256 fingerprint of a certificate that is no longer accepted; may be repeated
    #[arg(long, value_name = "NAME")]
    revoked: Vec<String>,
}

/// The settings of access, before any of their files is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessSettings {
    /// The certificates, and the name in that of the other side. Without them connections are not encrypted, and the daemon
    /// listens on loopback only.
    pub tls: Option<(Files, String)>,
    /// The file of the clients' tokens.
    pub tokens: Option<PathBuf>,
    /// Names and fingerprints that are no longer accepted.
    pub revoked: Vec<String>,
}

impl AccessOptions {
    /// Returns the settings: these options, then those of the file.
    ///
    /// # Errors
    /// [`Error::Settings`] if some of what TLS needs is not set.
    pub(super) fn settings(self, other: Self, file: Option<&Path>) -> Result<AccessSettings, Error> {
        let path = |flag, in_file| super::path(flag, in_file, file);
        let (ca, peer) = (path(self.ca, other.ca), self.peer.or(other.peer));
        let (certificate, key) = (path(self.certificate, other.certificate), path(self.key, other.key));
        let tls = match (ca, certificate, key, peer) {
            (None, None, None, None) => None,
            (Some(ca), Some(certificate), Some(key), Some(peer)) => {
                Some((Files { ca, own: Some(OwnFiles { certificate, key }) }, peer))
            }
            (ca, certificate, key, peer) => {
                let is_set = [ca.is_some(), certificate.is_some(), key.is_some(), peer.is_some()];
                let names = ["ca", "certificate", "key", "peer"].iter().zip(is_set);
                let missing: Vec<&str> = names.filter(|(_, is_set)| !is_set).map(|(name, _)| *name).collect();
                let why = format!("access: {} is not set: TLS needs ca, certificate, key and peer", missing.join(", "));
                return Err(Error::Settings(why));
            }
        };
        let revoked = if self.revoked.is_empty() { other.revoked } else { self.revoked };
        Ok(AccessSettings { tls, tokens: path(self.tokens, other.tokens), revoked })
    }
}

impl AccessSettings {
    /// Reads the files. `settings` is the settings file, to name its lines.
    ///
    /// # Errors
    /// Every problem, with its file and what to do.
    pub fn open(&self, settings: Option<&Path>) -> Result<Access, Vec<Problem>> {
        let secured = self.tls.as_ref().map(|(files, peer)| secured(files, peer, settings)).transpose();
        let tokens = self.tokens.as_deref().map(tokens).transpose();
        match (secured, tokens) {
            (Ok(secured), Ok(tokens)) => {
                let access = secured.unwrap_or_else(Access::loopback).with_tokens(tokens.unwrap_or_default());
                Ok(access.with_revoked(self.revoked.clone()))
            }
            (secured, tokens) => Err([secured.err(), tokens.err().map(|problem| vec![problem])]
                .into_iter()
                .flatten()
                .flatten()
                .collect()),
        }
    }

    /// Returns why peers do not accept the own certificate, or soon will not.
    pub fn doubt(&self) -> Option<Problem> {
        let (files, _) = self.tls.as_ref()?;
        let own = files.own.as_ref()?;
        let (what, remedy) = Credentials::read(files).ok()?.doubt()?;
        Some(Problem {
            cause: Cause::Certificate,
            file: Some(own.certificate.clone()),
            line: None,
            tried: format!("to verify it with {}", files.ca.display()),
            what,
            remedy: remedy.to_owned(),
        })
    }
}

/// Reads the settings of access by `settings`, with their files, whenever they are needed.
pub(super) fn source(settings: impl Fn() -> Result<AccessSettings, Error> + Send + Sync + 'static) -> Source {
    Source::new(move || {
        let settings = settings()?;
        let all = |problems: Vec<Problem>| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        let access = settings.open(None).map_err(|problems| Error::Settings(all(problems)))?;
        if let Some(doubt) = settings.doubt() {
            browse_log::report(&Event::Certificate { what: doubt.to_string() });
        }
        Ok(access)
    })
}

fn secured(files: &Files, peer: &str, settings: Option<&Path>) -> Result<Access, Vec<Problem>> {
    let problem = |error: rustls::Error| {
        let own = files.own.as_ref().map(|own| own.certificate.clone());
        let (file, line, what, remedy) = match &error {
            rustls::Error::InconsistentKeys(_) => {
                let what = "the key is not that of the certificate".to_owned();
                (own, None, what, "set `certificate` and `key` to files that were made together")
            }
            rustls::Error::InvalidCertificate(_) => (own, None, error.to_string(), "make another one: `calcon keys`"),
            _ => {
                let line = settings.and_then(|file| super::line_of(file, "peer"));
                let remedy = "set `peer` to the name in the other side's certificate";
                (settings.map(Path::to_owned), line, error.to_string(), remedy)
            }
        };
        let tried = "to use the certificate and the key".to_owned();
        vec![Problem { cause: Cause::Certificate, file, line, tried, what, remedy: remedy.to_owned() }]
    };
    Access::secured(&Credentials::read(files)?, peer).map_err(problem)
}

fn tokens(file: &Path) -> Result<Tokens, Problem> {
    credentials::private(file)?;
    let text = credentials::bytes(file)?;
    Tokens::parse(&String::from_utf8_lossy(&text)).map_err(|(line, what)| Problem {
        cause: Cause::Settings,
        file: Some(file.to_owned()),
        line: Some(line),
        tried: "to read the tokens of clients".to_owned(),
        what,
        remedy: "`calcon keys DIR --client NAME` makes one".to_owned(),
    })
}
