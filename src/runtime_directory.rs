//! Where the sockets of a user's daemons are, if the settings do not say: in a directory that nobody else may enter.

use std::env;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Of a service of the system.
const OF_SYSTEM: &str = "/run/calcon";
/// The user of this process has it.
const SELF: &str = "/proc/self";

/// Returns the directory for a daemon's socket, and makes it if it is not there.
///
/// # Errors
/// If that fails, or others may enter it.
pub(crate) fn made() -> io::Result<PathBuf> {
    // systemd makes this one, and names it.
    if let Some(first) = env::var_os("RUNTIME_DIRECTORY").and_then(|list| env::split_paths(&list).next()) {
        return Ok(first);
    }
    let directory = own()?;
    match DirBuilder::new().mode(0o700).create(&directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => check(&directory).map(|()| directory),
    }
}

/// Returns the path of a daemon's socket, for its operators: the first of those places where it is.
pub(crate) fn socket(name: &str) -> PathBuf {
    let own = own().ok().filter(|directory| check(directory).is_ok());
    let places = [own.clone(), Some(PathBuf::from(OF_SYSTEM))].into_iter().flatten();
    let mut sockets = places.map(|directory| directory.join(name));
    let usual = own.unwrap_or_else(|| PathBuf::from(OF_SYSTEM)).join(name);
    sockets.find(|socket| socket.exists()).unwrap_or(usual)
}

/// Returns the directory of this user: where the session has its sockets, or in the directory for temporary files.
fn own() -> io::Result<PathBuf> {
    let session = env::var_os("XDG_RUNTIME_DIR").filter(|directory| Path::new(directory).is_dir());
    match session {
        Some(directory) => Ok(Path::new(&directory).join("calcon")),
        None => Ok(env::temp_dir().join(format!("calcon-{}", fs::metadata(SELF)?.uid()))),
    }
}

/// Checks that the directory is this user's: somebody else may have made one of this name first.
fn check(directory: &Path) -> io::Result<()> {
    let data = fs::symlink_metadata(directory)?;
    let own = data.is_dir() && data.uid() == fs::metadata(SELF)?.uid();
    if own && data.mode() & 0o077 == 0 {
        return Ok(());
    }
    let what = format!("{} is not a directory that this user alone may enter (mode 0700)", directory.display());
    Err(io::Error::new(io::ErrorKind::PermissionDenied, what))
}
