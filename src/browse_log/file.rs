//! Writes events into the browse log on a thread of its own: neither a slow disk nor a storm of events holds up a daemon.

use super::{Event, Rotation};
use chrono::Utc;
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

/// Maximum number of lines that wait to be written; further ones are lost, and counted.
const WAITING_MAX: usize = 4096;
/// How long the last lines may take when the daemon stops.
const FLUSH_LIMIT: Duration = Duration::from_millis(250);

/// The file of this process, once there is one. Like the subscriber of tracing it is set by the program, not by a part of it.
static FILE: OnceLock<SyncSender<Item>> = OnceLock::new();
/// How many lines were lost and have not been reported.
static LOST: AtomicU64 = AtomicU64::new(0);

enum Item {
    Line(String),
    /// Everything before it is to be written; then it is dropped.
    Flush(#[allow(dead_code, reason = "its drop is the signal")] Sender<()>),
}

/// The browse log of this process. Dropping it waits for the last lines, for a limited time.
#[derive(Debug)]
pub struct BrowseLog(());

impl BrowseLog {
    /// Writes the events of this process into a file from now on. The first call counts.
    ///
    /// # Errors
    /// The system's error, if the file cannot be written.
    pub fn start(rotation: Rotation) -> io::Result<Self> {
        rotation.open()?;
        let (sender, receiver) = sync_channel(WAITING_MAX);
        let writer = thread::Builder::new().name("browse-log".to_owned());
        writer.spawn(move || write_all(&rotation, &receiver))?;
        // Without it the thread ends at once.
        let _ = FILE.set(sender);
        Ok(Self(()))
    }
}

impl Drop for BrowseLog {
    fn drop(&mut self) {
        let (done, written) = channel();
        if let Some(file) = FILE.get()
            && file.try_send(Item::Flush(done)).is_ok()
        {
            // It answers by dropping the sender.
            let _ = written.recv_timeout(FLUSH_LIMIT);
        }
    }
}

/// Has an event written, if there is a file.
pub(super) fn write(event: &Event) {
    if let Some(file) = FILE.get()
        && file.try_send(Item::Line(dated(event))).is_err()
    {
        LOST.fetch_add(1, Ordering::Relaxed);
    }
}

fn dated(event: &Event) -> String {
    format!("{} {}\n", Utc::now().format("%F %TZ"), event.line())
}

/// Writes what waits, all of it at once, until nobody can send any more.
fn write_all(rotation: &Rotation, items: &Receiver<Item>) {
    let mut failing = false;
    while let Ok(first) = items.recv() {
        let mut lines = String::new();
        let mut count = 0;
        let mut flushes = Vec::new();
        for item in std::iter::once(first).chain(items.try_iter().take(WAITING_MAX)) {
            match item {
                Item::Line(line) => {
                    lines += &line;
                    count += 1;
                }
                Item::Flush(done) => flushes.push(done),
            }
        }
        let lost = LOST.swap(0, Ordering::Relaxed);
        if lost > 0 {
            lines += &dated(&Event::EventsLost { count: lost });
        }
        if lines.is_empty() {
            continue;
        }
        if let Err(error) = rotation.write(lines.as_bytes()) {
            LOST.fetch_add(count + lost, Ordering::Relaxed);
            if !failing {
                tracing::error!(file = %rotation.file.display(), %error, "cannot write the browse log");
            }
            failing = true;
        } else {
            failing = false;
        }
    }
}
