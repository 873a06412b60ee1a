//! `calcon keys`: makes a CA, and certificates and tokens of it, for a start. Nothing is overwritten.

use crate::access::hex;
use crate::credentials::TOKEN_BYTES;
use crate::error::Error;
use chrono::{DateTime, Datelike, TimeDelta, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// How long a CA is valid, in days.
const CA_DAYS: i64 = 3650;
/// How long a certificate is valid, in days.
pub const DAYS: i64 = 825;
const PRIVATE: u32 = 0o600;
const PUBLIC: u32 = 0o644;

/// A CA.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate, in PEM.
    pub certificate: String,
    /// Its key, in PEM. Whoever has it can make certificates of any name.
    pub key: String,
}

/// A certificate and its key, in PEM.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

impl Authority {
    /// Makes a CA that is valid from a day before `now`, because clocks differ.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn new(now: DateTime<Utc>) -> Result<Self, rcgen::Error> {
        Self::of(KeyPair::generate()?, now)
    }

    /// Makes the CA of this key again: another certificate of the same name, which verifies what the first one does.
    fn of(key: KeyPair, now: DateTime<Utc>) -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::default();
        // The name is a function of the key, so that two of these CAs are not taken for each other.
        let print = hex(digest(&SHA256, key.public_key_raw()).as_ref());
        params.distinguished_name.push(DnType::CommonName, format!("Calcon CA {}", &print[..16]));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        valid(&mut params, now, CA_DAYS);
        let (certificate, pem) = (params.self_signed(&key)?.pem(), key.serialize_pem());
        Ok(Self { issuer: Issuer::new(params, key), certificate, key: pem })
    }

    /// Issues a certificate of this name, with a key of its own.
    ///
    /// # Errors
    /// If the name is no DNS name.
    pub fn issue(&self, name: &str, now: DateTime<Utc>, days: i64) -> Result<Issued, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new([name.to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        // Each side accepts connections, and asks.
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        valid(&mut params, now, days);
        let certificate = params.signed_by(&key, &self.issuer)?.pem();
        Ok(Issued { certificate, key: key.serialize_pem() })
    }
}

fn valid(params: &mut CertificateParams, now: DateTime<Utc>, days: i64) {
    let date = |day: DateTime<Utc>| rcgen::date_time_ymd(day.year(), day.month() as u8, day.day() as u8);
    params.not_before = date(now - TimeDelta::days(1));
    params.not_after = date(now + TimeDelta::days(days));
}

/// What `calcon keys` is to make.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Names of new certificates.
    pub names: Vec<String>,
    /// Names whose certificates are replaced.
    pub renewed: Vec<String>,
    /// Names of clients that get a token.
    pub clients: Vec<String>,
}

/// Makes them in a directory, with the CA that is there, or with a new one. Returns the files that were written.
///
/// # Errors
/// [`Error::Keys`] with the file that is there already or cannot be written, [`Error::Settings`] for a bad name.
pub fn make(directory: &Path, wanted: &Wanted, now: DateTime<Utc>) -> Result<Vec<PathBuf>, Error> {
    let mut folder = Folder { directory, written: Vec::new() };
    folder.check(wanted)?;
    let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.map_err(|source| failed(directory, source))?;
    if !(wanted.names.is_empty() && wanted.renewed.is_empty()) {
        let authority = folder.authority(now)?;
        for name in &wanted.names {
            let issued = authority.issue(name, now, DAYS).map_err(|error| bad(&error))?;
            folder.write(&format!("{name}.pem"), PUBLIC, &issued.certificate)?;
            folder.write(&format!("{name}.key"), PRIVATE, &issued.key)?;
        }
        for name in &wanted.renewed {
            let issued = authority.issue(name, now, DAYS).map_err(|error| bad(&error))?;
            folder.replace(&format!("{name}.pem"), PUBLIC, &issued.certificate)?;
            folder.replace(&format!("{name}.key"), PRIVATE, &issued.key)?;
        }
    }
    for name in &wanted.clients {
        let token = token().map_err(|source| failed(directory, source))?;
        folder.write(&format!("{name}.token"), PRIVATE, &format!("{token}\n"))?;
        folder.append("tokens", &format!("{name} {token}\n"))?;
    }
    Ok(folder.written)
}

/// The directory, and the files that were written there.
struct Folder<'a> {
    directory: &'a Path,
    written: Vec<PathBuf>,
}

impl Folder<'_> {
    /// Checks that all of it can be made, before any of it is.
    fn check(&self, wanted: &Wanted) -> Result<(), Error> {
        let mut names = wanted.names.iter().chain(&wanted.renewed).chain(&wanted.clients);
        if let Some(name) = names.find(|name| !is_name(name)) {
            return Err(Error::Settings(format!("`{name}` is no name: letters, digits, dots and hyphens make one")));
        }
        let certificates = wanted.names.iter().flat_map(|name| [format!("{name}.pem"), format!("{name}.key")]);
        let tokens = wanted.clients.iter().map(|name| format!("{name}.token"));
        match certificates.chain(tokens).map(|file| self.directory.join(file)).find(|path| path.exists()) {
            Some(path) => {
                let what = "it is there already, and is not overwritten: `--renew NAME` replaces a certificate";
                Err(failed(&path, io::Error::new(io::ErrorKind::AlreadyExists, what)))
            }
            None => Ok(()),
        }
    }

    /// Returns the CA that is there, or makes one.
    fn authority(&mut self, now: DateTime<Utc>) -> Result<Authority, Error> {
        let key = self.directory.join("ca.key");
        if key.exists() || self.directory.join("ca.pem").exists() {
            let pem = fs::read_to_string(&key).map_err(|source| failed(&key, source))?;
            return KeyPair::from_pem(&pem).and_then(|key| Authority::of(key, now)).map_err(|error| bad(&error));
        }
        let authority = Authority::new(now).map_err(|error| bad(&error))?;
        self.write("ca.pem", PUBLIC, &authority.certificate)?;
        self.write("ca.key", PRIVATE, &authority.key)?;
        Ok(authority)
    }

    /// Writes a file that is not there yet.
    fn write(&mut self, file: &str, mode: u32, text: &str) -> Result<(), Error> {
        let path = self.directory.join(file);
        let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path);
        opened.and_then(|file| filled(file, text)).map_err(|source| failed(&path, source))?;
        self.written.push(path);
        Ok(())
    }

    /// Replaces a file, whole.
    fn replace(&mut self, file: &str, mode: u32, text: &str) -> Result<(), Error> {
        let (path, next) = (self.directory.join(file), self.directory.join(format!("{file}.new")));
        // Left over from an attempt that was interrupted.
        let _ = fs::remove_file(&next);
        let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(&next);
        let replaced = opened.and_then(|file| filled(file, text)).and_then(|()| fs::rename(&next, &path));
        replaced.map_err(|source| failed(&path, source))?;
        self.written.push(path);
        Ok(())
    }

    fn append(&mut self, file: &str, text: &str) -> Result<(), Error> {
        let path = self.directory.join(file);
        let opened = OpenOptions::new().append(true).create(true).mode(PRIVATE).open(&path);
        opened.and_then(|file| filled(file, text)).map_err(|source| failed(&path, source))
    }
}

fn failed(path: &Path, source: io::Error) -> Error {
    Error::Keys { path: path.to_owned(), source }
}

fn bad(error: &rcgen::Error) -> Error {
    Error::Settings(format!("cannot make a certificate: {error}"))
}

fn filled(mut file: File, text: &str) -> io::Result<()> {
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn is_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
    !name.is_empty() && name.bytes().all(is_part) && !name.starts_with(['.', '-']) && name != "ca"
}

/// Returns a new token: twice as many characters as one must have at least.
fn token() -> io::Result<String> {
    let mut bytes = [0; TOKEN_BYTES];
    SystemRandom::new().fill(&mut bytes).map_err(|_| io::Error::other("the system has no randomness"))?;
    Ok(hex(&bytes))
}
