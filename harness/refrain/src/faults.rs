//! The vocabulary in which a test says what may go wrong.

/// What may go wrong in a run, and where. Each run draws a few of these, or none.
///
/// ```
/// # use refrain::Faults;
/// let faults = Faults::between("exchange", "notes").cuts().resets().crashes().at_most(4);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    pub(crate) hosts: Vec<String>,
    pub(crate) kinds: Vec<FaultKind>,
    pub(crate) at_most: usize,
}

/// A kind of fault, as a test allows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FaultKind {
    Cut,
    CutOneWay,
    Reset,
    Kill,
    Crash,
    Pause,
    Slow,
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
        Faults { hosts: hosts.into_iter().map(str::to_owned).collect(), kinds: vec![], at_most: AT_MOST }
    }

    /// No packet passes for a while.
    pub fn cuts(self) -> Faults {
        self.and(FaultKind::Cut)
    }

    /// No packet passes one way for a while.
    pub fn one_way_cuts(self) -> Faults {
        self.and(FaultKind::CutOneWay)
    }

    /// Connections are reset.
    pub fn resets(self) -> Faults {
        self.and(FaultKind::Reset)
    }

    /// A process is killed, and started again after a while.
    pub fn kills(self) -> Faults {
        self.and(FaultKind::Kill)
    }

    /// A host loses power, and boots after a while.
    pub fn crashes(self) -> Faults {
        self.and(FaultKind::Crash)
    }

    /// A process stands still for a while.
    pub fn pauses(self) -> Faults {
        self.and(FaultKind::Pause)
    }

    /// Packets take longer for a while.
    pub fn slowdowns(self) -> Faults {
        self.and(FaultKind::Slow)
    }

    /// Every kind of fault.
    pub fn all(self) -> Faults {
        self.cuts().one_way_cuts().resets().kills().crashes().pauses().slowdowns()
    }

    /// How many faults one run has at most; 4 unless this says otherwise.
    pub fn at_most(self, at_most: usize) -> Faults {
        Faults { at_most, ..self }
    }

    fn and(mut self, kind: FaultKind) -> Faults {
        if !self.kinds.contains(&kind) {
            self.kinds.push(kind);
        }
        self
    }
}
