//! Certificates and keys: read from PEM, and verified as a peer will verify them.

use crate::problem::{Cause, Problem};
use crate::regular_file;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Minimum length of a token, in bytes.
pub(crate) const TOKEN_BYTES: usize = 32;
/// Maximum size of a PEM file, in bytes.
const PEM_BYTES_MAX: u64 = 1 << 20;
/// How long before its end a certificate is worth a warning.
const RENEWAL: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// The PEM files of a daemon or a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The certificate of the CA that both sides trust.
    pub ca: PathBuf,
    /// The own certificate and its key. A client may have none.
    pub own: Option<OwnFiles>,
}

/// A certificate and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnFiles {
    /// The certificate, and those between it and the CA.
    pub certificate: PathBuf,
    /// Its private key, which nobody else may read.
    pub key: PathBuf,
}

/// What those files contain.
#[derive(Debug)]
pub struct Credentials {
    /// The CAs that are trusted.
    pub ca: Vec<CertificateDer<'static>>,
    /// The own certificate and key.
    pub own: Option<Own>,
}

/// A certificate and its key.
#[derive(Debug)]
pub struct Own {
    /// The certificate, and those between it and the CA.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its private key.
    pub key: PrivateKeyDer<'static>,
}

impl Credentials {
    /// Reads the files.
    ///
    /// # Errors
    /// Every problem, with its file.
    pub fn read(files: &Files) -> Result<Self, Vec<Problem>> {
        let ca = certificates(&files.ca);
        let own = files.own.as_ref().map(|own| (certificates(&own.certificate), key(&own.key)));
        match (ca, own) {
            (Ok(ca), None) => Ok(Self { ca, own: None }),
            (Ok(ca), Some((Ok(chain), Ok(key)))) => Ok(Self { ca, own: Some(Own { chain, key }) }),
            (ca, None) => Err(ca.err().into_iter().collect()),
            (ca, Some((chain, key))) => Err([ca.err(), chain.err(), key.err()].into_iter().flatten().collect()),
        }
    }

    /// Reads PEM texts: of the CA, of the own certificate, and of its key.
    ///
    /// # Errors
    /// If one of them has nothing of its kind.
    pub fn from_pem(ca: &str, certificate: &str, key: &str) -> Result<Self, rustls::pki_types::pem::Error> {
        let list = |pem: &str| CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>();
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes())?;
        Ok(Self { ca: list(ca)?, own: Some(Own { chain: list(certificate)?, key }) })
    }

    /// Returns the CAs as a store of rustls.
    ///
    /// # Errors
    /// If one of them is no certificate.
    pub(crate) fn roots(&self) -> Result<Arc<RootCertStore>, rustls::Error> {
        let mut roots = RootCertStore::empty();
        self.ca.iter().try_for_each(|ca| roots.add(ca.clone()))?;
        Ok(Arc::new(roots))
    }

    /// Returns the reason why peers do not accept the own certificate, or soon will not: `(reason, remedy)`.
    pub fn doubt(&self) -> Option<(String, &'static str)> {
        let own = self.own.as_ref()?;
        let verified = |at| -> Result<(), rustls::Error> {
            let provider = Arc::new(ring::default_provider());
            let verifier = WebPkiServerVerifier::builder_with_provider(self.roots()?, provider).build();
            let verifier = verifier.map_err(|error| rustls::Error::General(error.to_string()))?;
            let [end, between @ ..] = &own.chain[..] else {
                return Err(rustls::Error::NoCertificatesPresented);
            };
            let name = name_of(end).unwrap_or_default();
            let name = ServerName::try_from(name).map_err(|error| rustls::Error::General(error.to_string()))?;
            verifier.verify_server_cert(end, between, &name, &[], at).map(|_| ())
        };
        let now = UnixTime::now();
        let soon = UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs()) + RENEWAL);
        match (verified(now), verified(soon)) {
            (Ok(()), Ok(())) => None,
            (Ok(()), Err(_)) => Some((format!("it ends within {} days", RENEWAL.as_secs() / 86_400), RENEW)),
            (Err(error), _) => Some(explain(&error)),
        }
    }
}

const RENEW: &str = "make another one, `calcon keys DIR --renew NAME`, and reload: `calcon reload`";

/// Says in an operator's words why a certificate is not accepted: `(reason, remedy)`.
pub(crate) fn explain(error: &rustls::Error) -> (String, &'static str) {
    let why = match error {
        rustls::Error::InvalidCertificate(why) => why,
        rustls::Error::AlertReceived(alert) => {
            let what = format!("the other side does not accept us, and says {alert:?}");
            return (what, "see its log; `ca` of both sides must be the CA of both certificates");
        }
        rustls::Error::InvalidMessage(_) => {
            return (format!("the peer does not speak TLS: {error}"), "give that side credentials: `calcon keys`");
        }
        other => return (other.to_string(), "see the log of the other side, too"),
    };
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            ("the certificate has expired".to_owned(), RENEW)
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            ("the certificate is not valid yet".to_owned(), "set this machine's clock")
        }
        CertificateError::UnknownIssuer | CertificateError::BadSignature => (
            "the certificate is not of the CA in `ca`".to_owned(),
            "set `ca` on both sides to the CA of both certificates",
        ),
        CertificateError::NotValidForNameContext { expected, presented } => (
            format!("the certificate is not of {}, but of {}", expected.to_str(), presented.join(", ")),
            "set `peer` to the name in the other side's certificate, if that is the one you mean",
        ),
        CertificateError::NotValidForName => (
            "the certificate is of another name".to_owned(),
            "set `peer` to the name in the other side's certificate, if that is the one you mean",
        ),
        other => (format!("the certificate is not accepted: {other}"), "make another one: `calcon keys`"),
    }
}

/// Returns the DNS names of a certificate.
pub(crate) fn names_of(certificate: &CertificateDer<'_>) -> Vec<String> {
    let parsed = webpki::EndEntityCert::try_from(certificate);
    parsed.map(|parsed| parsed.valid_dns_names().map(str::to_owned).collect()).unwrap_or_default()
}

fn name_of(certificate: &CertificateDer<'_>) -> Option<String> {
    names_of(certificate).into_iter().next()
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let bytes = bytes(file)?;
    let found = CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>();
    match found {
        Ok(list) if !list.is_empty() => Ok(list),
        Ok(_) => Err(unusable(file, "there is no certificate in it".to_owned(), "name a PEM file with a certificate")),
        Err(error) => Err(unusable(file, format!("it is no PEM file: {error}"), "name a PEM file with a certificate")),
    }
}

fn key(file: &Path) -> Result<PrivateKeyDer<'static>, Problem> {
    private(file)?;
    PrivateKeyDer::from_pem_slice(&bytes(file)?).map_err(|error| {
        unusable(file, format!("there is no private key in it: {error}"), "name a PEM file with the certificate's key")
    })
}

/// Reads a file that has secrets or certificates.
///
/// # Errors
/// What prevents that.
pub(crate) fn bytes(file: &Path) -> Result<Vec<u8>, Problem> {
    regular_file::read(file, PEM_BYTES_MAX).map_err(|error| Problem {
        cause: Problem::cause_of(&error, Cause::Certificate),
        ..unusable(file, error.to_string(), "name a file that this user may read; `calcon keys` makes them")
    })
}

/// Checks that only its owner may read a file.
///
/// # Errors
/// If others may.
pub(crate) fn private(file: &Path) -> Result<(), Problem> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // What cannot be looked at cannot be read either, which says why.
        let mode = std::fs::metadata(file).map(|data| data.permissions().mode() & 0o777).unwrap_or_default();
        if mode & 0o077 != 0 {
            return Err(Problem {
                cause: Cause::MissingRight,
                ..unusable(file, format!("others may read it: its mode is {mode:03o}"), "`chmod 600` it")
            });
        }
    }
    Ok(())
}

fn unusable(file: &Path, what: String, remedy: &str) -> Problem {
    if is_secret(file) {
        return Problem {
            cause: Cause::Certificate,
            file: None,
            line: None,
            tried: "to read a file with a secret".to_owned(),
            what: "in place of a file's name there is what seems to be the secret".to_owned(),
            remedy: "write it into a file that nobody else may read, and name that; `calcon keys` makes such files"
                .to_owned(),
        };
    }
    Problem {
        cause: Cause::Certificate,
        file: Some(file.to_owned()),
        line: None,
        tried: format!("to read {}", file.display()),
        what,
        remedy: remedy.to_owned(),
    }
}

/// Returns whether somebody has given a secret in place of the name of a file: an error must not repeat it.
fn is_secret(file: &Path) -> bool {
    let is_pem = file.to_string_lossy().contains("-----BEGIN");
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    is_pem || name.len() >= TOKEN_BYTES && !name.contains('.') && !file.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_place_of_a_file_is_not_repeated() {
        for (secret, shown) in
            [("0123456789abcdef0123456789abcdef", "0123456789"), ("-----BEGIN PRIVATE KEY-----\nMC4C", "MC4C")]
        {
            let problem = bytes(&Path::new("/etc/calcon").join(secret)).expect_err("there is no such file");
            assert!(!format!("{problem:?} {problem}").contains(shown), "{problem}");
        }
        let problem = bytes(Path::new("/etc/calcon/ada.token")).expect_err("there is no such file");
        assert_eq!(problem.file.as_deref(), Some(Path::new("/etc/calcon/ada.token")));
    }
}
