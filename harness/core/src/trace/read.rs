//! Reads a trace file, and refuses one that is torn, too large, of a later format or not understood to its last byte.

use super::{EVENTS_MAX, FILE_BYTES_MAX, Header, LINE_BYTES_MAX, Limit, SOCKETS_MAX, Trace, TraceError, VERSION};
use crate::strict_json;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use std::{fs::File, io::Read, path::Path};

/// What the header of every format begins with.
const FORMAT: &str = "refrain-trace";

/// Reads a trace file.
pub fn read(path: &Path) -> Result<Trace, TraceError> {
    let failed = |source| TraceError::File { path: path.to_path_buf(), tried: "read the trace", source };
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(TraceError::Folder { path: path.to_path_buf() });
    }
    let mut text = Vec::new();
    // One byte more than a trace may have, so that `parse` sees that there are too many.
    file.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut text).map_err(failed)?;
    parse(path, &text)
}

/// Reads a trace out of memory; `name` is what errors call it.
pub fn parse(name: &Path, text: &[u8]) -> Result<Trace, TraceError> {
    let path = || name.to_path_buf();
    let too_large = |line, what| TraceError::TooLarge { path: path(), line, what };
    if text.is_empty() {
        return Err(TraceError::Empty { path: path() });
    }
    if text.len() > FILE_BYTES_MAX {
        return Err(too_large(1, Limit::File));
    }
    let mut lines = Lines { name, rest: text, line: 0 };
    let header = header(&mut lines)?;
    if header.events > EVENTS_MAX {
        return Err(too_large(1, Limit::Events));
    }
    if header.sockets > SOCKETS_MAX {
        return Err(too_large(1, Limit::Sockets));
    }
    let promised = header.events + header.sockets;
    let (mut events, mut sockets) = (Vec::new(), Vec::new());
    for found in 0..promised {
        let line = lines.next()?.ok_or_else(|| TraceError::Torn { path: path(), promised, found })?;
        match found < header.events {
            true => events.push(part("an event", line).map_err(|what| lines.error(what))?),
            false => sockets.push(part("a socket", line).map_err(|what| lines.error(what))?),
        }
    }
    if !lines.rest.is_empty() {
        return Err(TraceError::Longer { path: path(), promised });
    }
    let Header { test, package, target, engine, failure, plan, digest, left_out, build, .. } = header;
    Ok(Trace { test, package, target, engine, plan, failure, digest, left_out, build, events, sockets })
}

fn header(lines: &mut Lines) -> Result<Header, TraceError> {
    let path = lines.name.to_path_buf();
    let begins = format!("{{\"{FORMAT}\":");
    let text = lines.rest;
    let Some(line) = lines.next()? else {
        // Too short to tell, or the beginning of a header: it was one.
        let torn = text.starts_with(begins.as_bytes()) || begins.as_bytes().starts_with(text);
        return Err(if torn { TraceError::TornHeader { path } } else { TraceError::NoTrace { path } });
    };
    if !line.starts_with(begins.as_bytes()) {
        return Err(TraceError::NoTrace { path });
    }
    let mut value = json(line).map_err(|what| lines.error(what))?;
    match value[FORMAT].as_u64() {
        None | Some(0) => return Err(TraceError::NoTrace { path }),
        Some(found) if found > u64::from(VERSION) => return Err(TraceError::Newer { path, found }),
        // It had no sockets.
        Some(1) => value["sockets"] = 0.into(),
        Some(_) => {}
    }
    let header: Header = exactly(&value).map_err(|what| lines.error(format!("expected a header: {what}")))?;
    let hex = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    if header.digest.len() != 16 || !header.digest.bytes().all(hex) {
        return Err(lines.error(format!("digest: expected 16 hexadecimal digits, found {:?}", header.digest)));
    }
    Ok(header)
}

/// An event or a socket.
fn part<T: DeserializeOwned>(name: &str, line: &[u8]) -> Result<T, String> {
    let value = json(line)?;
    if value.get(FORMAT).is_some() {
        return Err(format!("expected {name}, found a second header"));
    }
    exactly(&value).map_err(|what| format!("expected {name}: {what}"))
}

fn json(line: &[u8]) -> Result<Value, String> {
    std::str::from_utf8(line).map_err(|error| format!("expected UTF-8, byte {} is not", error.valid_up_to() + 1))?;
    if line.ends_with(b"\r") {
        return Err("expected the line to end in \\n alone, found \\r\\n".to_string());
    }
    strict_json::parse(line).map_err(|error| format!("expected one JSON object, found {error}"))
}

/// What a JSON value says, if all of it is understood.
fn exactly<'de, T: Deserialize<'de>>(value: &'de Value) -> Result<T, String> {
    let (mut track, mut unknown) = (serde_path_to_error::Track::new(), Vec::new());
    let tracked = serde_path_to_error::Deserializer::new(value, &mut track);
    let mut notice = |path: serde_ignored::Path| unknown.push(path.to_string());
    let read = T::deserialize(serde_ignored::Deserializer::new(tracked, &mut notice));
    let read = read.map_err(|error| match track.path().to_string().as_str() {
        "." => error.to_string(),
        path => format!("{path}: {error}"),
    })?;
    match unknown.first() {
        None => Ok(read),
        Some(field) => Err(format!("field {field} is not known in format {VERSION}")),
    }
}

/// The lines of a text that are not read yet.
struct Lines<'a> {
    name: &'a Path,
    rest: &'a [u8],
    /// The number of the last one that was read, counted from 1.
    line: usize,
}

impl<'a> Lines<'a> {
    /// The next whole line; `None` if no `\n` follows.
    fn next(&mut self) -> Result<Option<&'a [u8]>, TraceError> {
        let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') else { return Ok(None) };
        self.line += 1;
        if end > LINE_BYTES_MAX {
            let path = self.name.to_path_buf();
            return Err(TraceError::TooLarge { path, line: self.line, what: Limit::Line });
        }
        let (line, rest) = (&self.rest[..end], &self.rest[end + 1..]);
        self.rest = rest;
        Ok(Some(line))
    }

    /// An error in the line that was read last.
    fn error(&self, what: String) -> TraceError {
        TraceError::Line { path: self.name.to_path_buf(), line: self.line, what }
    }
}
