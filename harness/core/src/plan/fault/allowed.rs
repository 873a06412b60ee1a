//! The vocabulary in which a test says what may go wrong.

use super::{Entry, KINDS};

/// What may go wrong in a run, and where. Each run draws a few of these faults, or none.
///
/// ```
/// # use refrain_core::plan::fault::Faults;
/// let faults = Faults::between("exchange", "notes").cuts().resets().crashes().at_most(4);
/// ```
///
/// A plan says of each fault what goes wrong, where, when it begins and how long it lasts. `World::fault` takes the same
/// sentences, and a trace shows them:
///
/// | what goes wrong | |
/// |---|---|
#[doc = super::rows!()]
///
/// `a <-> b` is both directions between two hosts. Where `a -> b` can stand in its place, it is the direction from `a` to
/// `b`: the connects and writes of `a`, and the reads of `b`.
///
/// | when it begins | |
/// |---|---|
/// | `at 1 s` | at a virtual time |
/// | `when a -> b starts its 1st connect` | |
/// | `when a accepts its 1st connection` | |
/// | `when a -> b makes its 1st write` | |
/// | `when a reads from b the 1st time` | |
/// | `when a receives the 100th byte from b` | exactly 100 bytes have arrived, wherever a packet ends |
/// | `when a closes a connection with b the 1st time` | |
///
/// `for 4.2 s` at the end says how long it lasts; `kill` and `crash` say `and restart it after 1 s` and `and reboot it
/// after 1 s`. Without it a fault lasts until the test heals the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    hosts: Vec<String>,
    /// The names of the kinds that are allowed, in the order in which they were.
    kinds: Vec<&'static str>,
    /// The names of the rules that are allowed.
    pub(super) rules: Vec<String>,
    pub(super) at_most: usize,
}

/// How many faults a run has at most, unless the test says otherwise.
const AT_MOST: usize = 4;

impl Faults {
    /// Faults of two hosts and of the link between them. No kind is allowed yet.
    pub fn between(a: &str, b: &str) -> Faults {
        Faults::among([a, b])
    }

    /// Faults of these hosts and of the links between any two of them. No kind is allowed yet.
    pub fn among<'a>(hosts: impl IntoIterator<Item = &'a str>) -> Faults {
        Faults { hosts: hosts.into_iter().map(str::to_owned).collect(), kinds: vec![], rules: vec![], at_most: AT_MOST }
    }

    /// Every kind of fault but the test's own rules.
    pub fn all(self) -> Faults {
        KINDS.iter().fold(self, |faults, kind| (kind.allow)(faults))
    }

    /// How many faults one run has at most; 4 unless this says otherwise.
    pub fn at_most(self, at_most: usize) -> Faults {
        Faults { at_most, ..self }
    }

    /// The hosts that may be hit.
    pub fn hosts(&self) -> &[String] {
        &self.hosts
    }

    /// The rules that are allowed.
    pub fn rules(&self) -> &[String] {
        &self.rules
    }

    /// Allows a kind.
    pub(super) fn and(mut self, name: &'static str) -> Faults {
        if !self.kinds.contains(&name) {
            self.kinds.push(name);
        }
        self
    }

    /// The kinds that are allowed, in the order in which they were.
    pub(super) fn kinds(&self) -> impl Iterator<Item = &'static Entry> {
        self.kinds.iter().filter_map(|name| KINDS.iter().find(|kind| kind.name == *name))
    }
}
