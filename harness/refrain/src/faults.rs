//! The vocabulary in which a test says what may go wrong.

/// What may go wrong in a run, and where. Each run draws a few of these, or none.
///
/// ```
/// # use refrain::Faults;
/// let faults = Faults::between("exchange", "notes").cuts().resets().crashes().at_most(4);
/// ```
///
/// A plan says of each fault what goes wrong, where, when it begins and for how long. [`crate::World::fault`] takes the same
/// sentences, and a trace shows them:
///
/// | on the way between two hosts, `a <-> b`, or from one to the other, `a -> b` | |
/// |---|---|
/// | `cut a <-> b` | no packet passes |
/// | `slow a <-> b by 300 ms` | every packet takes longer |
/// | `delay 10 % of a <-> b by 300 ms` | some packets take longer |
/// | `lose 10 % of a <-> b` | some packets are lost |
/// | `duplicate 10 % of a <-> b` | some packets arrive twice |
/// | `reorder 10 % of a <-> b` | some packets are overtaken |
/// | `limit a <-> b to 1000 B/s` | so many bytes pass a second |
/// | `drop SYNs on a -> b` | who connects is not heard |
/// | `refuse SYNs on a -> b` | who connects is refused |
/// | `stretch writes on a -> b` | a write of `a` takes a single byte |
/// | `stretch reads on a -> b` | a read of `b` gives a single byte |
/// | `stall reads on a -> b` | `b` does not come to read |
/// | `shrink buffers on a -> b to 16 B` | buffers hold so many bytes |
/// | `reset a <-> b` | every connection is reset |
///
/// | on a host | |
/// |---|---|
/// | `kill a` ... `and restart it after 1 s` | its process dies, its kernel closes the sockets |
/// | `crash a` ... `and reboot it after 1 s` | it loses power and forgets everything |
/// | `pause a` | its process stands still |
/// | `fail lookups on a` | names are not resolved |
/// | `fail accepts on a` | it has no file descriptor left: `EMFILE` |
///
/// | when | |
/// |---|---|
/// | `at 1 s` | at a virtual time |
/// | `when a -> b starts its 1st connect` | |
/// | `when a accepts its 1st connection` | |
/// | `when a -> b makes its 1st write` | |
/// | `when a reads from b the 1st time` | |
/// | `when a receives the 100th byte from b` | with exactly so many arrived: no packet's end |
/// | `when a closes a connection with b the 1st time` | |
///
/// `for 4.2 s` at the end says how long; without it a fault lasts until [`crate::World::heal`].
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
    Delay,
    Lose,
    Duplicate,
    Reorder,
    Limit,
    DropSyns,
    RefuseSyns,
    StretchWrites,
    StretchReads,
    StallReads,
    ShrinkBuffers,
    FailLookups,
    FailAccepts,
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

    /// Some packets take longer for a while: spikes of latency.
    pub fn delays(self) -> Faults {
        self.and(FaultKind::Delay)
    }

    /// Some packets are lost for a while. A connection sends them again, which takes time.
    pub fn losses(self) -> Faults {
        self.and(FaultKind::Lose)
    }

    /// Some packets arrive twice for a while.
    pub fn duplicates(self) -> Faults {
        self.and(FaultKind::Duplicate)
    }

    /// Some packets are overtaken by later ones for a while.
    pub fn reorderings(self) -> Faults {
        self.and(FaultKind::Reorder)
    }

    /// Few bytes a second pass for a while.
    pub fn limits(self) -> Faults {
        self.and(FaultKind::Limit)
    }

    /// What would open a connection is dropped for a while.
    pub fn dropped_syns(self) -> Faults {
        self.and(FaultKind::DropSyns)
    }

    /// Who connects is refused for a while.
    pub fn refusals(self) -> Faults {
        self.and(FaultKind::RefuseSyns)
    }

    /// Writes take, and reads give, a single byte for a while.
    pub fn stretches(self) -> Faults {
        self.and(FaultKind::StretchWrites).and(FaultKind::StretchReads)
    }

    /// An application does not come to read for a while.
    pub fn stalls(self) -> Faults {
        self.and(FaultKind::StallReads)
    }

    /// Buffers of sockets are small for a while.
    pub fn small_buffers(self) -> Faults {
        self.and(FaultKind::ShrinkBuffers)
    }

    /// A host cannot resolve names for a while.
    pub fn failed_lookups(self) -> Faults {
        self.and(FaultKind::FailLookups)
    }

    /// A host cannot accept connections for a while: it is out of file descriptors.
    pub fn failed_accepts(self) -> Faults {
        self.and(FaultKind::FailAccepts)
    }

    /// Every kind of fault.
    pub fn all(self) -> Faults {
        let network = self.cuts().one_way_cuts().slowdowns().delays().losses().duplicates().reorderings().limits();
        let streams = network.resets().dropped_syns().refusals().stretches().stalls().small_buffers();
        streams.kills().crashes().pauses().failed_lookups().failed_accepts()
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
