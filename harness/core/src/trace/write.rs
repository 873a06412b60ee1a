//! Writes a trace file atomically: neither a reader nor a power failure can observe a partial one.

use super::{
    EVENTS_MAX, FILE_BYTES_MAX, Header, LINE_BYTES_MAX, Trace, TraceError, VALUES_MAX, VERSION, file_name, parse, read,
    read::open_file,
};
use crate::{event::Event, strict_json};
use serde::Serialize;
use std::{
    fs::{self, File, Permissions, TryLockError},
    io::{self, ErrorKind, Write},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};
use tempfile::{Builder, NamedTempFile, PersistError};

/// Maximum number of traces whose names differ only by a number.
const NAMES_MAX: usize = 100;
/// The share of the limits that is reserved for the header and the sockets.
const RESERVED_BYTES: usize = 8 << 20;
const RESERVED_VALUES: usize = 400_000;
/// Prefix and suffix of temporary files; a random part is between them.
const TEMPORARY: (&str, &str) = (".refrain-", ".tmp");

/// Writes a trace file, replacing an existing one, and creates its directory if necessary.
pub fn write(path: &Path, trace: &Trace) -> Result<(), TraceError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let file = on_disk(folder, path, trace)?;
    file.persist(path).map_err(|refused| not_in_place(path, refused.error))?;
    sync(folder)
}

/// Saves a trace in a directory under a name derived from test and plan, and returns its path. It replaces a trace of
/// the same failure but no other file: if another file has the name, a number is appended.
pub fn save(folder: &Path, trace: &Trace) -> Result<PathBuf, TraceError> {
    // Until its lock is taken, another writer may mistake a temporary file for one of a killed writer and remove it.
    for _ in 1..TIDIED_MAX {
        match save_once(folder, trace) {
            Err(TraceError::File { source, .. }) if source.kind() == ErrorKind::NotFound && folder.is_dir() => {}
            saved => return saved,
        }
    }
    save_once(folder, trace)
}

/// How often other writers may remove a temporary file.
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
    /// Omits as many of the first events as necessary to keep the trace readable. This way a run of a service that logs
    /// without limit can be saved; what happened just before the failure matters most.
    pub fn within_limits(mut self) -> Trace {
        let limits = (FILE_BYTES_MAX - RESERVED_BYTES, VALUES_MAX - RESERVED_VALUES);
        self.left_out += omit_first(&mut self.events, limits);
        self
    }
}

/// Omits as many of the first events as necessary so that the others fit into this many bytes and JSON values, and into a trace. Returns
/// how many these are.
pub(crate) fn omit_first(events: &mut Vec<Event>, (mut bytes, mut values): (usize, usize)) -> usize {
    let kept = events.iter().rev().take(EVENTS_MAX).take_while(|event| {
        let line = line(event);
        let sizes = strict_json::check(line.as_bytes(), values).ok().map(|found| (line.len(), found));
        let left = sizes.and_then(|(length, found)| Some((bytes.checked_sub(length)?, values - found)));
        left.inspect(|left| (bytes, values) = *left).is_some() && line.len() <= LINE_BYTES_MAX
    });
    let first = events.len() - kept.count();
    events.drain(..first);
    first
}

/// Writes the whole trace to a temporary file in the directory. Errors name the final path.
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

/// Creates a temporary file that stays locked while it is written, which tells other writers that it is in use.
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let (prefix, suffix) = TEMPORARY;
    loop {
        // The umask decides who may read a trace.
        let permissions = Permissions::from_mode(0o666);
        let file = Builder::new().prefix(prefix).suffix(suffix).permissions(permissions).tempfile_in(folder)?;
        // Where files cannot be locked, nobody removes them either.
        let locked = !matches!(file.as_file().try_lock(), Err(TryLockError::WouldBlock));
        // Another process may have removed it between its creation and its lock.
        if locked && file.as_file().metadata()?.nlink() > 0 {
            return Ok(file);
        }
    }
}

/// Removes the temporary files of killed writers, which are no longer locked.
fn tidy(folder: &Path) {
    let (prefix, suffix) = TEMPORARY;
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_temporary = name.to_str().is_some_and(|name| name.starts_with(prefix) && name.ends_with(suffix));
        // Failing to remove one must not prevent saving.
        if is_temporary && open_file(&entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            let _: io::Result<()> = fs::remove_file(entry.path());
        }
    }
}

/// Syncs the directory, which makes the new name durable.
fn sync(folder: &Path) -> Result<(), TraceError> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    let tried = "write the folder of the trace to disk";
    synced.map_err(|source| TraceError::File { path: folder.to_path_buf(), tried, source })
}

fn not_in_place(path: &Path, source: io::Error) -> TraceError {
    TraceError::File { path: path.to_path_buf(), tried: "put the trace in its place", source }
}

fn render(trace: &Trace) -> String {
    let header = Header {
        version: VERSION,
        test: trace.test.clone(),
        package: trace.package.clone(),
        target: trace.target.clone(),
        engine: trace.engine.clone(),
        failure: trace.failure.clone(),
        plan: trace.plan.clone(),
        anchors: trace.anchors.clone(),
        digest: trace.digest.clone(),
        left_out: trace.left_out,
        events: trace.events.len(),
        sockets: trace.sockets.len(),
        build: trace.build.clone(),
        packages: trace.packages.clone(),
    };
    let (events, sockets) = (trace.events.iter().map(line), trace.sockets.iter().map(line));
    std::iter::once(line(&header)).chain(events).chain(sockets).collect()
}

fn line(value: &impl Serialize) -> String {
    let json = serde_json::to_string(value);
    json.expect("a header and an event have only string keys, so JSON can say them") + "\n"
}

/// Checks that the written file can be read back, so that for example a host name with a space is detected now and not
/// when the trace is needed.
fn reads_back(path: &Path, trace: &Trace, text: &str) -> Result<(), TraceError> {
    let why = match parse(path, text.as_bytes()) {
        Ok(read) if read == *trace => return Ok(()),
        Ok(_) => "it would read as another trace".to_string(),
        Err(error) => error.to_string(),
    };
    Err(TraceError::Unreadable { path: path.to_path_buf(), why })
}
