//! Faults: the list of their kinds, and what each kind must define.
//!
//! A kind of fault is one file in `fault/`: a struct with the contents of its sentence, and an implementation of
//! `Kind`. The list at the end of this file generates the rest: a kind that lacks a part does not compile.

use super::{SentenceError, Trigger, TriggerEvent, words::Words};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt, time::Duration};

mod allowed;
mod draw;
mod effect;

mod crash;
mod custom_rule;
mod cut;
mod delay;
mod drop_syns;
mod duplicate;
mod fail_accepts;
mod fail_lookups;
mod kill;
mod limit;
mod lose;
mod lose_acknowledgements;
mod one_way_cut;
mod pause;
mod refuse_syns;
mod reorder;
mod reset;
mod shrink_buffers;
mod slow;
mod stall_reads;
mod stretch_reads;
mod stretch_writes;

pub use allowed::Faults;
pub use draw::draw;
pub use effect::{Effect, HostEffect, NamedRule, Packets, RouteEffect};

/// A fault and when it happens; in files its sentence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Fault {
    /// What it does, and where.
    pub kind: FaultKind,
    /// When it starts.
    pub trigger: Trigger,
    /// How long it lasts; `None` means until `heal`. A reset is instantaneous and has no duration.
    pub duration: Option<Duration>,
}

/// What a kind of fault must define.
pub(crate) trait Kind: Sized + Clone + fmt::Display {
    /// Its name, as used by coverage.
    const NAME: &'static str;
    /// How its sentence states the duration.
    const LASTS: Lasts;
    /// How often it is drawn relative to other kinds.
    const WEIGHT: u32;
    /// The method of [`Faults`] that allows it.
    const ALLOW: fn(Faults) -> Faults;

    /// Returns its name, where that depends on more than the kind.
    fn name(&self) -> Cow<'static, str> {
        Self::NAME.into()
    }

    /// Parses what its `Display` prints.
    fn parse(words: &mut Words<'_>) -> Result<Self, SentenceError>;

    /// Draws a random fault of this kind; `None` if the hosts do not allow one.
    fn draw(draw: &mut Draw<'_>) -> Option<Self>;

    /// Returns simpler replacements, each simpler in one part and equal in the others, the simplest first.
    fn simpler(&self) -> Vec<Self>;

    /// Returns its effects on the simulated network. Healing reverts all of them.
    fn effects(&self) -> Vec<Effect>;

    /// Generates any fault that a sentence can express, for tests.
    #[cfg(feature = "arbitrary")]
    fn any() -> proptest::strategy::BoxedStrategy<Self>;
}

/// How a sentence states the duration of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lasts {
    /// Not at all: the fault is instantaneous.
    Not,
    /// `for 2 s`.
    For,
    /// `and`, these words, then the duration: `and reboot it after 2 s`.
    And(&'static str),
}

pub(crate) use draw::Draw;

/// An entry of the list of kinds.
struct Entry {
    name: &'static str,
    example: &'static str,
    weight: u32,
    allow: fn(Faults) -> Faults,
    parse: fn(&mut Words<'_>) -> Result<FaultKind, SentenceError>,
    draw: fn(&mut Draw<'_>) -> Option<FaultKind>,
}

/// The row of a kind in the documentation: an example sentence and its effect.
macro_rules! documented {
    ($example:literal, $does:literal) => {
        macro_rules! row {
            () => {
                concat!("| `", $example, "` | ", $does, " |\n")
            };
        }
        pub(super) use row;
        pub(super) const EXAMPLE: &str = $example;
    };
}
use documented;

macro_rules! kinds {
    ($($file:ident::$Kind:ident),* $(,)?) => {
        $(pub use $file::$Kind;)*

        /// What a fault does, and where.
        ///
        /// | sentence | what it does |
        /// |---|---|
        $(#[doc = $file::row!()])*
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum FaultKind {
            $(
                #[doc = concat!("See [`", stringify!($Kind), "`].")]
                $Kind($Kind),
            )*
        }

        impl FaultKind {
            /// Returns how its sentence states the duration.
            pub(crate) fn lasts(&self) -> Lasts {
                match self { $(FaultKind::$Kind(_) => $Kind::LASTS,)* }
            }

            /// Returns its name, as used by coverage.
            pub fn name(&self) -> Cow<'static, str> {
                match self { $(FaultKind::$Kind(kind) => kind.name(),)* }
            }

            /// Returns the position of its kind in [`FaultKind::kinds`].
            pub fn index(&self) -> usize {
                let name = match self { $(FaultKind::$Kind(_) => $Kind::NAME,)* };
                KINDS.iter().position(|kind| kind.name == name).unwrap_or_default()
            }

            /// Returns the names of all kinds.
            pub fn kinds() -> impl ExactSizeIterator<Item = &'static str> {
                KINDS.iter().map(|kind| kind.name)
            }

            /// Returns its effects on the simulated network.
            pub fn effects(&self) -> Vec<Effect> {
                match self { $(FaultKind::$Kind(kind) => kind.effects(),)* }
            }

            /// Returns simpler replacements, the simplest first.
            pub(crate) fn simpler(&self) -> Vec<FaultKind> {
                match self { $(FaultKind::$Kind(kind) => kind.simpler().into_iter().map(FaultKind::$Kind).collect(),)* }
            }
        }

        impl fmt::Display for FaultKind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(FaultKind::$Kind(kind) => kind.fmt(f),)* }
            }
        }

        $(
            impl From<$Kind> for FaultKind {
                fn from(kind: $Kind) -> FaultKind {
                    FaultKind::$Kind(kind)
                }
            }

            impl $Kind {
                /// Schedules this fault at a virtual time, counted from the start of the run. It lasts until the world
                /// is healed.
                pub fn at(self, time: Duration) -> Fault {
                    Fault { kind: self.into(), trigger: Trigger::At(time), duration: None }
                }

                /// Schedules this fault at the `nth` occurrence of an event, counted from 1. It lasts until the world
                /// is healed.
                pub fn when(self, event: TriggerEvent, nth: u32) -> Fault {
                    Fault { kind: self.into(), trigger: Trigger::On { event, nth }, duration: None }
                }
            }
        )*

        /// Every kind, in the order in which [`Faults::all`] allows them.
        static KINDS: &[Entry] = &[$(
            Entry {
                name: $Kind::NAME,
                example: $file::EXAMPLE,
                weight: $Kind::WEIGHT,
                allow: $Kind::ALLOW,
                parse: |words| $Kind::parse(words).map(FaultKind::$Kind),
                draw: |draw| $Kind::draw(draw).map(FaultKind::$Kind),
            },
        )*];

        /// The documentation rows of all kinds, for [`Faults`].
        macro_rules! rows {
            () => {
                concat!($($crate::plan::fault::$file::row!()),*)
            };
        }
        use rows;

        /// Generates any kind of fault, for tests.
        #[cfg(feature = "arbitrary")]
        pub(crate) fn any_kind() -> impl proptest::strategy::Strategy<Value = FaultKind> {
            use proptest::strategy::Strategy;
            proptest::strategy::Union::new([$($Kind::any().prop_map(FaultKind::$Kind).boxed()),*])
        }
    };
}

// Faults are drawn in this order: moving a kind changes the draws of every seed.
kinds! {
    cut::Cut,
    one_way_cut::OneWayCut,
    slow::Slow,
    delay::Delay,
    lose::Lose,
    duplicate::Duplicate,
    reorder::Reorder,
    limit::Limit,
    reset::Reset,
    drop_syns::DropSyns,
    refuse_syns::RefuseSyns,
    stretch_writes::StretchWrites,
    stretch_reads::StretchReads,
    stall_reads::StallReads,
    shrink_buffers::ShrinkBuffers,
    kill::Kill,
    crash::Crash,
    pause::Pause,
    fail_lookups::FailLookups,
    fail_accepts::FailAccepts,
    custom_rule::CustomRule,
    lose_acknowledgements::LoseAcknowledgements,
}

impl Fault {
    /// Returns the fault with this duration.
    ///
    /// # Panics
    /// Panics if it is instantaneous, as a reset is.
    #[track_caller]
    pub fn lasting(self, duration: Duration) -> Fault {
        assert!(self.kind.lasts() != Lasts::Not, "a fault like `{}` is over at once and has no duration", self.kind);
        Fault { duration: Some(duration), ..self }
    }

    /// Returns the fault with its virtual time counted from this one on, in nanoseconds. One that waits for an event is unchanged.
    pub fn after(mut self, now: u64) -> Fault {
        if let Trigger::At(at) = &mut self.trigger {
            *at = at.saturating_add(Duration::from_nanos(now));
        }
        self
    }
}

impl FaultKind {
    /// Parses any kind of fault.
    pub(super) fn parse(words: &mut Words<'_>) -> Result<FaultKind, SentenceError> {
        if !begins_fault(words.peek()) {
            return Err(words.expected(&a_fault()));
        }
        words.either(KINDS.iter().map(|kind| kind.parse))
    }
}

impl Lasts {
    /// Parses the duration of a fault, if the sentence states it.
    pub(super) fn parse(self, words: &mut Words<'_>) -> Result<Option<Duration>, SentenceError> {
        match self {
            Lasts::For if words.takes("for") => words.duration().map(Some),
            Lasts::And(what) if words.takes("and") => {
                words.exactly(what)?;
                words.duration().map(Some)
            }
            _ => Ok(None),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.trigger)?;
        let Some(duration) = self.duration.map(super::DisplayDuration) else { return Ok(()) };
        match self.kind.lasts() {
            Lasts::Not => Ok(()),
            Lasts::For => write!(f, " for {duration}"),
            Lasts::And(what) => write!(f, " and {what} {duration}"),
        }
    }
}

impl TryFrom<&str> for Fault {
    type Error = SentenceError;

    fn try_from(sentence: &str) -> Result<Fault, SentenceError> {
        sentence.parse()
    }
}

impl TryFrom<&String> for Fault {
    type Error = SentenceError;

    fn try_from(sentence: &String) -> Result<Fault, SentenceError> {
        sentence.parse()
    }
}

impl TryFrom<String> for Fault {
    type Error = SentenceError;

    fn try_from(sentence: String) -> Result<Fault, SentenceError> {
        sentence.parse()
    }
}

/// Returns whether a sentence that begins with this word is about a fault.
pub(super) fn begins_fault(word: &str) -> bool {
    verbs().any(|verb| verb == word)
}

/// Returns the description of what is expected where a fault could be: `a fault: "cut", "slow", ...`.
pub(super) fn a_fault() -> String {
    let mut listed: Vec<String> = Vec::new();
    for verb in verbs().map(|verb| format!("{verb:?}")) {
        if !listed.contains(&verb) {
            listed.push(verb);
        }
    }
    format!("a fault: {}", listed.join(", "))
}

fn verbs() -> impl Iterator<Item = &'static str> {
    KINDS.iter().filter_map(|kind| kind.example.split(' ').next())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_kind_has_a_sentence_and_a_name_of_its_own() {
        for kind in KINDS {
            let read: FaultKind = kind.example.parse().unwrap();
            assert_eq!(read.to_string(), kind.example);
            assert!(read.name().starts_with(kind.name), "{}", read.name());
            assert_eq!(FaultKind::kinds().nth(read.index()), Some(kind.name));
            assert!(!read.effects().is_empty());
        }
        let names: BTreeSet<_> = KINDS.iter().map(|kind| kind.name).collect();
        assert_eq!(names.len(), KINDS.len());
    }

    #[test]
    fn all_allows_every_kind() {
        let allowed = Faults::between("a", "b").all().rule("lose_nth");
        let allowed: BTreeSet<_> = allowed.kinds().map(|kind| kind.name).collect();
        assert_eq!(allowed, KINDS.iter().map(|kind| kind.name).collect());
    }

    #[test]
    fn a_typed_fault_is_its_sentence() {
        let fault = Lose { percent: 10, of: crate::plan::Link::between("a", "b").into() };
        let fault = fault.at(Duration::from_secs(1)).lasting(Duration::from_secs(2));
        assert_eq!(Fault::try_from("lose 10 % of a <-> b at 1 s for 2 s"), Ok(fault));
    }

    #[test]
    #[should_panic(expected = "a fault like `reset a <-> b` is over at once")]
    fn a_reset_has_no_duration() {
        let reset = Reset { on: crate::plan::Link::between("a", "b") };
        let _ = reset.at(Duration::ZERO).lasting(Duration::from_secs(1));
    }
}
