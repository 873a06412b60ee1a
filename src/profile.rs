//! Notes.ini, validated before start: the ID file and the location.

use crate::problem::{Cause, Problem};
use crate::regular_file;
use std::io;
use std::path::{Path, PathBuf};

/// Maximum size of Notes.ini, in bytes.
const INI_BYTES_MAX: u64 = 1 << 20;
/// Maximum size of an ID file, in bytes.
const ID_BYTES_MAX: u64 = 1 << 20;

/// Maximum length of a name in an ID file, in bytes.
const NAME_BYTES_MAX: usize = 256;

/// The contents of Notes.ini, and of the ID file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The ID file named by `KeyFilename`, relative to the directory of Notes.ini.
    pub id_file: PathBuf,
    /// The name in the ID file, such as `CN=Calcon`: whom the server lists as the holder of the session.
    pub identity: String,
    /// The location document named by `Location`.
    pub location: Location,
}

/// How a Notes client is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, strum::EnumString, strum::VariantArray)]
#[strum(ascii_case_insensitive)]
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

/// Reads Notes.ini and checks that databases can be opened with it, as `identity`: the ID file must be of that name.
///
/// # Errors
/// Every problem, with the line to change.
pub fn read(ini: &Path, identity: &str) -> Result<Profile, Vec<Problem>> {
    let text = regular_file::read(ini, INI_BYTES_MAX)
        .and_then(|bytes| String::from_utf8(bytes).map_err(io::Error::other))
        .map_err(|error| vec![unreadable(ini, &error)])?;
    parse(ini, &text, identity)
}

/// Checks the text of a Notes.ini, as [`read`] does. What it names is relative to `ini`.
///
/// # Errors
/// Every problem, with the line to change.
pub fn parse(ini: &Path, text: &str, identity: &str) -> Result<Profile, Vec<Problem>> {
    match (id_file(ini, text, identity), location(ini, text)) {
        (Ok((id_file, identity)), Ok(location)) => Ok(Profile { id_file, identity, location }),
        (id_file, location) => Err([id_file.err(), location.err()].into_iter().flatten().collect()),
    }
}

/// Returns the ID file and the name in it.
fn id_file(ini: &Path, text: &str, expected: &str) -> Result<(PathBuf, String), Problem> {
    let problem = |cause, line, what: String, remedy: &str| Problem {
        cause,
        file: Some(ini.to_owned()),
        line: Some(line),
        tried: "to open the ID file that KeyFilename names".to_owned(),
        what,
        remedy: remedy.to_owned(),
    };
    let Some((line, name)) = value(text, "KeyFilename") else {
        let remedy = "add `KeyFilename=` and the ID file";
        return Err(problem(Cause::KeyFilename, end(text), "KeyFilename is missing".to_owned(), remedy));
    };
    let id_file = ini.parent().unwrap_or(Path::new("")).join(name);
    let found = regular_file::read(&id_file, ID_BYTES_MAX).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            let what = format!("KeyFilename={name}: there is no file {}", id_file.display());
            problem(Cause::KeyFilename, line, what, "name the ID file")
        }
        _ => {
            let what = format!("KeyFilename={name}: cannot read {}: {error}", id_file.display());
            let remedy = "name an ID file that this user may read";
            problem(Problem::cause_of(&error, Cause::KeyFilename), line, what, remedy)
        }
    })?;
    // What is in a file that is no ID file is nobody's business.
    let Some(identity) = name_in(&found) else {
        let what = format!("KeyFilename={name}: {} is no ID file: it has no line `Name=`", id_file.display());
        return Err(problem(Cause::KeyFilename, line, what, "name the ID file"));
    };
    if !identity.eq_ignore_ascii_case(expected) {
        let what = format!("KeyFilename={name}: that is the ID file of {identity}, not of {expected}");
        let remedy = "name the connector's ID file, or set `identity` to the name in this one";
        return Err(problem(Cause::KeyFilename, line, what, remedy));
    }
    Ok((id_file, identity))
}

/// Returns the name in an ID file: of its line `Name=CN=Calcon`.
fn name_in(id_file: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(id_file).ok()?;
    let (_, name) = value(text, "Name")?;
    let is_name = (1..=NAME_BYTES_MAX).contains(&name.len()) && !name.chars().any(char::is_control);
    is_name.then(|| name.to_owned())
}

fn location(ini: &Path, text: &str) -> Result<Location, Problem> {
    let problem = |line, what: String, remedy: &str| Problem {
        cause: Cause::Location,
        file: Some(ini.to_owned()),
        line: Some(line),
        tried: "to find the location document".to_owned(),
        what,
        remedy: remedy.to_owned(),
    };
    let Some((line, name)) = value(text, "Location") else {
        return Err(problem(end(text), "Location is missing".to_owned(), "add `Location=Office`"));
    };
    // `Office,2AE,CN=Calcon`: the document's name, then its id and its owner.
    match name.split(',').next().unwrap_or(name).trim().parse() {
        Ok(Location::Office) => Ok(Location::Office),
        Ok(location) => {
            let what = format!("Location={location}: databases on the server open only from Office");
            Err(problem(line, what, "write `Location=Office`"))
        }
        Err(_) => Err(problem(line, format!("Location={name}: no such location"), "write `Location=Office`")),
    }
}

fn unreadable(ini: &Path, error: &io::Error) -> Problem {
    Problem {
        cause: Problem::cause_of(error, Cause::Settings),
        file: Some(ini.to_owned()),
        line: None,
        tried: "to read the Notes profile".to_owned(),
        what: format!("cannot read the Notes profile: {error}"),
        remedy: "set `notes_ini` to a Notes.ini that this user may read".to_owned(),
    }
}

/// Returns the line after the last one.
fn end(text: &str) -> usize {
    text.lines().count() + 1
}

/// Returns the last value of a key, which is case-insensitive, and its line, counted from 1.
fn value<'a>(text: &'a str, key: &str) -> Option<(usize, &'a str)> {
    let lines = text.lines().enumerate().filter_map(|(at, line)| Some((at + 1, line.split_once('=')?)));
    let of_key = |(at, (name, value)): (usize, (&str, &'a str))| {
        name.trim().eq_ignore_ascii_case(key).then(|| (at, value.trim()))
    };
    lines.filter_map(of_key).last()
}
