//! All human-readable text: timelines, sockets, failures, plans, the results of explorations and replays, and runs as diagrams.
//!
//! A service may log anything. `refrain_core::escape` escapes whatever would not be displayed as itself, so that no log
//! line can move the cursor or forge a row.

mod cause;
mod compare;
mod coverage;
mod differs;
mod event;
mod exploration;
mod failure;
mod github;
mod history;
mod inevitable;
mod messages;
mod model;
mod origin;
mod paint;
mod progress;
mod replay;
mod search;
mod shared;
mod shown;
mod sockets;
mod step;
mod summary;
mod threads;
mod timeline;
mod view;
mod words;

pub use compare::{compare, compared_json};
pub use coverage::coverage;
pub use event::event;
pub use exploration::{Standing, caught, machine, named_result, result, saved, shell_word, standing, unreached};
pub use failure::{failure, headline, message};
pub use github::{annotation, summary};
pub use inevitable::{inevitable, inevitable_json, inevitable_page};
pub use messages::{Failed, ListedTrace, Message, Named, cause_found, explored, message_line, replayed, sentences};
pub use model::{Core, model};
pub use progress::{awaits_debugger, doing, slot_wait};
pub use replay::{ran, replay};
pub use search::{all_engines, engine_limit, engines, fewest, last_engine, searched};
pub use shown::Shown;
pub use sockets::sockets;
pub use summary::plan_summary;
pub use timeline::{events, plan, timeline};
pub use view::{Filter, View, json, mermaid, page, pcapng, perfetto};
pub use words::{counted, grouped};

/// How a text is formatted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// Whether to use ANSI colours.
    pub colour: bool,
    /// The width of the terminal in columns; `None` disables line breaking.
    pub width: Option<usize>,
    /// Whether to show times to the nanosecond instead of the millisecond.
    pub exact: bool,
}

#[cfg(test)]
mod tests;
