//! Notes.ini, validated before start: the ID file and the location.

use crate::error::Error;
use crate::regular_file;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Maximum size of Notes.ini, in bytes.
const INI_BYTES_MAX: u64 = 1 << 20;

/// The contents of Notes.ini.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The ID file named by `KeyFilename`, relative to the directory of Notes.ini.
    pub id_file: PathBuf,
    /// The location document named by `Location`.
    pub location: Location,
}

/// How a Notes client is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    /// To the server, over the local network. The only location from which databases on the server can be opened.
    Office,
    /// By modem.
    Home,
    /// To a provider.
    Internet,
    /// Not connected.
    Island,
    /// By modem, from varying places.
    Travel,
}

impl Location {
    /// Every predefined location.
    pub const ALL: [Location; 5] =
        [Location::Office, Location::Home, Location::Internet, Location::Island, Location::Travel];
}

impl fmt::Display for Location {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, out)
    }
}

impl FromStr for Location {
    type Err = ();

    /// Parses `Office,2AE,CN=Calcon`: the document's name, then its id and its owner.
    fn from_str(text: &str) -> Result<Self, ()> {
        let name = text.split(',').next().unwrap_or_default().trim();
        Self::ALL.into_iter().find(|location| location.to_string().eq_ignore_ascii_case(name)).ok_or(())
    }
}

/// Reads Notes.ini and checks that databases can be opened with it.
///
/// # Errors
/// [`Error::Settings`] with the file, the line and what to write there.
pub fn check(ini: &Path) -> Result<Profile, Error> {
    let refused = |line: usize, what: String| Error::Settings(format!("{}:{line}: {what}", ini.display()));
    let text = regular_file::read(ini, INI_BYTES_MAX)
        .and_then(|bytes| String::from_utf8(bytes).map_err(io::Error::other))
        .map_err(|error| Error::Settings(format!("cannot read the Notes profile {}: {error}", ini.display())))?;
    let end = text.lines().count() + 1;
    let Some((line, name)) = value(&text, "KeyFilename") else {
        return Err(refused(end, "KeyFilename is missing: add `KeyFilename=` and the ID file".to_owned()));
    };
    let id_file = ini.parent().unwrap_or(Path::new("")).join(name);
    if !id_file.is_file() {
        let what = format!("KeyFilename={name}: there is no file {}: name the ID file", id_file.display());
        return Err(refused(line, what));
    }
    let Some((line, name)) = value(&text, "Location") else {
        return Err(refused(end, "Location is missing: add `Location=Office`".to_owned()));
    };
    match name.parse() {
        Ok(Location::Office) => Ok(Profile { id_file, location: Location::Office }),
        Ok(location) => Err(refused(
            line,
            format!("Location={location}: databases on the server open only from Office: write `Location=Office`"),
        )),
        Err(()) => Err(refused(line, format!("Location={name}: no such location: write `Location=Office`"))),
    }
}

/// Returns the last value of a key, which is case-insensitive, and its line, counted from 1.
fn value<'a>(text: &'a str, key: &str) -> Option<(usize, &'a str)> {
    let lines = text.lines().enumerate().filter_map(|(at, line)| Some((at + 1, line.split_once('=')?)));
    let of_key = |(at, (name, value)): (usize, (&str, &'a str))| {
        name.trim().eq_ignore_ascii_case(key).then(|| (at, value.trim()))
    };
    lines.filter_map(of_key).last()
}
