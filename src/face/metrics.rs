//! The state and the numbers of a side, as Prometheus reads them.

use super::status::Status;
use crate::client::Counted;
use std::fmt::{Display, Write};

/// The type of the text.
pub(super) const KIND: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Returns the metrics of a side.
pub(super) fn text(status: &Status, counted: &Counted) -> String {
    let mut text = Text::default();
    text.metric("calcon_link_up", "gauge", "Whether the link to the other side is up.");
    text.sample("calcon_link_up", "", u64::from(status.link.up));
    if let Some(sessions) = &status.sessions {
        text.metric("calcon_sessions_opened_total", "counter", "Sessions opened since the start.");
        text.sample("calcon_sessions_opened_total", "", sessions.opened);
        text.metric("calcon_sessions_closed_total", "counter", "Sessions closed since the start.");
        text.sample("calcon_sessions_closed_total", "", sessions.closed);
        text.metric("calcon_sessions_live", "gauge", "Sessions that are open or being closed.");
        text.sample("calcon_sessions_live", "", sessions.live);
    }
    if let Some(cache) = &status.cache {
        text.metric("calcon_cache_records", "gauge", "Records about users of the other side.");
        text.sample("calcon_cache_records", "", cache.records);
        text.metric("calcon_cache_age_seconds", "gauge", "The age of the oldest and of the newest record.");
        for (which, age) in [("oldest", cache.oldest_secs), ("newest", cache.newest_secs)] {
            if let Some(age) = age {
                text.sample("calcon_cache_age_seconds", &format!("record=\"{which}\""), age);
            }
        }
    }
    queries(&mut text, counted);
    text.0
}

fn queries(text: &mut Text, counted: &Counted) {
    let what = "Queries of clients, by outcome: the source of an answer, or the code of a refusal.";
    text.metric("calcon_queries_total", "counter", what);
    for (outcome, count) in counted.outcomes {
        text.sample("calcon_queries_total", &format!("outcome=\"{outcome}\""), count);
    }
    text.metric("calcon_query_seconds", "histogram", "How long queries of clients took.");
    for (bound_us, count) in counted.within_us {
        text.sample("calcon_query_seconds_bucket", &format!("le=\"{}\"", seconds(bound_us)), count);
    }
    text.sample("calcon_query_seconds_bucket", "le=\"+Inf\"", counted.count);
    text.sample("calcon_query_seconds_sum", "", seconds(counted.total_us));
    text.sample("calcon_query_seconds_count", "", counted.count);
}

fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn metric(&mut self, name: &str, kind: &str, what: &str) {
        self.line(format_args!("# HELP {name} {what}\n# TYPE {name} {kind}"));
    }

    fn sample(&mut self, name: &str, labels: &str, value: impl Display) {
        match labels {
            "" => self.line(format_args!("{name} {value}")),
            labels => self.line(format_args!("{name}{{{labels}}} {value}")),
        }
    }

    fn line(&mut self, line: impl Display) {
        // Writing to a text cannot fail.
        let _ = writeln!(self.0, "{line}");
    }
}
