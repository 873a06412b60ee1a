//! A simulation for a test of tokio's, `#[tokio::test]`: one host, no faults, and always the same chance.
//!
//! Such tests are there before a service is tested with refrain. They go on to pass where the simulation has what they use.

use crate::sim::{
    control::{self, Holds, Start},
    kernel::{Escape, Hooks, Settings},
};
use std::{env, future::Future, mem::transmute, panic::resume_unwind, pin::Pin, time::Duration};

/// Chance is the same in every test.
const SEED: u64 = 0;
/// How long a test may go on, in virtual time.
const TIME_MAX: Duration = Duration::from_secs(24 * 3600);

const HOOKS: Hooks = Hooks {
    exited: |_| {},
    deadlocked: || panic!("the test waits for ever: nothing can run any more"),
    escaped: |Escape { call, to, .. }| panic!("`{call}` reaches out of the simulation, to {to}"),
    freed_again: || panic!("memory is freed that is not allocated"),
    panicked: |panic, joinable| if joinable { panic } else { resume_unwind(panic) },
    out_of_time: || panic!("the test had not ended after {} h of virtual time", TIME_MAX.as_secs() / 3600),
    busy: || panic!("tasks wake each other forever while virtual time stands still"),
    thread_starts: || Box::new(|| ()),
    place_of_calls: |_| unreachable!("such a run is not guarded, and its threads are real ones"),
    polling: |_| {},
    polled: || {},
};

/// Whether this program is one of tests: cargo runs those where it builds them, and programs one folder above.
pub(super) fn is_test() -> bool {
    env::current_exe().is_ok_and(|exe| exe.parent().is_some_and(|folder| folder.ends_with("deps")))
}

/// Runs a test's future to its end, in a simulation of its own.
#[track_caller]
pub(super) fn run<F: Future>(future: F) -> F::Output {
    let mut output = None;
    let ends: Pin<Box<dyn Future<Output = ()> + '_>> = Box::pin(async { output = Some(future.await) });
    #[allow(unsafe_code)]
    // SAFETY: the run below ends with this future, or unwinds and drops it: nothing keeps it longer than this call.
    let ends: Pin<Box<dyn Future<Output = ()> + 'static>> = unsafe { transmute(ends) };
    let settings = Settings { time_max: TIME_MAX.as_nanos() as u64, poll_max: 0 };
    control::run(Start { seed: SEED, settings, hooks: HOOKS, holds: Holds::Listed(vec![]), sink: None }, ends);
    output.expect("the future has ended")
}
