//! What proves to a server that we may read its calendars.

use super::failure::Failure;
use crate::credentials;
use crate::secret::Secret;
use hyper::header::HeaderValue;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use tokio::task::spawn_blocking;

/// What is shown to a server.
#[derive(Debug, Clone)]
pub enum Login {
    /// A user and a password (RFC 7617).
    Basic {
        /// The user, without a colon.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A token (RFC 6750).
    Bearer(Secret),
    /// The file with a token, which is read for each question: others make a new one when it expires.
    BearerFile(PathBuf),
}

impl Login {
    /// Returns the value of the header.
    ///
    /// # Errors
    /// If the file cannot be used, or the secret has characters that no header may have.
    pub(super) async fn header(&self) -> Result<HeaderValue, Failure> {
        let text = match self {
            Login::Basic { username, password } => {
                format!("Basic {}", base64(format!("{username}:{}", password.reveal()).as_bytes()))
            }
            Login::Bearer(token) => format!("Bearer {}", token.reveal()),
            Login::BearerFile(file) => {
                let file = file.clone();
                let read = spawn_blocking(move || secret(&file)).await;
                let token = read.map_err(|error| Failure::Bug(error.to_string()))?.map_err(Failure::Login)?;
                format!("Bearer {}", token.reveal())
            }
        };
        let bad = |_| Failure::Login("the password or the token has characters that no header may have".to_owned());
        let mut value = HeaderValue::from_str(&text).map_err(bad)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// Reads a password or a token, which are as long as the server's operator has made them.
///
/// # Errors
/// What is wrong with the file, without what is in it.
pub(crate) fn secret(file: &Path) -> Result<Secret, String> {
    let unusable = |problem: &dyn Display| problem.to_string();
    credentials::private(file).map_err(|problem| unusable(&problem))?;
    let bytes = credentials::bytes(file).map_err(|problem| unusable(&problem))?;
    let text = str::from_utf8(&bytes).unwrap_or_default().trim();
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(format!("{}: there is no password in it: write it on one line", file.display()));
    }
    Ok(Secret::new(text))
}

/// Encodes bytes as RFC 4648, 4, with padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().enumerate().fold(0_u32, |bits, (at, byte)| bits | u32::from(*byte) << (16 - 8 * at));
        for at in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= group.len() { letter.into() } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn base64_is_that_of_the_standard() {
        let known = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (plain, encoded) in known {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xfe]), "+//+");
    }

    #[tokio::test]
    async fn a_login_is_shown_to_nobody_but_the_server() {
        let login = Login::Basic { username: "calcon".to_owned(), password: Secret::new("hunter2") };
        let header = login.header().await.expect("a header");
        assert_eq!(header, "Basic Y2FsY29uOmh1bnRlcjI=");
        assert!(!format!("{login:?} {header:?}").contains("hunter2"));
        assert!(!format!("{header:?}").contains("Y2Fs"));
        let bad = Login::Bearer(Secret::new("a\u{7f}secret")).header().await.expect_err("refused").to_string();
        assert!(bad.contains("characters") && !bad.contains("secret"), "{bad}");
    }

    #[tokio::test]
    async fn a_token_in_a_file_is_the_one_that_is_there_now() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("token");
        let login = Login::BearerFile(file.clone());
        for token in ["one", "two"] {
            fs::write(&file, token).expect("written");
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("changed");
            assert_eq!(login.header().await.expect("a header"), format!("Bearer {token}"));
        }
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("changed");
        let why = login.header().await.expect_err("refused").to_string();
        assert!(why.contains("others may read it") && !why.contains("two"), "{why}");
    }
}
