//! A token that a client shows. It is sent, and written nowhere else.

use crate::credentials::{self, TOKEN_BYTES};
use crate::problem::{Cause, Problem};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;

/// A secret text. Debug output hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a token, without the white space around it.
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// Reads a file with a token.
    ///
    /// # Errors
    /// If it cannot be read, others may read it, or there is no token in it.
    pub fn read(file: &Path) -> Result<Self, Problem> {
        credentials::private(file)?;
        let text = credentials::bytes(file)?;
        let secret = Self::new(&String::from_utf8_lossy(&text));
        match secret.0.len() {
            0..TOKEN_BYTES => Err(Problem {
                cause: Cause::Settings,
                file: Some(file.to_owned()),
                line: Some(1),
                tried: "to read the token".to_owned(),
                what: format!("it has fewer than {TOKEN_BYTES} characters"),
                remedy: "`calcon keys DIR --client NAME` makes one".to_owned(),
            }),
            _ => Ok(secret),
        }
    }

    /// Returns the token.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(..)");
    }
}
