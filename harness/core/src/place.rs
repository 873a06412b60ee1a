//! Source locations, and tasks, which are identified by them.

use crate::sources;
use serde::{Deserialize, Serialize};
use std::{fmt, panic::Location, str::FromStr};

/// A source line, written `src/link.rs:88`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Place {
    /// The file's name, which is the same on every machine: see [`sources`].
    pub file: String,
    /// The line number, counted from 1.
    pub line: u32,
}

/// A task of a simulation: where it was spawned, and its ordinal among those spawned there on its host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Task {
    /// Where it was spawned.
    pub place: Place,
    /// Its ordinal among those spawned there, counted from 1.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub nth: u32,
}

/// Error: a text is not a place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a place like \"src/link.rs:88\", found {0:?}")]
pub struct NoPlace(String);

impl From<&Location<'_>> for Place {
    fn from(location: &Location<'_>) -> Place {
        Place { file: sources::name(location.file()).to_string(), line: location.line() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.nth {
            1 => self.place.fmt(f),
            nth => write!(f, "{}#{nth}", self.place),
        }
    }
}

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Place, NoPlace> {
        let parts = text.rsplit_once(':').and_then(|(file, line)| Some((file.to_owned(), line.parse().ok()?)));
        let place = parts.map(|(file, line)| Place { file, line });
        // The standard library parses `+88` and `088` as numbers, too.
        place.filter(|place| place.to_string() == text).ok_or_else(|| NoPlace(text.to_owned()))
    }
}

impl From<Place> for String {
    fn from(place: Place) -> String {
        place.to_string()
    }
}

impl TryFrom<String> for Place {
    type Error = NoPlace;

    fn try_from(text: String) -> Result<Place, NoPlace> {
        text.parse()
    }
}

fn first() -> u32 {
    1
}

fn is_first(nth: &u32) -> bool {
    *nth == first()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_and_nothing_else_is_one() {
        for text in ["src/link.rs:88", "a:b c.rs:0", "src\\link.rs:4294967295", ":1"] {
            assert_eq!(text.parse::<Place>().unwrap().to_string(), text);
        }
        for text in ["", "src/link.rs", "src/link.rs:", "src/link.rs:+1", "src/link.rs:01", "src/link.rs:4294967296"] {
            assert_eq!(text.parse::<Place>(), Err(NoPlace(text.to_owned())));
        }
    }
}
