//! Writes a trace file so that no reader and no power failure ever meets half of one.

use super::{Header, Trace, TraceError, VERSION, parse};
use serde::Serialize;
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
};

/// Writes a trace file, in place of the one that may stand there; makes its folder if that is missing.
pub fn write(path: &Path, trace: &Trace) -> Result<(), TraceError> {
    let text = render(trace);
    reads_back(path, trace, &text)?;
    let failed = |tried| move |source| TraceError::File { path: path.to_path_buf(), tried, source };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder).map_err(failed("make the folder of the trace"))?;
    let temporary = Temporary::in_folder(folder);
    let mut file = File::create(&temporary.0).map_err(failed("make a temporary file beside the trace"))?;
    file.write_all(text.as_bytes()).map_err(failed("write the trace"))?;
    file.sync_all().map_err(failed("write the trace to disk"))?;
    fs::rename(&temporary.0, path).map_err(failed("put the trace in its place"))?;
    // The new name is on disk only when the folder is.
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("write the folder of the trace to disk"))
}

fn render(trace: &Trace) -> String {
    let Trace { test, package, target, engine, plan, failure, digest, left_out, build, events, sockets } =
        trace.clone();
    let header = Header {
        version: VERSION,
        test,
        package,
        target,
        engine,
        failure,
        plan,
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

/// A file that is removed again, unless it was renamed.
struct Temporary(PathBuf);

impl Temporary {
    /// A name that no other thread and no other living process uses.
    fn in_folder(folder: &Path) -> Temporary {
        static WRITTEN: AtomicU64 = AtomicU64::new(0);
        let nth = WRITTEN.fetch_add(1, Ordering::Relaxed);
        Temporary(folder.join(format!(".refrain-{}-{nth}.tmp", process::id())))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _: io::Result<()> = fs::remove_file(&self.0);
    }
}
