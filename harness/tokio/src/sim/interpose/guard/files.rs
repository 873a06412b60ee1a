//! Which files a run may open: those of its workspace, temporary ones, and a few that are the same on every machine.
//!
//! libc opens files itself while it allocates memory. So nothing here allocates, until the run ends.

use super::{PATH_BYTES_MAX, answers, is_allowed, paths::ahead, temporary};
use libc::c_int;
use refrain_core::verdict::Outside;
use std::{env, os::unix::ffi::OsStrExt, path::Path, sync::OnceLock};

/// The folders in which any file may be opened.
static ROOTS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();

/// Files that yield chance.
const CHANCE: [&str; 2] = ["/dev/urandom", "/dev/random"];
/// Files that are the same everywhere, or on which no simulated host depends: those of libc and of backtraces, and the certificates that
/// clients load before they make any connection.
const SAME: [&str; 13] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/proc/sys/vm/overcommit_memory",
    "/sys/devices/system/cpu/online",
    "/proc/self/maps",
    "/usr/lib/debug",
    "/etc/ssl",
    "/etc/pki",
    "/etc/ca-certificates",
    "/usr/lib/ssl",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
];
/// What no simulated host has: it is in UTC, in no control group, of no distribution, without users, and its names are those of the
/// simulation.
const ABSENT: [&str; 20] = [
    "/etc/gai.conf",
    "/etc/group",
    "/etc/host.conf",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/machine-id",
    "/etc/nsswitch.conf",
    "/etc/os-release",
    "/etc/passwd",
    "/etc/protocols",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/localtime",
    "/etc/timezone",
    "/usr/share/zoneinfo",
    "/var/lib/dbus/machine-id",
    "/proc/self/cgroup",
    "/proc/self/mountinfo",
    "/sys/fs/cgroup",
    "/sys/devices/system/cpu/possible",
];

/// Finds the folders for this process, which is in that of the package.
pub(super) fn find_roots() {
    let package = env::current_dir().unwrap_or_default();
    let workspace = package.ancestors().find(|folder| folder.join("Cargo.lock").exists()).map(Path::to_owned);
    // target/debug/deps/NAME-HASH
    let exe = env::current_exe().unwrap_or_default();
    let target = exe.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists()).or(exe.ancestors().nth(2));
    let target = target.map(Path::to_owned);
    let roots = [Some(package), workspace, target, Some(env::temp_dir()), temporary::machines()];
    let roots = roots.into_iter().flatten().map(|root| root.as_os_str().as_bytes().to_vec());
    let _ = ROOTS.set(roots.filter(|root| !root.is_empty()).collect());
}

/// Answers a system call that opens a file.
pub(super) fn open(name: &'static str, folder: c_int, path: usize) -> Option<isize> {
    let mut copy = [0; PATH_BYTES_MAX];
    let path = ahead(path, &mut copy)?;
    let mut absolute = [0; PATH_BYTES_MAX];
    let mut length = 0;
    if !path.starts_with(b"/") {
        // The folder itself was checked when it was opened. Only `..` leads out of it.
        if folder != libc::AT_FDCWD {
            let leaves = path.split(|byte| *byte == b'/').any(|part| part == b"..");
            if leaves && !is_allowed(Outside::Files) {
                answers::check_file(name, path);
            }
            return None;
        }
        length = temporary::working_folder(&mut absolute).unwrap_or(0);
    }
    let path = append(&mut absolute, length, path)?;
    let is = |known: &[&str]| known.iter().any(|known| is_in(path, known.as_bytes()));
    if is(&CHANCE) {
        return answers::chance();
    }
    let roots = ROOTS.get().map_or(&[][..], Vec::as_slice);
    if is(&SAME) || is_library(path) || is_allowed(Outside::Files) || roots.iter().any(|root| is_in(path, root)) {
        return None;
    }
    if is(&ABSENT) {
        return Some(-libc::ENOENT as isize);
    }
    answers::check_file(name, path);
    None
}

/// Whether a file has the name of a shared library, such as `libm.so` or `libm.so.6`. A library that is loaded is code, as the executable.
fn is_library(path: &[u8]) -> bool {
    path.ends_with(b".so") || path.windows(4).any(|part| part == b".so.")
}

/// Whether a path is this one, or in this folder.
fn is_in(path: &[u8], folder: &[u8]) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
}

/// Appends a path to an absolute one without `.` and `..`; `None` if it is too long.
fn append<'a>(buffer: &'a mut [u8; PATH_BYTES_MAX], mut length: usize, path: &[u8]) -> Option<&'a [u8]> {
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => length = buffer[..length].iter().rposition(|byte| *byte == b'/').unwrap_or(0),
            _ => {
                buffer.get_mut(length).map(|byte| *byte = b'/')?;
                buffer.get_mut(length + 1..length + 1 + part.len())?.copy_from_slice(part);
                length += 1 + part.len();
            }
        }
    }
    Some(&buffer[..length])
}
