//! Writes a trace file so that no reader and no power failure ever meets half of one.

use super::{
    EVENTS_MAX, FILE_BYTES_MAX, Header, LINE_BYTES_MAX, Trace, TraceError, VALUES_MAX, VERSION, file_name, parse, read,
    read::open_file,
};
use crate::strict_json;
use serde::Serialize;
use std::{
    fs::{self, File, Permissions, TryLockError},
    io::{self, ErrorKind, Write},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};
use tempfile::{Builder, NamedTempFile, PersistError};

/// How many traces may have the same name but for a number.
const NAMES_MAX: usize = 100;
/// What the header and the sockets may take of the limits.
const RESERVED_BYTES: usize = 8 << 20;
const RESERVED_VALUES: usize = 400_000;
/// Between these two a temporary file has a name of its own.
const TEMPORARY: (&str, &str) = (".refrain-", ".tmp");

/// Writes a trace file, in place of the one that may stand there; makes its folder if that is missing.
pub fn write(path: &Path, trace: &Trace) -> Result<(), TraceError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let file = on_disk(folder, path, trace)?;
    file.persist(path).map_err(|refused| not_in_place(path, refused.error))?;
    sync(folder)
}

/// Saves a trace in a folder under the name of its test and its plan, and gives its path. It takes the place of a trace
/// of the same failure, never of another file: that one keeps its name, and this one gets a number.
pub fn save(folder: &Path, trace: &Trace) -> Result<PathBuf, TraceError> {
    // Before its lock is taken, another writer may tidy a temporary file away as one of a writer that was killed.
    for _ in 1..TIDIED_MAX {
        match save_once(folder, trace) {
            Err(TraceError::File { source, .. }) if source.kind() == ErrorKind::NotFound && folder.is_dir() => {}
            saved => return saved,
        }
    }
    save_once(folder, trace)
}

/// How often a temporary file may be tidied away by others.
const TIDIED_MAX: usize = 100;

fn save_once(folder: &Path, trace: &Trace) -> Result<PathBuf, TraceError> {
    let path = |nth| folder.join(file_name(&trace.test, &trace.plan, nth));
    let mut file = on_disk(folder, &path(1), trace)?;
    for path in (1..=NAMES_MAX).map(path) {
        match file.persist_noclobber(&path) {
            Ok(_) => return sync(folder).map(|()| path),
            Err(PersistError { error, file: refused }) if error.kind() == ErrorKind::AlreadyExists => file = refused,
            Err(refused) => return Err(not_in_place(&path, refused.error)),
        }
        if read(&path).is_ok_and(|saved| saved.is_same_failure(trace)) {
            file.persist(&path).map_err(|refused| not_in_place(&path, refused.error))?;
            return sync(folder).map(|()| path);
        }
    }
    Err(TraceError::Taken { path: path(NAMES_MAX), tried: NAMES_MAX })
}

impl Trace {
    /// Leaves out the first events, as many as it takes to make the trace one that can be read. Of a service that logs
    /// without measure this much can be saved; what it did just before it failed matters most.
    pub fn within_limits(mut self) -> Trace {
        let (mut bytes, mut values) = (FILE_BYTES_MAX - RESERVED_BYTES, VALUES_MAX - RESERVED_VALUES);
        let kept = self.events.iter().rev().take(EVENTS_MAX).take_while(|event| {
            let line = line(event);
            let sizes = strict_json::check(line.as_bytes(), values).ok().map(|found| (line.len(), found));
            let left = sizes.and_then(|(length, found)| Some((bytes.checked_sub(length)?, values - found)));
            left.inspect(|left| (bytes, values) = *left).is_some() && line.len() <= LINE_BYTES_MAX
        });
        let first = self.events.len() - kept.count();
        self.left_out += first;
        self.events.drain(..first);
        self
    }
}

/// The whole trace on disk, in a temporary file of the folder. Errors name the path that it is for.
fn on_disk(folder: &Path, path: &Path, trace: &Trace) -> Result<NamedTempFile, TraceError> {
    let text = render(trace);
    reads_back(path, trace, &text)?;
    let failed = |tried| move |source| TraceError::File { path: path.to_path_buf(), tried, source };
    fs::create_dir_all(folder).map_err(failed("make the folder of the trace"))?;
    tidy(folder);
    let mut file = temporary(folder).map_err(failed("make a temporary file beside the trace"))?;
    file.write_all(text.as_bytes()).map_err(failed("write the trace"))?;
    file.as_file().sync_all().map_err(failed("write the trace to disk"))?;
    Ok(file)
}

/// A temporary file that is locked as long as it is written: whoever tidies sees that it is in use.
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let (prefix, suffix) = TEMPORARY;
    loop {
        // Anybody may read a trace whom the umask lets.
        let permissions = Permissions::from_mode(0o666);
        let file = Builder::new().prefix(prefix).suffix(suffix).permissions(permissions).tempfile_in(folder)?;
        // Where files cannot be locked nobody tidies either.
        let locked = !matches!(file.as_file().try_lock(), Err(TryLockError::WouldBlock));
        // Another process may have tidied it between its creation and its lock.
        if locked && file.as_file().metadata()?.nlink() > 0 {
            return Ok(file);
        }
    }
}

/// Removes the temporary files of writers that were killed: their locks are gone.
fn tidy(folder: &Path) {
    let (prefix, suffix) = TEMPORARY;
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_temporary = name.to_str().is_some_and(|name| name.starts_with(prefix) && name.ends_with(suffix));
        // What cannot be removed is no reason to save nothing.
        if is_temporary && open_file(&entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            let _: io::Result<()> = fs::remove_file(entry.path());
        }
    }
}

/// The new name is on disk only when the folder is.
fn sync(folder: &Path) -> Result<(), TraceError> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    let tried = "write the folder of the trace to disk";
    synced.map_err(|source| TraceError::File { path: folder.to_path_buf(), tried, source })
}

fn not_in_place(path: &Path, source: io::Error) -> TraceError {
    TraceError::File { path: path.to_path_buf(), tried: "put the trace in its place", source }
}

fn render(trace: &Trace) -> String {
    let Trace { test, package, target, engine, plan, anchors, failure, digest, left_out, build, events, sockets } =
        trace.clone();
    let header = Header {
        version: VERSION,
        test,
        package,
        target,
        engine,
        failure,
        plan,
        anchors,
        digest,
        left_out,
        events: events.len(),
        sockets: sockets.len(),
        build,
    };
    std::iter::once(line(&header)).chain(events.iter().map(line)).chain(sockets.iter().map(line)).collect()
}

fn line(value: &impl Serialize) -> String {
    let json = serde_json::to_string(value);
    json.expect("a header and an event have only string keys, so JSON can say them") + "\n"
}

/// A file that is refused when it is needed is no file: a host's name with a space, say, is found out now.
fn reads_back(path: &Path, trace: &Trace, text: &str) -> Result<(), TraceError> {
    let why = match parse(path, text.as_bytes()) {
        Ok(read) if read == *trace => return Ok(()),
        Ok(_) => "it would read as another trace".to_string(),
        Err(error) => error.to_string(),
    };
    Err(TraceError::Unreadable { path: path.to_path_buf(), why })
}
