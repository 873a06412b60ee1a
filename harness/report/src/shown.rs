//! What is shown of a run, whether it was saved because it failed, or executed just now.

use refrain_core::{event::Event, plan::Plan, protocol::Run, socket::Socket, trace::Trace, verdict::Failure};

/// A run to be shown.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The test's name.
    pub(super) test: &'a str,
    /// The package that contains the test.
    pub(super) package: &'a str,
    /// Everything that was decided.
    pub(super) plan: &'a Plan,
    /// How it failed; `None` if it passed.
    pub(super) failure: Option<&'a Failure>,
    /// The digest of all events.
    pub(super) digest: &'a str,
    /// Number of events before the first one.
    pub(super) left_out: usize,
    /// The events, in order.
    pub(super) events: &'a [Event],
    /// Every socket at the verdict.
    pub(super) sockets: &'a [Socket],
}

impl<'a> From<&'a Trace> for Shown<'a> {
    fn from(trace: &'a Trace) -> Shown<'a> {
        Shown {
            test: &trace.test,
            package: &trace.package,
            plan: &trace.plan,
            failure: Some(&trace.failure),
            digest: &trace.digest,
            left_out: trace.left_out,
            events: &trace.events,
            sockets: &trace.sockets,
        }
    }
}

impl<'a> From<&'a Run> for Shown<'a> {
    fn from(run: &'a Run) -> Shown<'a> {
        Shown {
            test: &run.test,
            package: &run.package,
            plan: &run.plan,
            failure: run.verdict.failure(),
            digest: &run.digest,
            left_out: run.left_out,
            events: &run.events,
            sockets: &run.sockets,
        }
    }
}
