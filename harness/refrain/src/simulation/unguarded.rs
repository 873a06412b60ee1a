//! A `tracing` subscriber as the harness's own section of a run: what it allocates must not move what the service allocates.

use tokio::control::unguarded;
use tracing::{
    Event, Metadata, Subscriber,
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
    subscriber::Interest,
};
use tracing_core::span::Current;

/// Passes everything on to a subscriber.
pub(super) struct Unguarded<S>(pub S);

impl<S: Subscriber> Subscriber for Unguarded<S> {
    fn on_register_dispatch(&self, dispatch: &tracing::Dispatch) {
        unguarded(|| self.0.on_register_dispatch(dispatch))
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        unguarded(|| self.0.register_callsite(metadata))
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        unguarded(|| self.0.enabled(metadata))
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        unguarded(|| self.0.max_level_hint())
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        unguarded(|| self.0.new_span(span))
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        unguarded(|| self.0.record(span, values))
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        unguarded(|| self.0.record_follows_from(span, follows))
    }

    fn event_enabled(&self, event: &Event<'_>) -> bool {
        unguarded(|| self.0.event_enabled(event))
    }

    fn event(&self, event: &Event<'_>) {
        unguarded(|| self.0.event(event))
    }

    fn enter(&self, span: &Id) {
        unguarded(|| self.0.enter(span))
    }

    fn exit(&self, span: &Id) {
        unguarded(|| self.0.exit(span))
    }

    fn clone_span(&self, span: &Id) -> Id {
        unguarded(|| self.0.clone_span(span))
    }

    fn try_close(&self, span: Id) -> bool {
        unguarded(|| self.0.try_close(span))
    }

    fn current_span(&self) -> Current {
        unguarded(|| self.0.current_span())
    }
}
