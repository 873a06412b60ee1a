//! Hears the service's own `tracing` events: for properties that name them, and for traces.

use super::{properties, state};
use crate::{
    event::{self, Event, Kind, Log, Span},
    place::Place,
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
    span::{Attributes, Id, Record},
    subscriber::Interest,
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
    registry::{LookupSpan, SpanRef},
};

/// Whether the subscriber of this process is in place.
static LISTENING: AtomicBool = AtomicBool::new(false);
/// The crates of the harness, whose own events are not the service's.
const OURS: [&str; 3] = ["madsim", "refrain", "naive_timer"];

/// Hears from now on. While nobody records, only the places in the source that a property names are heard: `tracing`
/// asks once for each, and the others cost a load and a jump.
pub(crate) fn listen() {
    if LISTENING.swap(true, Relaxed) {
        return tracing::callsite::rebuild_interest_cache();
    }
    let subscriber = tracing_subscriber::registry().with(TracingLayer);
    // Only this run's process has it, and nothing else in it sets one.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

struct TracingLayer;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for TracingLayer {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        let ours = OURS.iter().any(|name| metadata.target().starts_with(name));
        if ours {
            return Interest::never();
        }
        let heard = state::try_with(|state| {
            state.record && *metadata.level() <= Level::DEBUG || metadata.is_event() && state.properties.names(metadata)
        });
        if heard.unwrap_or(false) { Interest::always() } else { Interest::never() }
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
        properties::said(&said, &stamp);
    }
}

/// One `tracing` event of the service.
#[derive(Debug)]
pub(crate) struct LogEvent {
    pub log: Log,
    /// The place in the source, `src/channel.rs:48`.
    pub place: Place,
}

fn place(metadata: &Metadata<'_>) -> Place {
    Place { file: metadata.file().unwrap_or_default().to_owned(), line: metadata.line().unwrap_or_default() }
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
