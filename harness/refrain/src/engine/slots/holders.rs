//! The processes that hold slots. Each writes its number into the file that it has locked.

use crate::protocol::SlotHolder;
use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    process,
};

/// Writes the number of this process into the file of a slot that it has locked.
pub(super) fn sign(mut file: &File) {
    // Without it the slot is taken all the same, and nobody knows by whom.
    let _ = file.set_len(0).and_then(|()| file.write_all(process::id().to_string().as_bytes()));
}

/// Returns the processes that hold slots of a directory, in the order of the slots.
pub(super) fn all(directory: &Path, slots: usize) -> Vec<SlotHolder> {
    let taken = (0..slots).map(|slot| super::file(directory, slot)).filter(|path| {
        let file = File::options().write(true).open(path);
        file.is_ok_and(|file| file.try_lock().is_err())
    });
    let numbers = taken.filter_map(|path| fs::read_to_string(path).ok()?.trim().parse().ok());
    let mut holders: Vec<SlotHolder> = vec![];
    for process in numbers {
        if !holders.iter().any(|holder| holder.process == process) {
            holders.push(holder(process));
        }
    }
    holders
}

/// Reads the name and the state of a process.
fn holder(process: u32) -> SlotHolder {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // `NUMBER (NAME) STATE ...`; a name may have brackets, too.
    let named = stat.split_once('(').and_then(|(_, rest)| rest.rsplit_once(") "));
    let (name, rest) = named.unwrap_or_default();
    SlotHolder { process, name: name.to_owned(), is_stopped: rest.starts_with(['T', 't']) }
}
