//! Reads regular files within a limit. Opening a named pipe waits for a writer, and a device may never end.

use std::fs::{self, File, FileType};
use std::io::{self, Read};
use std::path::Path;

/// Returns the contents of a file.
///
/// # Errors
/// If it is not a regular file, has more than `bytes_max` bytes, or cannot be read.
pub(crate) fn read(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    // Before it is opened, because that may wait; and again afterwards, because it may have been replaced.
    check(&fs::metadata(path)?.file_type())?;
    let file = File::open(path)?;
    check(&file.metadata()?.file_type())?;
    let mut bytes = Vec::new();
    file.take(bytes_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        return Err(io::Error::other(format!("it has more than {bytes_max} bytes")));
    }
    Ok(bytes)
}

fn check(kind: &FileType) -> io::Result<()> {
    if kind.is_file() {
        return Ok(());
    }
    Err(io::Error::other(format!("it is {}: only regular files are read", name(kind))))
}

#[cfg(unix)]
fn name(kind: &FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    match kind {
        kind if kind.is_dir() => "a directory",
        kind if kind.is_fifo() => "a named pipe",
        kind if kind.is_socket() => "a socket",
        _ => "a device",
    }
}

#[cfg(not(unix))]
fn name(kind: &FileType) -> &'static str {
    if kind.is_dir() { "a directory" } else { "no file" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(path: &Path) -> String {
        read(path, 10).expect_err("refused").to_string()
    }

    #[test]
    fn only_regular_files_within_the_limit_are_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        fs::write(&file, "0123456789").expect("written");
        assert_eq!(read(&file, 10).expect("read"), b"0123456789");
        fs::write(&file, "01234567890").expect("written");
        assert_eq!(refused(&file), "it has more than 10 bytes");
        assert_eq!(refused(folder.path()), "it is a directory: only regular files are read");
        assert_eq!(refused(Path::new("/dev/zero")), "it is a device: only regular files are read");
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("started").success());
        assert_eq!(refused(&pipe), "it is a named pipe: only regular files are read");
    }
}
