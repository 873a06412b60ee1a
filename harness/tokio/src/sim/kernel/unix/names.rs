//! Names of Unix sockets. Each machine has its own.
//!
//! A path is a name in the simulation, in a directory of the real file system, but there is no file for it: several hosts
//! and concurrent runs may use the same path. Like a file, it outlives its socket until it is removed. A real file with the
//! same path prevents the bind. Real sockets are ignored, because they belong to the world outside the simulation.

use super::super::{
    HostId, Kernel, Kind, Unix, UnixId, UnixSocket, What, current_task,
    errno::{NO_SUCH_FILE, NOT_A_DIRECTORY, os_error},
};
use std::{
    collections::BTreeMap,
    fs, io,
    os::{
        linux::net::SocketAddrExt,
        unix::{fs::FileTypeExt, net::SocketAddr},
    },
    path::{Path, PathBuf},
};

/// Directories that Linux keeps in memory: they are empty after a loss of power.
const IN_MEMORY: [&str; 3] = ["/run", "/var/run", "/dev/shm"];
/// How many names autobind has: five hexadecimal digits.
const AUTOMATIC_MAX: usize = 1 << 20;

/// The key of a name on its machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    Path(PathBuf),
    Abstract(Vec<u8>),
}

/// The names of all machines, each with the socket that was bound to it last.
#[derive(Debug, Default)]
pub(crate) struct Names(BTreeMap<(HostId, Key), UnixId>);

impl Names {
    /// Removes the names that a machine keeps in memory. Those on disk stay.
    pub fn lose_power(&mut self, machine: HostId) {
        let in_memory = |key: &Key| match key {
            Key::Path(path) => IN_MEMORY.iter().any(|folder| path.starts_with(folder)),
            Key::Abstract(_) => true,
        };
        self.0.retain(|(of, key), _| *of != machine || !in_memory(key));
    }
}

/// Formats a name: a path, or `@` and an abstract name.
pub(super) fn shown(address: &SocketAddr) -> String {
    match (address.as_pathname(), address.as_abstract_name()) {
        (Some(path), _) => path.display().to_string(),
        (_, Some(name)) => format!("@{}", String::from_utf8_lossy(name)),
        (None, None) => String::new(),
    }
}

impl Kernel {
    /// Binds a socket. An address without a name binds it to a new abstract one, as on Linux.
    pub fn unix_bind(&mut self, id: UnixId, address: &SocketAddr) -> io::Result<()> {
        self.unix_demand(id)?;
        if self.unix[id].address.is_some() {
            return Err(os_error(io::ErrorKind::InvalidInput));
        }
        let machine = self.hosts[self.unix[id].host].machine;
        let key = key(address).map_err(|error| self.unix_refused(id, address, error))?;
        let (address, key) = match key {
            Some(key) => (address.clone(), key),
            None => self.unix_free_name(machine)?,
        };
        if self.unix_names.0.contains_key(&(machine, key.clone())) || in_the_way(&key) {
            return Err(self.unix_refused(id, &address, os_error(io::ErrorKind::AddrInUse)));
        }
        self.unix_names.0.insert((machine, key.clone()), id);
        (self.unix[id].address, self.unix[id].key) = (Some(address), Some(key));
        Ok(())
    }

    fn unix_free_name(&self, machine: HostId) -> io::Result<(SocketAddr, Key)> {
        let names = (0..AUTOMATIC_MAX).map(|n| format!("{n:05x}").into_bytes());
        let mut free = names.filter(|name| !self.unix_names.0.contains_key(&(machine, Key::Abstract(name.clone()))));
        let name = free.next().ok_or_else(|| os_error(io::ErrorKind::AddrInUse))?;
        Ok((SocketAddr::from_abstract_name(&name)?, Key::Abstract(name)))
    }

    /// Returns the socket that was bound to a name on a host's machine. It may be closed: a path outlives its socket.
    pub(super) fn unix_find(&self, host: HostId, address: &SocketAddr) -> io::Result<UnixId> {
        let key = key(address)?.ok_or_else(|| os_error(io::ErrorKind::InvalidInput))?;
        let has_file = in_the_way(&key);
        let path = matches!(key, Key::Path(_));
        match self.unix_names.0.get(&(self.hosts[host].machine, key)) {
            Some(&id) => Ok(id),
            None if path && !has_file => Err(io::Error::from_raw_os_error(NO_SUCH_FILE)),
            None => Err(os_error(io::ErrorKind::ConnectionRefused)),
        }
    }

    /// Records that a bind or a connect failed.
    pub(super) fn unix_refused(&mut self, id: UnixId, address: &SocketAddr, error: io::Error) -> io::Error {
        let number = error.raw_os_error().unwrap_or_default();
        self.event(Kind::Reset, id, number as usize, |k| What::Unix {
            socket: UnixSocket { name: shown(address), ..k.unix_socket(id) },
            what: Unix::Error(number),
        });
        error
    }

    /// Removes the abstract name of a closed socket. A path stays.
    pub(super) fn unix_forget_name(&mut self, id: UnixId) {
        let machine = self.hosts[self.unix[id].host].machine;
        if let Some(key @ Key::Abstract(_)) = &self.unix[id].key
            && self.unix_names.0.get(&(machine, key.clone())) == Some(&id)
        {
            self.unix_names.0.remove(&(machine, key.clone()));
        }
    }

    /// Removes a path for the current task. `None`: it is not a simulated socket, and the real file system has to do it.
    pub fn unix_remove(&mut self, path: &Path) -> Option<io::Result<()>> {
        let key = path_key(path).ok()?;
        let machine = self.hosts[self.tasks[current_task()].host].machine;
        let Some(id) = self.unix_names.0.remove(&(machine, key)) else {
            return is_real_socket(path).then(|| Err(io::Error::from_raw_os_error(NO_SUCH_FILE)));
        };
        self.unix_event(Kind::Close, id, 6, Unix::Remove);
        Some(Ok(()))
    }

    /// Returns whether a simulated socket has this path on the current task's machine. `None`: the real file system knows.
    pub fn unix_exists(&self, path: &Path) -> Option<bool> {
        let key = path_key(path).ok()?;
        let machine = self.hosts[self.tasks[current_task()].host].machine;
        match self.unix_names.0.contains_key(&(machine, key)) {
            true => Some(true),
            false => is_real_socket(path).then_some(false),
        }
    }
}

/// Returns the key of an address; `None` if it has no name.
fn key(address: &SocketAddr) -> io::Result<Option<Key>> {
    match (address.as_pathname(), address.as_abstract_name()) {
        (Some(path), _) => path_key(path).map(Some),
        (_, name) => Ok(name.map(|name| Key::Abstract(name.to_owned()))),
    }
}

/// Returns the key of a path. Its directory is real, and may have several paths.
fn path_key(path: &Path) -> io::Result<Key> {
    let Some(name) = path.file_name() else { return fs::canonicalize(path).map(Key::Path) };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = fs::canonicalize(folder)?;
    match folder.is_dir() {
        true => Ok(Key::Path(folder.join(name))),
        false => Err(io::Error::from_raw_os_error(NOT_A_DIRECTORY)),
    }
}

/// Returns whether a real file that is not a socket has this path.
fn in_the_way(key: &Key) -> bool {
    let Key::Path(path) = key else { return false };
    fs::symlink_metadata(path).is_ok_and(|file| !file.file_type().is_socket())
}

fn is_real_socket(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket())
}
