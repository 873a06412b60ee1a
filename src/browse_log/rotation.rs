//! A file of lines that is set aside when it is long: `FILE` becomes `FILE.1`, that `FILE.2`, and the last one is removed.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The default length of a file, in bytes.
pub const BYTES_MAX: u64 = 1 << 20;
/// The default number of files.
pub const FILES_MAX: u32 = 5;

/// A file, and when and how often it is set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The file that is written.
    pub file: PathBuf,
    /// Beyond this number of bytes it is set aside.
    pub bytes_max: u64,
    /// The number of files, including the one that is written.
    pub files_max: u32,
}

impl Rotation {
    /// Returns the defaults for a file: five of one megabyte.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Self { file: file.into(), bytes_max: BYTES_MAX, files_max: FILES_MAX }
    }

    /// Creates the file, or checks that it can be written.
    ///
    /// # Errors
    /// The system's error.
    pub fn open(&self) -> io::Result<()> {
        append(&self.file).map(drop)
    }

    /// Appends lines, each with its end, to as many files as they need. A file that somebody has moved away is made again.
    ///
    /// # Errors
    /// The system's error. Some of the lines may have been written.
    pub(super) fn write(&self, mut lines: &[u8]) -> io::Result<()> {
        while !lines.is_empty() {
            let mut file = append(&self.file)?;
            let bytes = file.metadata()?.len();
            let fitting = whole_lines(lines, self.bytes_max.saturating_sub(bytes));
            if fitting == 0 && bytes > 0 {
                drop(file);
                self.set_aside()?;
                continue;
            }
            // A single line may be longer than a file should be.
            let first = || lines.split_inclusive(|byte| *byte == b'\n').next().map_or(lines.len(), <[u8]>::len);
            let (now, rest) = lines.split_at(if fitting == 0 { first() } else { fitting });
            file.write_all(now)?;
            lines = rest;
        }
        Ok(())
    }

    fn set_aside(&self) -> io::Result<()> {
        let oldest = self.files_max.saturating_sub(1);
        if oldest == 0 {
            return fs::remove_file(&self.file);
        }
        for number in (1..oldest).rev() {
            missing_is_fine(fs::rename(self.numbered(number), self.numbered(number + 1)))?;
        }
        fs::rename(&self.file, self.numbered(1))
    }

    fn numbered(&self, number: u32) -> PathBuf {
        let mut name = self.file.clone().into_os_string();
        name.push(format!(".{number}"));
        name.into()
    }
}

/// Returns the length of the first lines that have no more than this many bytes together.
fn whole_lines(lines: &[u8], bytes_max: u64) -> usize {
    let within = &lines[..lines.len().min(usize::try_from(bytes_max).unwrap_or(usize::MAX))];
    within.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1)
}

fn append(path: &Path) -> io::Result<fs::File> {
    // A pipe that nobody reads must not stop the daemon.
    if fs::metadata(path).is_ok_and(|data| !data.is_file()) {
        return Err(io::Error::other("it is no regular file"));
    }
    OpenOptions::new().create(true).append(true).mode(0o640).open(path)
}

fn missing_is_fine(outcome: io::Result<()>) -> io::Result<()> {
    outcome.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_set_aside_and_the_oldest_is_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("browse.log");
        let log = Rotation { file: file.clone(), bytes_max: 10, files_max: 3 };
        for line in ["one\n", "two\n", "three\n", "four\n", "a line that is longer than a file\n", "six\n"] {
            log.write(line.as_bytes()).expect("written");
        }
        let text = |name: &str| fs::read_to_string(folder.path().join(name)).expect("read");
        assert_eq!(text("browse.log"), "six\n");
        assert_eq!(text("browse.log.1"), "a line that is longer than a file\n");
        assert_eq!(text("browse.log.2"), "four\n");
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 3);
        // An operator moves it away.
        fs::rename(&file, folder.path().join("old")).expect("moved");
        log.write(b"seven\n").expect("written");
        assert_eq!(text("browse.log"), "seven\n");
    }

    /// As they are written after a storm of events.
    #[test]
    fn many_lines_at_once_take_as_many_files_as_they_need() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = Rotation { bytes_max: 10, files_max: 3, ..Rotation::new(folder.path().join("browse.log")) };
        log.write(b"one\ntwo\nthree\nfour\nfive\nsix\n").expect("written");
        let text = |name: &str| fs::read_to_string(folder.path().join(name)).expect("read");
        assert_eq!(
            [text("browse.log.2"), text("browse.log.1"), text("browse.log")],
            ["three\n", "four\nfive\n", "six\n"]
        );
    }

    #[test]
    fn one_file_is_enough() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = Rotation { bytes_max: 5, files_max: 1, ..Rotation::new(folder.path().join("browse.log")) };
        for line in ["one\n", "two\n"] {
            log.write(line.as_bytes()).expect("written");
        }
        assert_eq!(fs::read_to_string(&log.file).expect("read"), "two\n");
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1);
    }

    #[test]
    fn what_is_no_file_is_not_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = Rotation::new(folder.path()).open().expect_err("refused");
        assert_eq!(error.to_string(), "it is no regular file");
    }
}
