//! Ctrl-C: the first one asks the running test to stop and keep its best result, the second one kills it.

use crate::exit::Exit;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};

static COUNT: AtomicU32 = AtomicU32::new(0);
static SESSION_RUNS: AtomicBool = AtomicBool::new(false);

/// Counts interrupts from now on. Outside of a session an interrupt ends the command at once.
pub fn listen() {
    let counted = ctrlc::set_handler(|| {
        COUNT.fetch_add(1, SeqCst);
        if !SESSION_RUNS.load(SeqCst) {
            std::process::exit(Exit::CouldNotRun.code().into());
        }
    });
    // Without a handler, ctrl-c still ends the command. Only the best result so far is lost.
    if let Err(error) = counted {
        crate::output::print_note(&format!(
            "ctrl-c will discard the best result so far: cannot handle the signal: {error}"
        ));
    }
}

/// The number of interrupts.
pub fn count() -> u32 {
    COUNT.load(SeqCst)
}

/// While this exists, the running test handles interrupts.
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
