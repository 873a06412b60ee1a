//! Ctrl-C: the first asks the running test to stop and to keep the best so far, the second ends it.

use crate::exit::Exit;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};

static ASKED: AtomicU32 = AtomicU32::new(0);
static SESSION_RUNS: AtomicBool = AtomicBool::new(false);

/// Counts interrupts from now on. Outside a session an interrupt ends the command at once.
pub fn listen() {
    let counted = ctrlc::set_handler(|| {
        ASKED.fetch_add(1, SeqCst);
        if !SESSION_RUNS.load(SeqCst) {
            std::process::exit(Exit::CouldNotRun.code().into());
        }
    });
    // Without a handler ctrl-c still ends the command; only what a test had found by then is lost.
    if let Err(error) = counted {
        crate::output::note(&format!("ctrl-c will not keep the best so far: {error}"));
    }
}

/// How many interrupts came.
pub fn asked() -> u32 {
    ASKED.load(SeqCst)
}

/// While it lives, a test answers interrupts.
pub struct Session(());

pub fn session() -> Session {
    SESSION_RUNS.store(true, SeqCst);
    Session(())
}

impl Drop for Session {
    fn drop(&mut self) {
        SESSION_RUNS.store(false, SeqCst);
    }
}
