//! Which thread of a model goes on when: its grammar, its types, their texts.
//!
//! ```text
//! threads choose t0*7 p1 t1*4 v0 t0*3
//! SeqCst operations have one order
//! ```
//!
//! Every choice of the exhaustive search, in order, `*n` for a run of n: `t1` thread 1 goes on; `p1` it does so although
//! the thread before could have gone on, which is a preemption; `v2` a load reads store number 2 of those that are kept
//! of its atomic; `w1` a parked thread wakes without a reason, `w0` it does not. What comes after the
//! last choice is what comes by itself. loom does not keep `SeqCst` operations in one total order; the second sentence says
//! that refrain does, as it was when the execution was found.
//!
//! ```text
//! threads go in turn
//! thread 2 preempts at step 17
//! thread 1 goes on at step 23
//! ```
//!
//! Each thread goes on as long as it can, then the next one by number, but for what is said.

use serde::{Deserialize, Serialize};
use std::{fmt, num::ParseIntError, str::FromStr};

/// Which thread of a model goes on when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Threads {
    /// Every choice that the exhaustive search made.
    Choices {
        /// The choices, in order.
        choices: Vec<Choice>,
        /// Whether the `SeqCst` operations have one total order, which loom does not give them.
        total_order: bool,
    },
    /// What differs from the order in which each thread goes on as long as it can.
    Deviations(Vec<Deviation>),
}

/// One choice of the exhaustive search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Choice {
    /// A thread goes on.
    Thread {
        /// Its number; 0 is the model's own.
        thread: u8,
        /// Whether the thread before could have gone on.
        preempts: bool,
    },
    /// A load reads one of the stores that are kept of its atomic.
    Value(u8),
    /// Whether a parked thread wakes without a reason.
    Wakes(bool),
}

/// A step at which another thread goes on than the order says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Deviation {
    /// The step, counted from 0: each time that some thread may go on.
    pub step: usize,
    /// The thread that goes on; 0 is the model's own.
    pub thread: usize,
    /// Whether the thread before could have gone on.
    pub preempts: bool,
}

impl Threads {
    /// How many times a thread had to stop that could have gone on.
    pub fn preemptions(&self) -> usize {
        match self {
            Threads::Choices { choices, .. } => {
                choices.iter().filter(|choice| matches!(choice, Choice::Thread { preempts: true, .. })).count()
            }
            Threads::Deviations(deviations) => deviations.iter().filter(|deviation| deviation.preempts).count(),
        }
    }

    /// Its sentences.
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
/// How long a run of one choice may be, so that a damaged number fills no memory.
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
        let how = if self.preempts { "preempts" } else { "goes on" };
        write!(f, "thread {} {how} at step {}", self.thread, self.step)
    }
}

/// One word of choices: `t0`, `t0*7`. `None` if it is none.
pub(super) fn run_of(word: &str) -> Option<(Choice, usize)> {
    let (choice, times) = match word.split_once('*') {
        None => (word, 1),
        Some((choice, times)) => (choice, times.parse().ok().filter(|times| (2..=RUN_MAX).contains(times))?),
    };
    let read: Choice = choice.parse().ok()?;
    // `t+1` and `t01` are numbers to the standard library.
    (read.to_string() == choice).then_some((read, times))
}
