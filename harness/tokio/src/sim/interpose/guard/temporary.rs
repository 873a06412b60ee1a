//! The temporary folder of a run, which each worker opens as the same descriptor: `TMPDIR` is the path of that, `/proc/self/fd/N`.
//!
//! The folder behind it is another one in each process, and the kernel tells its path. Here that becomes the name again which all have in
//! common. Nothing here allocates while a run goes on.

use super::{
    PATH_BYTES_MAX,
    reissue::{Call, reissue},
};
use std::{env, fs, os::unix::ffi::OsStrExt, path::PathBuf, ptr, sync::OnceLock};

/// The name of the folder, and its path behind that.
static FOLDER: OnceLock<(PathBuf, PathBuf)> = OnceLock::new();

/// Finds the folder for this process, if its name is that of a descriptor.
pub(super) fn find() {
    let name = env::temp_dir();
    if name.starts_with("/proc/self/fd")
        && let Ok(path) = fs::read_link(&name)
    {
        let _ = FOLDER.set((name, path));
    }
}

/// The folder that the machine has for temporary files of all processes, if that of runs is another one.
pub(super) fn machines() -> Option<PathBuf> {
    let (_, path) = FOLDER.get()?;
    path.ancestors().nth(2).map(PathBuf::from)
}

/// Whether a path begins with the name of the folder.
pub(crate) fn is_named(path: &[u8]) -> bool {
    FOLDER.get().is_some_and(|(name, _)| below(path, name.as_os_str().as_bytes()).is_some())
}

/// Writes a path of the kernel that leads to the folder, or into it, as one that begins with its name. `None` if it leads elsewhere or is
/// too long.
pub(crate) fn named<'a>(path: &[u8], into: &'a mut [u8; PATH_BYTES_MAX]) -> Option<&'a [u8]> {
    let (name, behind) = FOLDER.get()?;
    let (name, rest) = (name.as_os_str().as_bytes(), below(path, behind.as_os_str().as_bytes())?);
    let length = name.len() + rest.len();
    into.get_mut(..name.len())?.copy_from_slice(name);
    into.get_mut(name.len()..length)?.copy_from_slice(rest);
    Some(&into[..length])
}

/// What follows a folder in a path of what it contains, or of itself.
fn below<'a>(path: &'a [u8], folder: &[u8]) -> Option<&'a [u8]> {
    path.strip_prefix(folder).filter(|rest| rest.is_empty() || rest[0] == b'/')
}

/// Answers a call that reads a link into the buffer in its `nth` argument, whose size comes next. The name of the folder is no link: it
/// would lead to itself.
pub(super) fn link(call: &Call, nth: usize) -> Option<isize> {
    if reissue(*call) < 0 {
        return None;
    }
    // The caller's buffer may be too small for the path.
    let (mut path, mut into) = ([0; PATH_BYTES_MAX], [0; PATH_BYTES_MAX]);
    let mut whole = *call;
    (whole.args[nth], whole.args[nth + 1]) = (path.as_mut_ptr() as usize, path.len());
    let length = usize::try_from(reissue(whole)).ok()?;
    let name = named(&path[..length], &mut into)?;
    if is_folder(name) {
        return Some(-libc::EINVAL as isize);
    }
    let name = &name[..name.len().min(call.args[nth + 1])];
    // SAFETY: the kernel has just written there, and the caller gives room for so many bytes.
    unsafe { ptr::copy_nonoverlapping(name.as_ptr(), call.args[nth] as *mut u8, name.len()) };
    Some(name.len() as isize)
}

/// Answers `getcwd`.
pub(super) fn getcwd(call: &Call) -> Option<isize> {
    if reissue(*call) < 0 {
        return None;
    }
    let (mut path, mut into) = ([0; PATH_BYTES_MAX], [0; PATH_BYTES_MAX]);
    let length = working_folder(&mut path)?;
    let name = named(&path[..length], &mut into)?;
    let [buffer, size, ..] = call.args;
    // A zero follows.
    if size <= name.len() {
        return Some(-libc::ERANGE as isize);
    }
    let buffer = buffer as *mut u8;
    // SAFETY: the kernel has just written there, and the caller gives room for so many bytes.
    unsafe {
        ptr::copy_nonoverlapping(name.as_ptr(), buffer, name.len());
        buffer.add(name.len()).write(0);
    }
    Some(name.len() as isize + 1)
}

/// Writes the path of the working folder as the kernel tells it, and returns its length.
pub(super) fn working_folder(into: &mut [u8; PATH_BYTES_MAX]) -> Option<usize> {
    let args = [into.as_mut_ptr() as usize, into.len(), 0, 0, 0, 0];
    let length = reissue(Call { number: libc::SYS_getcwd, args });
    usize::try_from(length).ok()?.checked_sub(1)
}

fn is_folder(name: &[u8]) -> bool {
    FOLDER.get().is_some_and(|(folder, _)| folder.as_os_str().as_bytes() == name)
}
