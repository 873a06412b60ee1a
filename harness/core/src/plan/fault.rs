//! What can go wrong: the list of the kinds of faults, and what each kind must say of itself.
//!
//! A kind of fault is one file in `fault/`: a struct with what its sentence says, and an implementation of `Kind`.
//! The list at the end of this file makes the rest of it: a kind that lacks a part does not compile.

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

/// Something that goes wrong, and when; in files its sentence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Fault {
    /// What goes wrong, and where.
    pub kind: FaultKind,
    /// When it begins.
    pub trigger: Trigger,
    /// How long it lasts; `None`: until `heal`. A reset is over at once and has none.
    pub duration: Option<Duration>,
}

/// What a kind of fault must say of itself.
pub(crate) trait Kind: Sized + Clone + fmt::Display {
    /// Its name, as coverage counts it.
    const NAME: &'static str;
    /// How its sentence says how long it lasts.
    const LASTS: Lasts;
    /// How often it is drawn beside the other kinds.
    const WEIGHT: u32;
    /// The method of [`Faults`] that allows it.
    const ALLOW: fn(Faults) -> Faults;

    /// Its name, where that depends on more than its kind.
    fn name(&self) -> Cow<'static, str> {
        Self::NAME.into()
    }

    /// Reads what its `Display` prints.
    fn parse(words: &mut Words<'_>) -> Result<Self, SentenceError>;

    /// One where chance says; `None`: there is no place for it.
    fn draw(draw: &mut Draw<'_>) -> Option<Self>;

    /// What may stand in its place, simpler in one part and equal in the others, the simplest first.
    fn simpler(&self) -> Vec<Self>;

    /// What it does to the simulated network. It is healed when all of this is undone.
    fn effects(&self) -> Vec<Effect>;

    /// Any one that a sentence can say, for tests.
    #[cfg(feature = "arbitrary")]
    fn any() -> proptest::strategy::BoxedStrategy<Self>;
}

/// How a sentence says how long a fault lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lasts {
    /// It does not: the fault is over at once.
    Not,
    /// `for 2 s`.
    For,
    /// `and`, these words, then the duration: `and reboot it after 2 s`.
    And(&'static str),
}

pub(crate) use draw::Draw;

/// A kind in the list.
struct Entry {
    name: &'static str,
    example: &'static str,
    weight: u32,
    allow: fn(Faults) -> Faults,
    parse: fn(&mut Words<'_>) -> Result<FaultKind, SentenceError>,
    draw: fn(&mut Draw<'_>) -> Option<FaultKind>,
}

/// The row of a kind in the documentation: a sentence of it, and what that does.
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

        /// What goes wrong, and where.
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
            /// How its sentence says how long it lasts.
            pub(crate) fn lasts(&self) -> Lasts {
                match self { $(FaultKind::$Kind(_) => $Kind::LASTS,)* }
            }

            /// Its name, as coverage counts it.
            pub fn name(&self) -> Cow<'static, str> {
                match self { $(FaultKind::$Kind(kind) => kind.name(),)* }
            }

            /// What it does to the simulated network.
            pub fn effects(&self) -> Vec<Effect> {
                match self { $(FaultKind::$Kind(kind) => kind.effects(),)* }
            }

            /// What may stand in its place, the simplest first.
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
                /// This fault at a virtual time, counted from the start of the run. It lasts until the world is healed.
                pub fn at(self, time: Duration) -> Fault {
                    Fault { kind: self.into(), trigger: Trigger::At(time), duration: None }
                }

                /// This fault when something happens for the `nth` time, counted from 1. It lasts until the world is
                /// healed.
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

        /// The rows of all kinds, for the documentation of [`Faults`].
        macro_rules! rows {
            () => {
                concat!($($crate::plan::fault::$file::row!()),*)
            };
        }
        use rows;

        /// Any kind of fault, for tests.
        #[cfg(feature = "arbitrary")]
        pub(crate) fn any_kind() -> impl proptest::strategy::Strategy<Value = FaultKind> {
            use proptest::strategy::Strategy;
            proptest::strategy::Union::new([$($Kind::any().prop_map(FaultKind::$Kind).boxed()),*])
        }
    };
}

// Faults are drawn in this order: a kind in another place changes what every seed draws.
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
    /// The same fault with this duration.
    ///
    /// # Panics
    /// If it is over at once, as a reset is.
    #[track_caller]
    pub fn lasting(self, duration: Duration) -> Fault {
        assert!(self.kind.lasts() != Lasts::Not, "a fault like `{}` is over at once and has no duration", self.kind);
        Fault { duration: Some(duration), ..self }
    }
}

impl FaultKind {
    /// Reads any kind of fault.
    pub(super) fn parse(words: &mut Words<'_>) -> Result<FaultKind, SentenceError> {
        if !begins_fault(words.peek()) {
            return Err(words.expected(&a_fault()));
        }
        words.either(KINDS.iter().map(|kind| kind.parse))
    }
}

impl Lasts {
    /// Reads how long the fault lasts, if the sentence says it.
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

/// Whether a sentence that begins so is about a fault.
pub(super) fn begins_fault(word: &str) -> bool {
    verbs().any(|verb| verb == word)
}

/// What is expected where a fault could stand: `a fault: "cut", "slow", ...`.
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
