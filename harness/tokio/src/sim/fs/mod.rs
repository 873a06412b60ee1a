//! tokio's `fs`: the real files, which are the same for every host. An operation takes place at once, and no time passes.

use std::{
    ffi::OsString,
    fs::{self, FileType, Metadata, Permissions},
    io,
    os::unix::fs::DirEntryExt,
    path::{Path, PathBuf},
    task::{Context, Poll},
};

mod file;
mod options;

pub use file::File;
pub use options::{DirBuilder, OpenOptions};

macro_rules! at_once {
    ($($(#[$doc:meta])* $name:ident($($arg:ident),*) -> $out:ty;)*) => {$(
        $(#[$doc])*
        pub async fn $name($($arg: impl AsRef<Path>),*) -> io::Result<$out> {
            fs::$name($($arg),*)
        }
    )*};
}

at_once! {
    /// The path without links. As tokio's.
    canonicalize(path) -> PathBuf;
    /// Copies a file. As tokio's.
    copy(from, to) -> u64;
    /// Makes a folder. As tokio's.
    create_dir(path) -> ();
    /// Makes a folder and those above it. As tokio's.
    create_dir_all(path) -> ();
    /// Gives a file one more name. As tokio's.
    hard_link(original, link) -> ();
    /// What is known of a file. As tokio's.
    metadata(path) -> Metadata;
    /// Reads a whole file. As tokio's.
    read(path) -> Vec<u8>;
    /// Where a link leads. As tokio's.
    read_link(path) -> PathBuf;
    /// Reads a whole file as text. As tokio's.
    read_to_string(path) -> String;
    /// Removes an empty folder. As tokio's.
    remove_dir(path) -> ();
    /// Removes a folder with all that is in it. As tokio's.
    remove_dir_all(path) -> ();
    /// Removes a file. As tokio's.
    remove_file(path) -> ();
    /// Gives a file another name. As tokio's.
    rename(from, to) -> ();
    /// What is known of a file, or of the link itself. As tokio's.
    symlink_metadata(path) -> Metadata;
}

/// Writes a whole file. As tokio's.
pub async fn write(path: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> io::Result<()> {
    fs::write(path, contents)
}

/// Whether there is a file. As tokio's.
pub async fn try_exists(path: impl AsRef<Path>) -> io::Result<bool> {
    path.as_ref().try_exists()
}

/// Changes who may use a file. As tokio's.
pub async fn set_permissions(path: impl AsRef<Path>, perm: Permissions) -> io::Result<()> {
    fs::set_permissions(path, perm)
}

/// Makes a link. As tokio's.
pub async fn symlink(original: impl AsRef<Path>, link: impl AsRef<Path>) -> io::Result<()> {
    std::os::unix::fs::symlink(original, link)
}

/// The entries of a folder, by name: the order of the disk is another one on each machine.
pub async fn read_dir(path: impl AsRef<Path>) -> io::Result<ReadDir> {
    let mut entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    Ok(ReadDir(entries.into_iter()))
}

/// The entries of a folder. As tokio's.
#[derive(Debug)]
pub struct ReadDir(std::vec::IntoIter<fs::DirEntry>);

impl ReadDir {
    /// The next one.
    pub async fn next_entry(&mut self) -> io::Result<Option<DirEntry>> {
        Ok(self.0.next().map(DirEntry))
    }

    /// The next one; always ready.
    pub fn poll_next_entry(&mut self, _: &mut Context<'_>) -> Poll<io::Result<Option<DirEntry>>> {
        Poll::Ready(Ok(self.0.next().map(DirEntry)))
    }
}

/// An entry of a folder. As tokio's.
#[derive(Debug)]
pub struct DirEntry(fs::DirEntry);

impl DirEntry {
    /// Its path.
    pub fn path(&self) -> PathBuf {
        self.0.path()
    }

    /// Its name.
    pub fn file_name(&self) -> OsString {
        self.0.file_name()
    }

    /// What is known of it.
    pub async fn metadata(&self) -> io::Result<Metadata> {
        self.0.metadata()
    }

    /// Of which kind it is.
    pub async fn file_type(&self) -> io::Result<FileType> {
        self.0.file_type()
    }

    /// Its number on the disk.
    pub fn ino(&self) -> u64 {
        self.0.ino()
    }
}
