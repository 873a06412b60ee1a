//! The thread schedule of a model: its types and its grammar.
//!
//! ```text
//! threads choose t0*7 p1 t1*4 v0 t0*3
//! SeqCst operations have one order
//! ```
//!
//! Every choice of the exhaustive search, in order, with `*n` for n repetitions. `t1`: thread 1 runs next. `p1`: thread
//! 1 preempts a thread that could have continued. `v2`: a load reads number 2 of the stores that are kept for its
//! atomic. `w1`: a parked thread wakes spuriously; `w0`: it does not. After the last choice the engine's default
//! applies. loom does not keep `SeqCst` operations in one total order; the second sentence states that refrain does, as
//! it did when the execution was found.
//!
//! ```text
//! threads go in turn
//! thread 2 preempts at step 17
//! thread 1 goes on at step 23
//! load 12 reads the store 2 before the newest
//! ```
//!
//! The default schedule: each thread runs as long as it can, then the next one by number, and each load of an atomic
//! reads the newest store, except for the given deviations.

use serde::{Deserialize, Serialize};
use std::{fmt, num::ParseIntError, str::FromStr};

/// The thread schedule of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Threads {
    /// All choices that the exhaustive search made.
    Choices {
        /// The choices, in order.
        choices: Vec<Choice>,
        /// Whether the `SeqCst` operations are kept in one total order, which loom itself does not do.
        total_order: bool,
    },
    /// The deviations from the default schedule, in which each thread runs as long as it can and loads read the newest
    /// stores.
    Deviations(Vec<Deviation>),
}

/// A choice of the exhaustive search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Choice {
    /// A thread runs next.
    Thread {
        /// Its number; 0 is the model's main thread.
        thread: u8,
        /// Whether the previous thread could have continued.
        preempts: bool,
    },
    /// A load reads one of the stores that are kept for its atomic.
    Value(u8),
    /// Whether a parked thread wakes spuriously.
    Wakes(bool),
}

/// What is different from the default schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deviation {
    /// Another thread runs.
    Thread {
        /// The scheduling point, counted from 0.
        step: usize,
        /// The thread that runs; 0 is the model's main thread.
        thread: usize,
        /// Whether the previous thread could have continued.
        preempts: bool,
    },
    /// A load of an atomic reads an old store.
    Load {
        /// The number of the load among those of the execution, counted from 1.
        nth: usize,
        /// How many stores follow the one that it reads.
        before: usize,
    },
}

impl Threads {
    /// Returns the number of preemptions.
    pub fn preemptions(&self) -> usize {
        match self {
            Threads::Choices { choices, .. } => {
                choices.iter().filter(|choice| matches!(choice, Choice::Thread { preempts: true, .. })).count()
            }
            Threads::Deviations(deviations) => deviations
                .iter()
                .filter(|deviation| matches!(deviation, Deviation::Thread { preempts: true, .. }))
                .count(),
        }
    }

    /// Returns its sentences.
    pub(super) fn sentences(&self) -> Vec<String> {
        match self {
            Threads::Choices { choices, total_order } => {
                let mut text = String::from("threads choose");
                for run in choices.chunk_by(|one, next| one == next) {
                    text += &format!(" {}", run[0]);
                    if run.len() > 1 {
                        text += &format!("*{}", run.len());
                    }
                }
                std::iter::once(text).chain(total_order.then(|| TOTAL_ORDER.to_owned())).collect()
            }
            Threads::Deviations(deviations) => std::iter::once("threads go in turn".to_owned())
                .chain(deviations.iter().map(ToString::to_string))
                .collect(),
        }
    }
}

/// The sentence of [`Threads::Choices::total_order`].
pub(super) const TOTAL_ORDER: &str = "SeqCst operations have one order";
/// Maximum number of repetitions of a choice, so that a damaged number does not exhaust memory.
const RUN_MAX: usize = 1_000_000;

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Choice::Thread { thread, preempts: false } => write!(f, "t{thread}"),
            Choice::Thread { thread, preempts: true } => write!(f, "p{thread}"),
            Choice::Value(store) => write!(f, "v{store}"),
            Choice::Wakes(wakes) => write!(f, "w{}", u8::from(*wakes)),
        }
    }
}

impl FromStr for Choice {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Choice, ParseIntError> {
        let kind = text.chars().next().filter(char::is_ascii).unwrap_or_default();
        let number = || text.get(1..).unwrap_or_default().parse::<u8>();
        match kind {
            't' => Ok(Choice::Thread { thread: number()?, preempts: false }),
            'p' => Ok(Choice::Thread { thread: number()?, preempts: true }),
            'v' => Ok(Choice::Value(number()?)),
            'w' if text == "w0" || text == "w1" => Ok(Choice::Wakes(text == "w1")),
            _ => Err("".parse::<u8>().expect_err("it is empty")),
        }
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Deviation::Thread { step, thread, preempts: true } => write!(f, "thread {thread} preempts at step {step}"),
            Deviation::Thread { step, thread, preempts: false } => write!(f, "thread {thread} goes on at step {step}"),
            Deviation::Load { nth, before } => write!(f, "load {nth} reads the store {before} before the newest"),
        }
    }
}

/// Parses a word of choices: `t0`, `t0*7`.
pub(super) fn run_of(word: &str) -> Option<(Choice, usize)> {
    let (choice, times) = match word.split_once('*') {
        None => (word, 1),
        Some((choice, times)) => (choice, times.parse().ok().filter(|times| (2..=RUN_MAX).contains(times))?),
    };
    let read: Choice = choice.parse().ok()?;
    // The standard library parses `t+1` and `t01` as numbers, too.
    (read.to_string() == choice).then_some((read, times))
}
