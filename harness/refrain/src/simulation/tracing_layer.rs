//! Receives the service's `tracing` events, for properties that refer to them and for traces.

use super::{checks, conserved::LogEvent, state, unguarded::Unguarded};
use crate::{
    event::{self, Event, Kind, Log, Span},
    place::Place,
    sources,
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};
use tokio::control;
use tracing::{
    Level, Metadata, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
    subscriber::Interest,
};
use tracing_subscriber::{
    Layer, Registry,
    layer::{Context, Layered, SubscriberExt},
    registry::{LookupSpan, SpanRef},
};

/// Whether this run's subscriber is installed.
static LISTENING: AtomicBool = AtomicBool::new(false);
/// Whether the harness itself caused the current rebuild of tracing's interest cache.
static OWN_REBUILD: AtomicBool = AtomicBool::new(false);
/// Whether the service has created its own subscriber.
static HAS_OTHERS: AtomicBool = AtomicBool::new(false);
/// The harness's crates, whose events are not the service's.
const HARNESS_CRATES: [&str; 3] = ["madsim", "refrain", "naive_timer"];

/// Installs the subscriber. While not recording, it enables only the callsites that a property names: `tracing` caches
/// the interest per callsite, so that disabled ones cost a load and a branch.
pub(crate) fn listen() {
    OWN_REBUILD.store(true, Relaxed);
    control::unguarded(|| {
        if LISTENING.swap(true, Relaxed) {
            return tracing::callsite::rebuild_interest_cache();
        }
        // Installed for this thread, which executes the whole run, for its lifetime. It takes precedence over a global
        // default, whether the service sets that before or after.
        let listener: Listener = Unguarded(tracing_subscriber::registry().with(TracingLayer));
        std::mem::forget(tracing::subscriber::set_default(listener));
    });
    OWN_REBUILD.store(false, Relaxed);
}

/// Installs this thread's subscriber on the thread that calls the result.
pub(super) fn hand_on() -> Box<dyn FnOnce()> {
    let here = control::unguarded(|| tracing::dispatcher::get_default(Clone::clone));
    Box::new(move || {
        if here.is::<Listener>() {
            std::mem::forget(tracing::dispatcher::set_default(&here));
        }
    })
}

/// Refuses to continue if a property depends on events that are no longer received.
pub(super) fn check_is_received() {
    if !HAS_OTHERS.load(Relaxed) || tracing::dispatcher::get_default(|now| now.is::<Listener>()) {
        return;
    }
    if state::with(|state| state.properties.need_events()) {
        state::refuse(
            "the service has set a `tracing` subscriber for the thread of the simulation, so that world.conserves(), \
             sometimes(), counts(), never() and invariants() see no events: set it in `main`, or as the global one",
        );
    }
}

struct TracingLayer;

/// The whole subscriber.
type Listener = Unguarded<Layered<TracingLayer, Registry>>;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for TracingLayer {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_wanted(metadata) { Interest::always() } else { Interest::never() }
    }

    /// Called if another subscriber is interested in a callsite that this one has disabled.
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        is_wanted(metadata)
    }

    /// Called whenever a subscriber is created.
    fn max_level_hint(&self) -> Option<LevelFilter> {
        HAS_OTHERS.fetch_or(!OWN_REBUILD.load(Relaxed), Relaxed);
        None
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(fields) = span.extensions_mut().get_mut::<Fields>() {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &tracing::Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let log = Log {
            level: level(*event.metadata().level()),
            target: event.metadata().target().to_owned(),
            message: fields.message,
            fields: fields.others,
            spans: context
                .event_scope(event)
                .into_iter()
                .flat_map(|scope| scope.from_root())
                .map(|span| as_data(&span))
                .collect(),
        };
        let said = LogEvent { log, place: place(event.metadata()) };
        let stamp = control::stamp();
        state::try_with(|state| {
            if state.record {
                let control::Stamp { at, host, task } = stamp.clone();
                state.event(Event { at, host, task, kind: Kind::Log(said.log.clone()) });
            }
        });
        checks::said(&said, &stamp);
    }
}

fn is_wanted(metadata: &Metadata<'_>) -> bool {
    if HARNESS_CRATES.iter().any(|name| metadata.target().starts_with(name)) {
        return false;
    }
    let wanted = state::try_with(|state| {
        state.record && *metadata.level() <= Level::DEBUG || metadata.is_event() && state.properties.names(metadata)
    });
    wanted.unwrap_or(false)
}

fn place(metadata: &Metadata<'_>) -> Place {
    Place {
        file: sources::name(metadata.file().unwrap_or_default()).to_string(),
        line: metadata.line().unwrap_or_default(),
    }
}

fn as_data<'a, R: LookupSpan<'a>>(span: &SpanRef<'a, R>) -> Span {
    let fields = span.extensions().get::<Fields>().map(|fields| fields.others.clone()).unwrap_or_default();
    Span { name: span.name().to_owned(), fields }
}

fn level(level: Level) -> event::Level {
    match level {
        Level::ERROR => event::Level::Error,
        Level::WARN => event::Level::Warn,
        Level::INFO => event::Level::Info,
        Level::DEBUG => event::Level::Debug,
        Level::TRACE => event::Level::Trace,
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    others: BTreeMap<String, Value>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(text)) => self.message = text,
            ("message", value) => self.message = value.to_string(),
            (name, value) => drop(self.others.insert(name.to_owned(), value)),
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }
}
