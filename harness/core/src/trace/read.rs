//! Reads a trace file, and rejects one that is truncated, too large, of a newer format or not fully understood.
//!
//! It reads one line at a time and holds no more than the trace itself in memory.

use super::{
    EVENTS_MAX, FILE_BYTES_MAX, Header, LINE_BYTES_MAX, Limit, SOCKETS_MAX, Trace, TraceError, VALUES_MAX, VERSION,
};
use crate::{
    escape::escaped,
    lines::{LineError, Lines},
    strict_json::{self, Refused},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader},
    os::unix::fs::{FileTypeExt, OpenOptionsExt},
    path::Path,
};

/// The first field of the header in every format.
const FORMAT: &str = "refrain-trace";

/// Reads a trace file.
pub fn read(path: &Path) -> Result<Trace, TraceError> {
    Reader::open(path)?.trace()
}

/// Parses a trace in memory; `name` is used in errors.
pub fn parse(name: &Path, text: &[u8]) -> Result<Trace, TraceError> {
    Reader::new(name, text, text.len() as u64)?.trace()
}

/// Returns the test that a trace belongs to. Reads only the first line, and parses only the name.
pub fn test_of(path: &Path) -> Result<String, TraceError> {
    #[derive(Deserialize)]
    struct Named {
        test: String,
    }
    let mut reader = Reader::open(path)?;
    let line = reader.first_line()?;
    let named: Result<Named, _> = serde_json::from_slice(line);
    named.map(|named| named.test).map_err(|error| reader.error(format!("expected a header: {error}")))
}

/// Opens a regular file, and nothing that could block or never end.
pub(super) fn open_file(path: &Path) -> Result<File, TraceError> {
    let failed = |source| TraceError::File { path: path.to_path_buf(), tried: "read the trace", source };
    // Without this flag, opening a FIFO blocks until a writer opens it.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path).map_err(failed)?;
    let kind = file.metadata().map_err(failed)?.file_type();
    let what = match kind {
        _ if kind.is_file() => return Ok(file),
        _ if kind.is_dir() => "a folder",
        _ if kind.is_fifo() => "a FIFO",
        _ => "a device",
    };
    Err(TraceError::NoFile { path: path.to_path_buf(), what })
}

/// A trace being read.
struct Reader<'a, R> {
    path: &'a Path,
    lines: Lines<io::Take<R>>,
    values_left: usize,
}

impl<'a> Reader<'a, BufReader<File>> {
    fn open(path: &'a Path) -> Result<Self, TraceError> {
        let file = open_file(path)?;
        let bytes = file.metadata().map_or(0, |metadata| metadata.len());
        Reader::new(path, BufReader::new(file), bytes)
    }
}

impl<'a, R: BufRead> Reader<'a, R> {
    fn new(path: &'a Path, source: R, bytes: u64) -> Result<Self, TraceError> {
        // The file may grow while it is read, so the limit applies to what is read.
        let lines = Lines::new(source.take(FILE_BYTES_MAX as u64), LINE_BYTES_MAX);
        let mut reader = Reader { path, lines, values_left: VALUES_MAX };
        if reader.lines.at_end().map_err(|source| reader.failed(source))? {
            return Err(TraceError::Empty { path: path.to_path_buf() });
        }
        if bytes > FILE_BYTES_MAX as u64 {
            return Err(TraceError::TooLarge { path: path.to_path_buf(), line: 1, what: Limit::File });
        }
        Ok(reader)
    }

    fn trace(mut self) -> Result<Trace, TraceError> {
        let path = || self.path.to_path_buf();
        let header = self.header()?;
        for (found, max, what) in
            [(header.events, EVENTS_MAX, Limit::Events), (header.sockets, SOCKETS_MAX, Limit::Sockets)]
        {
            if found > max {
                return Err(self.too_large(what));
            }
        }
        let promised = header.events + header.sockets;
        let (mut events, mut sockets) = (Vec::new(), Vec::new());
        for found in 0..promised {
            match found < header.events {
                true => events.push(self.part("an event", promised, found)?),
                false => sockets.push(self.part("a socket", promised, found)?),
            }
        }
        if !self.lines.at_end().map_err(|source| self.failed(source))? {
            return Err(TraceError::Longer { path: path(), promised });
        }
        Ok(Trace {
            test: header.test,
            package: header.package,
            target: header.target,
            engine: header.engine,
            plan: header.plan,
            anchors: header.anchors,
            failure: header.failure,
            digest: header.digest,
            left_out: header.left_out,
            build: header.build,
            packages: header.packages,
            events,
            sockets,
        })
    }

    fn header(&mut self) -> Result<Header, TraceError> {
        let line = self.first_line()?.to_vec();
        let value = self.json(&line)?;
        let path = self.path.to_path_buf();
        match value[FORMAT].as_u64() {
            None | Some(0) => return Err(TraceError::NoTrace { path }),
            Some(found) if found > u64::from(VERSION) => return Err(TraceError::Newer { path, found }),
            Some(found) if found < u64::from(VERSION) => return Err(TraceError::Older { path, found }),
            Some(_) => {}
        }
        let header: Header = exactly(&value).map_err(|what| self.error(format!("expected a header: {what}")))?;
        let hex = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        if header.digest.len() != 16 || !header.digest.bytes().all(hex) {
            return Err(self.error(format!("digest: expected 16 hexadecimal digits, found {:?}", header.digest)));
        }
        Ok(header)
    }

    /// Reads the first line, which must begin like a header.
    fn first_line(&mut self) -> Result<&[u8], TraceError> {
        let begins = format!("{{\"{FORMAT}\":");
        let path = || self.path.to_path_buf();
        let whole = match self.lines.next_line().map(|line| line.is_some()) {
            Err(LineError::Read(source)) => return Err(self.failed(source)),
            Err(LineError::TooLong) if self.lines.last().starts_with(begins.as_bytes()) => {
                return Err(self.too_large(Limit::Line));
            }
            Err(LineError::TooLong) => false,
            Ok(whole) => whole,
        };
        let line = self.lines.last();
        match line.starts_with(begins.as_bytes()) {
            true if whole => Ok(line.strip_suffix(b"\n").unwrap_or(line)),
            true => Err(TraceError::TornHeader { path: path() }),
            // Too short to decide.
            false if !whole && begins.as_bytes().starts_with(line) => Err(TraceError::TornHeader { path: path() }),
            false => Err(TraceError::NoTrace { path: path() }),
        }
    }

    /// Parses an event or a socket.
    fn part<T: DeserializeOwned>(&mut self, name: &str, promised: usize, found: usize) -> Result<T, TraceError> {
        let line = match self.lines.next_line() {
            Err(LineError::Read(source)) => return Err(self.failed(source)),
            Err(LineError::TooLong) => return Err(self.too_large(Limit::Line)),
            Ok(None) => return Err(TraceError::Torn { path: self.path.to_path_buf(), promised, found }),
            Ok(Some(line)) => line.to_vec(),
        };
        let value = self.json(&line)?;
        if value.get(FORMAT).is_some() {
            return Err(self.error(format!("expected {name}, found a second header")));
        }
        exactly(&value).map_err(|what| self.error(format!("expected {name}: {what}")))
    }

    fn json(&mut self, line: &[u8]) -> Result<Value, TraceError> {
        if let Err(error) = std::str::from_utf8(line) {
            return Err(self.error(format!("expected UTF-8, byte {} is not", error.valid_up_to() + 1)));
        }
        if line.ends_with(b"\r") {
            return Err(self.error("expected the line to end in \\n alone, found \\r\\n".to_string()));
        }
        strict_json::parse(line, &mut self.values_left).map_err(|refused| match refused {
            Refused::TooMany => self.too_large(Limit::Values),
            Refused::Found(found) => self.error(format!("expected one JSON object, found {found}")),
        })
    }

    fn failed(&self, source: io::Error) -> TraceError {
        TraceError::File { path: self.path.to_path_buf(), tried: "read the trace", source }
    }

    fn too_large(&self, what: Limit) -> TraceError {
        TraceError::TooLarge { path: self.path.to_path_buf(), line: self.lines.number(), what }
    }

    /// Returns an error about the last line read, which may quote that line.
    fn error(&self, what: String) -> TraceError {
        TraceError::Line { path: self.path.to_path_buf(), line: self.lines.number(), what: escaped(&what) }
    }
}

/// Deserializes a JSON value, and rejects unknown fields.
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
