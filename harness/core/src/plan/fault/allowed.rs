//! The builder with which a test states which faults may happen.

use super::{Entry, KINDS};

/// Which faults may happen in a run, and where. Each run draws a few of them, or none.
///
/// ```
/// # use refrain_core::plan::fault::Faults;
/// let faults = Faults::between("exchange", "notes").cuts().resets().crashes().at_most(4);
/// ```
///
/// For each fault a plan states what it does, where, when it starts and how long it lasts. `World::fault` accepts the
/// same sentences, and a trace shows them:
///
/// | sentence | effect |
/// |---|---|
#[doc = super::rows!()]
///
/// `a <-> b` means both directions between two hosts. Where `a -> b` can be used instead, it means the direction from
/// `a` to `b`: the connects and writes of `a`, and the reads of `b`.
///
/// | start | |
/// |---|---|
/// | `at 1 s` | at a virtual time |
/// | `when a -> b starts its 1st connect` | |
/// | `when a accepts its 1st connection` | |
/// | `when a -> b makes its 1st write` | |
/// | `when a reads from b the 1st time` | |
/// | `when a receives the 100th byte from b` | exactly 100 bytes have arrived, wherever a packet ends |
/// | `when a closes a connection with b the 1st time` | |
///
/// `for 4.2 s` at the end states the duration; `kill` and `crash` use `and restart it after 1 s` and `and reboot it
/// after 1 s`. Without it a fault lasts until the test heals the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    hosts: Vec<String>,
    /// The names of the allowed kinds, in the order in which they were added.
    kinds: Vec<&'static str>,
    /// The names of the allowed rules.
    pub(super) rules: Vec<String>,
    pub(super) at_most: usize,
}

/// The default maximum number of faults per run.
const AT_MOST: usize = 4;

impl Faults {
    /// Creates a set of faults for two hosts and the link between them, with no kind allowed yet.
    pub fn between(a: &str, b: &str) -> Faults {
        Faults::among([a, b])
    }

    /// Creates a set of faults for several hosts and the links between them, with no kind allowed yet.
    pub fn among<'a>(hosts: impl IntoIterator<Item = &'a str>) -> Faults {
        Faults { hosts: hosts.into_iter().map(str::to_owned).collect(), kinds: vec![], rules: vec![], at_most: AT_MOST }
    }

    /// Allows every kind of fault, except the test's own rules.
    pub fn all(self) -> Faults {
        KINDS.iter().fold(self, |faults, kind| (kind.allow)(faults))
    }

    /// Sets the maximum number of faults per run. The default is 4.
    pub fn at_most(self, at_most: usize) -> Faults {
        Faults { at_most, ..self }
    }

    /// Returns the hosts that may be affected.
    pub fn hosts(&self) -> &[String] {
        &self.hosts
    }

    /// Returns the allowed rules.
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

    /// Returns the allowed kinds, in the order in which they were added.
    pub(super) fn kinds(&self) -> impl Iterator<Item = &'static Entry> {
        self.kinds.iter().filter_map(|name| KINDS.iter().find(|kind| kind.name == *name))
    }
}
