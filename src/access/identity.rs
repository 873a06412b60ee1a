//! Who a peer is: a name in its certificate, and the certificate itself.

use ring::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use std::fmt;
use std::sync::Arc;

/// The name of a peer without a certificate, which is a program of this machine.
const LOOPBACK: &str = "loopback";

/// A peer that has proven who it is. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    name: Arc<str>,
    /// SHA-256 of the certificate in hexadecimal digits, as openssl prints it but for the colons; empty without one.
    fingerprint: Arc<str>,
}

impl Identity {
    /// Returns the identity of whoever connects over loopback without TLS.
    pub fn loopback() -> Self {
        Self { name: LOOPBACK.into(), fingerprint: "".into() }
    }

    /// Returns the identity that a certificate proves, which must have been verified. It is called by `name`.
    pub fn of(certificate: &CertificateDer<'_>, name: &str) -> Self {
        Self { name: name.into(), fingerprint: hex(digest(&SHA256, certificate).as_ref()).into() }
    }

    /// Returns an identity that was proven before, from a record of it.
    pub(crate) fn recorded(name: &str, fingerprint: &str) -> Self {
        Self { name: name.into(), fingerprint: fingerprint.into() }
    }

    /// Returns the fingerprint; empty without a certificate.
    pub(crate) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether `listed` is this name, or the fingerprint with or without colons, in either case.
    pub fn is_called(&self, listed: &str) -> bool {
        let digits = listed.replace(':', "").to_lowercase();
        listed.eq_ignore_ascii_case(&self.name) || (!digits.is_empty() && *self.fingerprint == *digits)
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.name)?;
        // Enough to tell two certificates of one name apart.
        let start = self.fingerprint.get(..8).unwrap_or_default();
        if start.is_empty() { Ok(()) } else { write!(out, " ({start})") }
    }
}

/// Returns the hexadecimal digits of bytes.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_listed_by_its_name_or_its_fingerprint() {
        let identity = Identity::of(&CertificateDer::from(vec![]), "notes");
        let fingerprint =
            "E3:B0:C4:42:98:FC:1C:14:9A:FB:F4:C8:99:6F:B9:24:27:AE:41:E4:64:9B:93:4C:A4:95:99:1B:78:52:B8:55";
        assert!(identity.is_called("Notes"));
        assert!(identity.is_called(fingerprint));
        assert!(!identity.is_called("note") && !identity.is_called("") && !identity.is_called(&fingerprint[3..]));
        assert!(!Identity::loopback().is_called(""));
        assert_eq!(identity.to_string(), "notes (e3b0c442)");
    }
}
