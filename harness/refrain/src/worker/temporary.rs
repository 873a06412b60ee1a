//! The temporary folder of a worker's runs: its name is the same in every process, and it is empty when a run begins.
//!
//! The plan decides the names of temporary files. So all runs of one plan create the same ones, one after the other or at the same time
//! in several processes. Each worker therefore has a folder of its own and opens it with a fixed number: `TMPDIR` is the path of that
//! descriptor.
//!
//! The folder is one of the machine's temporary folder. It is locked for as long as a process of the worker has it open. The guard removes
//! it, or the worker if the guard is gone. If both are killed at once, the test's process does, and if that is killed as well, the next
//! test of the machine: they remove folders that nobody has locked.

use crate::engine::make_own;
use rustix::{
    io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd},
    process::geteuid,
};
use std::{
    env,
    fs::{self, DirBuilder, DirEntry, File, Permissions},
    io,
    os::{
        fd::{AsRawFd, OwnedFd, RawFd},
        unix::fs::{DirBuilderExt, PermissionsExt},
    },
    path::{self, Path, PathBuf},
    process,
    time::SystemTime,
};

/// The number of its descriptor: behind that of a run's pipe, far from those that a service opens.
pub const FD: RawFd = 1001;
/// Its path, for the process that asks.
pub const NAME: &str = "/proc/self/fd/1001";
/// The time at which it was written last, until something is created in it.
const UNTOUCHED: SystemTime = SystemTime::UNIX_EPOCH;
/// How many folders may have the number of this process in their names: processes in other containers may share the machine's folder.
const SAME_NUMBER_MAX: u32 = 64;

/// A temporary folder of runs.
#[derive(Debug)]
pub struct Temporary {
    path: PathBuf,
    /// It holds the lock.
    _folder: File,
    /// The same one, with the number that runs know.
    _fd: OwnedFd,
}

impl Temporary {
    /// Makes a folder, and opens it as [`FD`]. `None`: this machine has no `/proc`, allows too few descriptors, or lets nobody write to
    /// its temporary folder, which runs then have as it is.
    pub fn new() -> Option<Temporary> {
        let all = all()?;
        let names = (0..SAME_NUMBER_MAX).map(|nth| all.join(format!("{:010}-{nth}", process::id())));
        let (path, folder) = names.into_iter().find_map(make_locked)?;
        let fd = folder.set_modified(UNTOUCHED).and_then(|()| with_fixed_number(&folder));
        match fd {
            Ok(fd) => Some(Temporary { path, _folder: folder, _fd: fd }),
            Err(_) => {
                let _ = remove(&path);
                None
            }
        }
    }

    /// Removes what a run has left in it. If that was nothing, this takes one system call.
    ///
    /// # Errors
    /// If something cannot be removed.
    pub fn empty(&self) -> io::Result<()> {
        empty_own().map_err(|error| {
            io::Error::other(format!("the temporary folder of runs was not emptied: {}: {error}", self.path.display()))
        })
    }

    /// Removes it. It may be gone already.
    pub fn remove(&self) {
        let _ = remove(&self.path);
    }
}

/// Empties the folder of this process's worker, which has it open as [`FD`]. Where there is none, there is nothing to do.
///
/// # Errors
/// If something cannot be removed.
pub fn empty_own() -> io::Result<()> {
    let folder = Path::new(NAME);
    match fs::metadata(folder) {
        Ok(now) if now.modified()? == UNTOUCHED => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        now => now?,
    };
    for entry in fs::read_dir(folder)? {
        remove_entry(&entry?)?;
    }
    File::open(folder)?.set_modified(UNTOUCHED)
}

/// Removes the folders of workers that were killed together with their guards.
pub fn remove_abandoned() {
    let entries = all().and_then(|all| fs::read_dir(all).ok()).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        if let Ok(folder) = File::open(&path)
            && folder.try_lock().is_ok()
        {
            let _ = remove(&path);
        }
    }
}

/// The folder of this user's folders.
fn all() -> Option<PathBuf> {
    let temporary = path::absolute(env::temp_dir()).ok()?;
    let all = temporary.join(format!("refrain-runs-{}", geteuid().as_raw()));
    make_own(&all).unwrap_or(false).then_some(all)
}

/// Makes a folder that nobody else removes.
fn make_locked(path: PathBuf) -> Option<(PathBuf, File)> {
    DirBuilder::new().mode(0o700).create(&path).ok()?;
    let folder = File::open(&path).ok()?;
    // Until it is locked, another process takes it for abandoned.
    (folder.try_lock().is_ok() && path.exists()).then_some((path, folder))
}

fn with_fixed_number(folder: &File) -> io::Result<OwnedFd> {
    let fd = fcntl_dupfd_cloexec(folder, FD)?;
    // A program that a run starts has the same environment, so it needs the descriptor as well.
    fcntl_setfd(&fd, FdFlags::empty())?;
    match fd.as_raw_fd() == FD && Path::new(NAME).is_dir() {
        true => Ok(fd),
        false => Err(io::ErrorKind::Unsupported.into()),
    }
}

fn remove_entry(entry: &DirEntry) -> io::Result<()> {
    match entry.file_type()?.is_dir() {
        true => remove(&entry.path()),
        false => fs::remove_file(entry.path()),
    }
}

/// Removes a folder and all that is in it, also where a service has taken away its own permission.
fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            permit(folder)?;
            fs::remove_dir_all(folder)
        }
        removed => removed,
    }
}

/// Lets this user change a folder and all folders in it.
fn permit(folder: &Path) -> io::Result<()> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        fs::set_permissions(&folder, Permissions::from_mode(0o700))?;
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    Ok(())
}
