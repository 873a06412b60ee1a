//! Texts for people: the timeline of a run and its sockets, why it failed, what its plan holds, what an exploration and a
//! replay showed.
//!
//! What a service says may hold anything. `refrain_core::escape` shows what would not show as itself, so that no log line
//! can move the cursor or forge a row.

mod cause;
mod coverage;
mod differs;
mod event;
mod exploration;
mod failure;
mod model;
mod paint;
mod replay;
mod sockets;
mod summary;
mod threads;
mod timeline;
mod words;

pub use coverage::coverage;
pub use event::event;
pub use exploration::{
    Standing, all_engines, caught, engines, last_engine, machine, result, saved, shell_word, standing, unreached,
};
pub use failure::{failure, headline, message};
pub use model::{Core, model};
pub use replay::replay;
pub use sockets::sockets;
pub use summary::plan_summary;
pub use timeline::{events, plan, timeline};
pub use words::{counted, grouped};

/// How a text is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// Whether to colour it, as a terminal understands that.
    pub colour: bool,
    /// The columns that a line may take; `None`: no line is broken.
    pub width: Option<usize>,
    /// Whether times are shown to the nanosecond instead of the millisecond.
    pub exact: bool,
}

#[cfg(test)]
mod tests;
