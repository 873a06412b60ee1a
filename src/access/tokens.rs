//! The tokens by which clients ask: who has which one.

use crate::credentials::TOKEN_BYTES;
use crate::secret::Secret;
use ring::digest::{SHA256, digest};

/// The tokens of a daemon. Only their digests are kept: comparing these takes the same time for every wrong token, and a
/// dump of the memory has no token.
#[derive(Debug, Clone, Default)]
pub struct Tokens {
    known: Vec<Token>,
}

#[derive(Debug, Clone)]
struct Token {
    name: String,
    digest: Vec<u8>,
}

impl Tokens {
    /// Parses a line for each token: the name of its holder, a space, and the token. `#` begins a comment.
    ///
    /// # Errors
    /// The line, from 1, and what is wrong with it. It does not contain the token.
    pub fn parse(text: &str) -> Result<Self, (usize, String)> {
        let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
        let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let known = lines.map(|(at, line)| token(line).map_err(|what| (at, what))).collect::<Result<_, _>>()?;
        Ok(Self { known })
    }

    /// Returns whether there is none.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Returns the holder of a token.
    pub fn holder(&self, token: &Secret) -> Option<&str> {
        let given = digest(&SHA256, token.reveal().as_bytes());
        self.known.iter().find(|known| known.digest == given.as_ref()).map(|known| known.name.as_str())
    }
}

fn token(line: &str) -> Result<Token, String> {
    let mut words = line.split_whitespace();
    let (Some(name), Some(token), None) = (words.next(), words.next(), words.next()) else {
        return Err("a line is the name of a client, a space, and its token".to_owned());
    };
    if token.len() < TOKEN_BYTES {
        // If the two are in the wrong order, the first one is the secret.
        let whose = if name.len() < TOKEN_BYTES { name } else { "this line" };
        return Err(format!("the token of {whose} is shorter than {TOKEN_BYTES} characters: it could be guessed"));
    }
    Ok(Token { name: name.to_owned(), digest: digest(&SHA256, token.as_bytes()).as_ref().to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_the_holder_of_its_line() {
        let (one, other) = ("a".repeat(32), "b".repeat(40));
        let tokens = Tokens::parse(&format!("# clients\n\nada {one}\n  bob\t{other}\n")).expect("two tokens");
        assert_eq!(tokens.holder(&Secret::new(&one)), Some("ada"));
        assert_eq!(tokens.holder(&Secret::new(&format!("{other}\n"))), Some("bob"));
        assert_eq!(tokens.holder(&Secret::new("a")), None);
        assert_eq!(tokens.holder(&Secret::new("")), None);
        assert!(!format!("{tokens:?}").contains(&one));
    }

    #[test]
    fn a_bad_line_is_named_without_its_token() {
        let refused = |text: &str| Tokens::parse(text).expect_err("refused");
        assert_eq!(refused("\nada\n"), (2, "a line is the name of a client, a space, and its token".to_owned()));
        assert_eq!(refused("ada hunter2").1, "the token of ada is shorter than 32 characters: it could be guessed");
        let swapped = refused(&format!("{} ada", "a".repeat(32))).1;
        assert_eq!(swapped, "the token of this line is shorter than 32 characters: it could be guessed");
    }
}
