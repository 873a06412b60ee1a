//! The atomic operations of one execution, and whether they can have the orders that C++20 requires (the memory model of
//! Rust): of each atomic's stores ([intro.races]), and of all `SeqCst` operations ([atomics.order]).
//!
//! The total order must be consistent with *strongly happens before* and with *coherence-ordered before*. Both are
//! known here: the first from clocks, the second from the value that each load read. So the question is whether a graph
//! has a cycle.

use crate::interleaving::threads::THREADS_MAX;
use std::{collections::BTreeMap, sync::atomic::Ordering};

/// Maximum number of atomic operations in an execution, since their order is recomputed repeatedly.
pub const OPERATIONS_MAX: usize = 256;
/// A vector clock: how many operations of each thread happened before.
pub type Clock = [u32; THREADS_MAX];

/// The operations so far.
#[derive(Debug, Default)]
pub struct History {
    threads: [Thread; THREADS_MAX],
    operations: Vec<Operation>,
    /// Whether any load read a store other than the newest.
    has_read_old: bool,
}

#[derive(Debug, Default, Clone, Copy)]
struct Thread {
    clock: Clock,
    /// The clock at its last release fence, which later stores publish.
    released: Clock,
    /// The clocks of stores that it read without acquiring; its next acquire fence joins them.
    unacquired: Clock,
}

#[derive(Debug)]
struct Operation {
    thread: usize,
    /// Its thread's clock before the operation and including it.
    before: Clock,
    clock: Clock,
    is_seq_cst: bool,
    /// Its access of an atomic; `None` for a fence.
    access: Option<Access>,
}

#[derive(Debug, Clone, Copy)]
struct Access {
    atomic: u32,
    /// The store that it read, as the number of that operation.
    reads: Option<usize>,
    /// The name of its store, and the clock that a load acquires from it.
    stores: Option<(u64, Clock)>,
}

impl History {
    /// Records a load of the store with this name; returns `false` if that is impossible.
    pub fn load(&mut self, thread: usize, atomic: u32, order: Ordering, name: u64) -> bool {
        let reads = self.read(atomic, name);
        self.push(thread, order, Some(Access { atomic, reads, stores: None }));
        self.is_possible()
    }

    /// Records a store with a name that no other store of the atomic has.
    pub fn store(&mut self, thread: usize, atomic: u32, order: Ordering, name: u64) {
        self.push(thread, order, Some(Access { atomic, reads: None, stores: Some((name, Clock::default())) }));
    }

    /// Records a store that happens before every other operation.
    pub fn first_store(&mut self, atomic: u32, name: u64) {
        let (before, clock) = (Clock::default(), Clock::default());
        let access = Some(Access { atomic, reads: None, stores: Some((name, Clock::default())) });
        self.operations.push(Operation { thread: 0, before, clock, is_seq_cst: false, access });
    }

    /// Records a read-modify-write; returns `false` if it is impossible.
    pub fn exchange(&mut self, thread: usize, atomic: u32, order: Ordering, was: u64, name: u64) -> bool {
        let reads = self.read(atomic, was);
        self.push(thread, order, Some(Access { atomic, reads, stores: Some((name, Clock::default())) }));
        self.is_possible()
    }

    /// Records a fence.
    pub fn fence(&mut self, thread: usize, order: Ordering) {
        self.push(thread, order, None);
    }

    /// Returns the clock that a thread publishes through a lock, a spawn or its end.
    pub fn release(&mut self, thread: usize) -> Clock {
        self.threads[thread].clock[thread] += 1;
        self.threads[thread].clock
    }

    /// Records that a thread acquires a published clock.
    pub fn acquire(&mut self, thread: usize, released: &Clock) {
        join(&mut self.threads[thread].clock, released);
    }

    /// Returns whether there is room for another operation.
    pub fn has_room(&self) -> bool {
        self.operations.len() < OPERATIONS_MAX
    }

    /// Returns the store that was read.
    fn read(&mut self, atomic: u32, name: u64) -> Option<usize> {
        let store = self.last_store(atomic, |stored| stored == name);
        self.has_read_old |= store != self.last_store(atomic, |_| true);
        store
    }

    /// Returns whether the orders exist. While each load reads the newest store, the execution order is one of each.
    fn is_possible(&self) -> bool {
        !self.has_read_old || self.has_orders()
    }

    fn last_store(&self, atomic: u32, is: impl Fn(u64) -> bool) -> Option<usize> {
        let stores = |operation: &Operation| match operation.access {
            Some(Access { atomic: its, stores: Some((name, _)), .. }) => its == atomic && is(name),
            _ => false,
        };
        self.operations.iter().rposition(stores)
    }

    fn push(&mut self, nth: usize, order: Ordering, mut access: Option<Access>) {
        use Ordering::*;
        let (acquires, releases) =
            (matches!(order, Acquire | AcqRel | SeqCst), matches!(order, Release | AcqRel | SeqCst));
        let thread = &mut self.threads[nth];
        let before = thread.clock;
        thread.clock[nth] += 1;
        let read = access.and_then(|access| access.reads).and_then(|store| self.operations[store].access);
        let learns = read.and_then(|access| access.stores).map(|(_, knows)| knows).unwrap_or_default();
        join(if acquires { &mut thread.clock } else { &mut thread.unacquired }, &learns);
        match &mut access {
            None => {
                if acquires {
                    join(&mut thread.clock, &thread.unacquired.clone());
                }
                if releases {
                    thread.released = thread.clock;
                }
            }
            Some(Access { stores: Some((_, knows)), .. }) => {
                // A read-modify-write continues the release sequence of the store that it read.
                *knows = learns;
                join(knows, if releases { &thread.clock } else { &thread.released });
            }
            Some(_) => {}
        }
        let clock = thread.clock;
        self.operations.push(Operation { thread: nth, before, clock, is_seq_cst: order == SeqCst, access });
    }

    fn has_orders(&self) -> bool {
        let is_seq_cst = |at: &usize| self.operations[*at].is_seq_cst;
        let all: Vec<usize> = (0..self.operations.len()).filter(is_seq_cst).collect();
        let is_fence = |at: &usize| self.operations[*at].access.is_none();
        let fences: Vec<usize> = all.iter().copied().filter(is_fence).collect();
        let mut order = Relation::on(all.clone());
        let strongly = pairs(&all).filter(|(one, other)| self.strongly_happens_before(*one, *other));
        strongly.for_each(|(one, other)| order.add(one, other));
        let mut accesses: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (at, operation) in self.operations.iter().enumerate() {
            if let Some(access) = operation.access {
                accesses.entry(access.atomic).or_default().push(at);
            }
        }
        for accesses in accesses.values() {
            let stores = self.modification_order(accesses);
            if stores.has_cycle() {
                return false;
            }
            for (one, other) in pairs(accesses).filter(|(one, other)| self.coherence_ordered(&stores, *one, *other)) {
                let froms = fences.iter().copied().filter(|fence| self.happens_before(*fence, one));
                let tos: Vec<usize> =
                    fences.iter().copied().filter(|fence| self.happens_before(other, *fence)).collect();
                for from in froms.chain([one]) {
                    tos.iter().chain([&other]).for_each(|to| order.add(from, *to));
                }
            }
        }
        order.close();
        !order.has_cycle()
    }

    fn happens_before(&self, one: usize, other: usize) -> bool {
        let (one, other) = (&self.operations[one], &self.operations[other]);
        let nth = one.clock[one.thread];
        if one.thread == other.thread { nth < other.clock[one.thread] } else { nth <= other.clock[one.thread] }
    }

    /// Returns whether an operation that follows `one` happens before one that precedes `other`. The pair itself may be
    /// their only order, in which case it does not count: this is how processors order mixed accesses.
    fn strongly_happens_before(&self, one: usize, other: usize) -> bool {
        let (one, other) = (&self.operations[one], &self.operations[other]);
        let nth = one.clock[one.thread];
        if one.thread == other.thread { nth < other.clock[one.thread] } else { nth < other.before[one.thread] }
    }

    /// Returns the modification order of an atomic, as far as coherence determines it.
    fn modification_order(&self, accesses: &[usize]) -> Relation {
        let access = |at: usize| self.operations[at].access.expect("no fence is among them");
        let stores: Vec<usize> = accesses.iter().copied().filter(|at| access(*at).stores.is_some()).collect();
        let exchanges: Vec<(usize, usize)> =
            stores.iter().filter_map(|at| access(*at).reads.map(|reads| (reads, *at))).collect();
        let mut order = Relation::on(stores.clone());
        exchanges.iter().for_each(|(reads, stores)| order.add(*reads, *stores));
        for (one, other) in pairs(accesses).filter(|(one, other)| self.happens_before(*one, *other)) {
            let seen = self.place(one);
            for later in access(other).reads.into_iter().chain(access(other).stores.map(|_| other)) {
                if seen != Some(later) {
                    seen.into_iter().for_each(|seen| order.add(seen, later));
                }
            }
        }
        // No store comes between what a read-modify-write read and what it stored.
        loop {
            order.close();
            let count = order.count();
            for (reads, own) in &exchanges {
                for at in stores.iter().filter(|at| *at != reads && *at != own) {
                    if order.has(*reads, *at) {
                        order.add(*own, *at);
                    }
                    if order.has(*at, *own) {
                        order.add(*at, *reads);
                    }
                }
            }
            if order.count() == count {
                return order;
            }
        }
    }

    /// Returns the store that an access belongs to in the modification order.
    fn place(&self, at: usize) -> Option<usize> {
        self.operations[at].access.and_then(|access| access.stores.map(|_| at).or(access.reads))
    }

    fn coherence_ordered(&self, stores: &Relation, one: usize, other: usize) -> bool {
        match (self.place(one), self.place(other)) {
            (Some(first), Some(second)) if first == second => first == one,
            (Some(first), Some(second)) => stores.has(first, second),
            _ => false,
        }
    }
}

/// Joins another clock into one.
pub fn join(clock: &mut Clock, other: &Clock) {
    clock.iter_mut().zip(other).for_each(|(own, other)| *own = (*own).max(*other));
}

fn pairs(of: &[usize]) -> impl Iterator<Item = (usize, usize)> {
    of.iter().flat_map(|one| of.iter().map(|other| (*one, *other))).filter(|(one, other)| one != other)
}

/// A partial order of some operations.
struct Relation {
    of: Vec<usize>,
    /// A bit set for each operation: the operations after it.
    after: Vec<[u64; OPERATIONS_MAX / 64]>,
}

impl Relation {
    /// Creates an empty relation on operations, which must be sorted.
    fn on(of: Vec<usize>) -> Relation {
        Relation { after: vec![[0; OPERATIONS_MAX / 64]; of.len()], of }
    }

    fn place(&self, operation: usize) -> Option<usize> {
        self.of.binary_search(&operation).ok()
    }

    fn has(&self, one: usize, other: usize) -> bool {
        match (self.place(one), self.place(other)) {
            (Some(one), Some(other)) => self.has_at(one, other),
            _ => false,
        }
    }

    fn has_at(&self, one: usize, other: usize) -> bool {
        self.after[one][other / 64] >> (other % 64) & 1 == 1
    }

    /// Adds a pair. Operations outside the relation are ignored.
    fn add(&mut self, one: usize, other: usize) {
        if let (Some(one), Some(other)) = (self.place(one), self.place(other)) {
            self.after[one][other / 64] |= 1 << (other % 64);
        }
    }

    fn count(&self) -> u32 {
        self.after.iter().flatten().map(|bits| bits.count_ones()).sum()
    }

    /// Computes the transitive closure.
    fn close(&mut self) {
        for by in 0..self.of.len() {
            let beyond = self.after[by];
            for one in 0..self.of.len() {
                if self.has_at(one, by) {
                    self.after[one].iter_mut().zip(beyond).for_each(|(own, beyond)| *own |= beyond);
                }
            }
        }
    }

    fn has_cycle(&self) -> bool {
        (0..self.of.len()).any(|at| self.has_at(at, at))
    }
}
