//! The properties of a test: conservation, safety and reachability. Each is evaluated as the service logs events.

use super::conserved::{Conserved, LogEvent};
use crate::{
    event::Log,
    protocol::Coverage,
    verdict::{EventPattern, Property},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    panic::Location,
    rc::Rc,
};
use tokio::control;
use tracing::Metadata;

/// The fields of an event in which a service states an invariant: its name, and whether it holds.
const INVARIANT: &str = "invariant";
const HOLDS: &str = "holds";

/// The properties of one run.
#[derive(Default)]
pub(crate) struct Properties {
    pub(super) conserved: Vec<Conserved>,
    /// The kinds of resource that the service has reported.
    pub(super) reported: BTreeSet<String>,
    pub(super) always: Vec<Always>,
    pub(super) sometimes: Vec<Sometimes>,
    /// Events that the service must not log.
    never: Vec<EventPattern>,
    /// Whether the invariants that the service states must hold.
    invariants: bool,
}

#[derive(Clone)]
pub(super) struct Always {
    pub(super) what: String,
    pub(super) place: &'static Location<'static>,
    pub(super) holds: Rc<dyn Fn(&Seen) -> bool>,
}

pub(super) struct Sometimes {
    pub(super) what: String,
    pub(super) target: String,
    pub(super) message: String,
    /// Whether the test fails if no run reaches it.
    pub(super) required: bool,
    pub(super) reached: bool,
}

/// What a safety property can inspect: the state of the service as logged so far.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub(super) live: BTreeMap<String, usize>,
    /// The open instances of the kinds that the service reports: host and id.
    pub(super) open: BTreeMap<String, BTreeSet<(String, String)>>,
}

impl Seen {
    /// Returns the number of open resources of a kind.
    ///
    /// # Panics
    /// Panics if the test does not name the kind with [`World::conserves`](crate::World::conserves).
    pub fn live(&self, kind: &str) -> usize {
        let live = self.live.get(kind).copied();
        live.unwrap_or_else(|| panic!("nothing counts the kind {kind:?}: call world.conserves({kind:?}) first"))
    }

    /// Returns the open resources of a kind that the service reports: the host and the id of each.
    ///
    /// # Panics
    /// Panics if the test does not name the kind with [`World::conserves`](crate::World::conserves), and for `socket` and `task`.
    pub fn open(&self, kind: &str) -> &BTreeSet<(String, String)> {
        let open = self.open.get(kind);
        open.unwrap_or_else(|| panic!("nobody reports the kind {kind:?}: call world.conserves({kind:?}) first"))
    }
}

impl Properties {
    pub fn conserve(&mut self, kind: &str, limit: usize) {
        match self.conserved.iter_mut().find(|conserved| conserved.kind == kind) {
            Some(conserved) => conserved.limit = limit,
            None => self.conserved.push(Conserved::new(kind, limit)),
        }
    }

    pub fn always(&mut self, what: &str, place: &'static Location<'static>, holds: Rc<dyn Fn(&Seen) -> bool>) {
        self.always.push(Always { what: what.into(), place, holds });
    }

    pub fn sometimes(&mut self, what: &str, target: &str, message: &str, required: bool) {
        let (what, target, message) = (what.into(), target.into(), message.into());
        self.sometimes.push(Sometimes { what, target, message, required, reached: false });
    }

    pub fn never(&mut self, target: &str, message: &str) {
        self.never.push(EventPattern { target: target.into(), message: message.into() });
    }

    pub fn invariants(&mut self) {
        self.invariants = true;
    }

    /// Returns the property that an event of the service violates just by being logged.
    pub(super) fn violated_by(&self, LogEvent { log, .. }: &LogEvent) -> Option<Property> {
        let Log { target, message, fields, .. } = log;
        let is_one = |never: &&EventPattern| target.starts_with(&never.target) && message.contains(&never.message);
        if let Some(never) = self.never.iter().find(is_one) {
            return Some(Property::Never(Box::new(never.clone())));
        }
        let broken = self.invariants && fields.get(HOLDS) == Some(&Value::Bool(false));
        let what = fields.get(INVARIANT)?.as_str().filter(|_| broken)?;
        Some(Property::Invariant(what.to_owned()))
    }

    /// Returns whether a property depends on the service's events.
    pub fn need_events(&self) -> bool {
        let of_logs = !self.sometimes.is_empty() || !self.never.is_empty() || self.invariants;
        of_logs || self.conserved.iter().any(|conserved| !conserved.is_counted_here())
    }

    /// Returns whether a property depends on the events of this callsite.
    pub fn names(&self, metadata: &Metadata<'_>) -> bool {
        let fields = metadata.fields();
        let reports = fields.field("kind").is_some() && fields.field("id").is_some();
        let states = fields.field(INVARIANT).is_some() && fields.field(HOLDS).is_some();
        let sometimes = self.sometimes.iter().map(|sometimes| &sometimes.target);
        let mut targets = sometimes.chain(self.never.iter().map(|never| &never.target));
        reports && !self.conserved.is_empty()
            || states && self.invariants
            || targets.any(|target| metadata.target().starts_with(target))
    }

    /// Adds to the coverage what this run reached and reported: 1 or 0.
    pub fn cover(&self, coverage: &mut Coverage) {
        for Sometimes { what, required, reached, .. } in &self.sometimes {
            let runs = if *required { &mut coverage.sometimes } else { &mut coverage.counts };
            runs.insert(what.clone(), u64::from(*reached));
        }
        let named = self.conserved.iter().filter(|conserved| !conserved.is_counted_here());
        coverage.kinds = named.map(|conserved| (conserved.kind.clone(), 0)).collect();
        coverage.kinds.extend(self.reported.iter().map(|kind| (kind.clone(), 1)));
    }

    pub(super) fn seen(&self, hosts: &[(String, control::HostId)]) -> Seen {
        let live = self.conserved.iter().map(|conserved| (conserved.kind.clone(), conserved.count(hosts)));
        let reported = self.conserved.iter().filter(|conserved| !conserved.is_counted_here());
        let open = reported.map(|conserved| {
            let instances = conserved.open(hosts).map(|(host, id, _)| (host.to_owned(), id.to_owned()));
            (conserved.kind.clone(), instances.collect())
        });
        Seen { live: live.collect(), open: open.collect() }
    }
}
