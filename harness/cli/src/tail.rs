//! Keeps the end of an executable's output: it says why the executable died.

use refrain_core::escape::escaped;
use std::{
    collections::VecDeque,
    io::Read,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// How much output is kept, and how much of it is shown.
const TAIL_BYTES_MAX: usize = 16 << 10;
const TAIL_LINES_MAX: usize = 20;
/// How far the reading threads may lag behind the executable's exit.
const LAG_MAX: Duration = Duration::from_millis(50);

/// The end of an executable's output.
#[derive(Clone, Default)]
pub struct Tail(Arc<Mutex<VecDeque<u8>>>);

impl Tail {
    /// Reads a stream to its end on a thread, so that the executable never blocks on it.
    pub fn follow(&self, mut stream: impl Read + Send + 'static) {
        let tail = self.clone();
        thread::spawn(move || {
            let mut chunk = [0; 4_096];
            while let Ok(read @ 1..) = stream.read(&mut chunk) {
                let mut kept = tail.0.lock().expect("no thread panics while holding it");
                kept.extend(&chunk[..read]);
                let excess = kept.len().saturating_sub(TAIL_BYTES_MAX);
                kept.drain(..excess);
            }
        });
    }

    /// The last lines, indented.
    pub fn last_lines(&self) -> String {
        thread::sleep(LAG_MAX);
        let kept: Vec<u8> = self.0.lock().expect("no thread panics while holding it").iter().copied().collect();
        let text = String::from_utf8_lossy(&kept);
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = &lines[lines.len().saturating_sub(TAIL_LINES_MAX)..];
        let plain = |line: &&str| format!("  {}", escaped(&console::strip_ansi_codes(line)));
        last.iter().map(plain).collect::<Vec<_>>().join("\n")
    }
}
