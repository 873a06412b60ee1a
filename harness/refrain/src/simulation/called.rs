//! Sends the log of a recorded run to the worker: the calls of the service through which its machine can be read.

use super::{HIDDEN, state};
use crate::{
    engine::{Watch, frames::frames},
    job::{Call, RunMessage},
    verdict,
};
use std::{
    backtrace::Backtrace,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};
use tokio::control::{self, Called};

/// The number of the call whose backtrace is wanted.
static WANTED: AtomicU64 = AtomicU64::new(u64::MAX);

/// Keeps this run inside, and logs its calls if it is recorded.
pub(super) fn guard(watch: Watch) -> std::io::Result<()> {
    WANTED.store(watch.locate.unwrap_or(u64::MAX), Relaxed);
    control::begin_run(watch.record.then_some(called))
}

fn called(Called { nth, call, about, answer }: Called) {
    let backtrace = (nth as u64 == WANTED.load(Relaxed)).then(|| {
        let (frames, _) = frames(&Backtrace::force_capture(), HIDDEN);
        verdict::Backtrace { frames }
    });
    let call = Call { after: 0, call: call.to_owned(), about, answer, backtrace };
    state::try_with(|state| state.send(&RunMessage::Called(call)));
}
