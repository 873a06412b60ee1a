//! What the threads of one execution did to atomics, and whether its `SeqCst` operations can have the one total order that
//! C++20 demands ([atomics.order], the memory model of Rust).
//!
//! The total order must agree with *strongly happens before* and with *coherence-ordered before*. Both are known here:
//! the first from clocks, the second from what each load read. So the question is whether a graph has a cycle.

use crate::interleaving::threads::THREADS_MAX;
use std::{collections::BTreeMap, sync::atomic::Ordering};

/// The most operations on atomics in an execution: what they order is looked at again and again.
pub const OPERATIONS_MAX: usize = 256;
/// How many operations of each thread are known to have happened.
pub type Clock = [u32; THREADS_MAX];

/// What happened so far.
#[derive(Debug, Default)]
pub struct History {
    threads: [Thread; THREADS_MAX],
    operations: Vec<Operation>,
    /// Whether any load read a store that was not the newest.
    has_read_old: bool,
}

#[derive(Debug, Default, Clone, Copy)]
struct Thread {
    clock: Clock,
    /// What its last release fence knew: each store after it hands that on.
    released: Clock,
    /// What the stores know that it read without acquiring: its next acquire fence does.
    unacquired: Clock,
}

#[derive(Debug)]
struct Operation {
    thread: usize,
    /// What its thread knew before it, and with it.
    before: Clock,
    clock: Clock,
    is_seq_cst: bool,
    /// What it did to an atomic; `None`: it is a fence.
    access: Option<Access>,
}

#[derive(Debug, Clone, Copy)]
struct Access {
    atomic: u32,
    /// The store that it read, as the number of that operation.
    reads: Option<usize>,
    /// What it stored, and what a load that acquires it learns.
    stores: Option<(u64, Clock)>,
}

impl History {
    /// A thread read a value; `false` if it cannot have.
    pub fn load(&mut self, thread: usize, atomic: u32, order: Ordering, value: u64) -> bool {
        let reads = self.read(atomic, value);
        self.push(thread, order, Some(Access { atomic, reads, stores: None }));
        self.is_possible()
    }

    /// A thread stored a value.
    pub fn store(&mut self, thread: usize, atomic: u32, order: Ordering, value: u64) {
        self.push(thread, order, Some(Access { atomic, reads: None, stores: Some((value, Clock::default())) }));
    }

    /// A thread read a value and stored another, in one step; `false` if it cannot have.
    pub fn exchange(&mut self, thread: usize, atomic: u32, order: Ordering, was: u64, value: u64) -> bool {
        let reads = self.read(atomic, was);
        self.push(thread, order, Some(Access { atomic, reads, stores: Some((value, Clock::default())) }));
        self.is_possible()
    }

    /// A thread made a fence.
    pub fn fence(&mut self, thread: usize, order: Ordering) {
        self.push(thread, order, None);
    }

    /// What a thread hands on to whoever acquires it: by a lock, a spawn, its end.
    pub fn release(&mut self, thread: usize) -> Clock {
        self.threads[thread].clock[thread] += 1;
        self.threads[thread].clock
    }

    /// A thread learns what another handed on.
    pub fn acquire(&mut self, thread: usize, released: &Clock) {
        join(&mut self.threads[thread].clock, released);
    }

    /// Whether it has room for another operation.
    pub fn has_room(&self) -> bool {
        self.operations.len() < OPERATIONS_MAX
    }

    /// The store that was read. Of several equal values the newest is the least that a load can be blamed for.
    fn read(&mut self, atomic: u32, value: u64) -> Option<usize> {
        let store = self.last_store(atomic, |stored| stored == value);
        self.has_read_old |= store != self.last_store(atomic, |_| true);
        store
    }

    /// As long as each load reads the newest store, what happened is its own total order.
    fn is_possible(&self) -> bool {
        !self.has_read_old || self.has_total_order()
    }

    fn last_store(&self, atomic: u32, is: impl Fn(u64) -> bool) -> Option<usize> {
        let stores = |operation: &Operation| match operation.access {
            Some(Access { atomic: its, stores: Some((value, _)), .. }) => its == atomic && is(value),
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
                // What it read goes on, too: a release sequence.
                *knows = learns;
                join(knows, if releases { &thread.clock } else { &thread.released });
            }
            Some(_) => {}
        }
        let clock = thread.clock;
        self.operations.push(Operation { thread: nth, before, clock, is_seq_cst: order == SeqCst, access });
    }

    fn has_total_order(&self) -> bool {
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
                // Of the equal values another one was read than we think.
                return true;
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

    /// Something after the one happens before something before the other: the pair itself may be all that orders them, and
    /// then it does not, which is how processors order mixed accesses.
    fn strongly_happens_before(&self, one: usize, other: usize) -> bool {
        let (one, other) = (&self.operations[one], &self.operations[other]);
        let nth = one.clock[one.thread];
        if one.thread == other.thread { nth < other.clock[one.thread] } else { nth < other.before[one.thread] }
    }

    /// What coherence says of the order in which an atomic was modified.
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
        // Nothing comes between what an exchange read and what it stored.
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

    /// The store at which an access stands in the modification order.
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

/// Adds what another knows.
pub fn join(clock: &mut Clock, other: &Clock) {
    clock.iter_mut().zip(other).for_each(|(own, other)| *own = (*own).max(*other));
}

fn pairs(of: &[usize]) -> impl Iterator<Item = (usize, usize)> {
    of.iter().flat_map(|one| of.iter().map(|other| (*one, *other))).filter(|(one, other)| one != other)
}

/// What comes before what, of some operations.
struct Relation {
    of: Vec<usize>,
    /// A row of bits for each operation: what comes after it.
    after: Vec<[u64; OPERATIONS_MAX / 64]>,
}

impl Relation {
    /// Nothing is known. What it is on is sorted.
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

    /// What it is not on is passed over.
    fn add(&mut self, one: usize, other: usize) {
        if let (Some(one), Some(other)) = (self.place(one), self.place(other)) {
            self.after[one][other / 64] |= 1 << (other % 64);
        }
    }

    fn count(&self) -> u32 {
        self.after.iter().flatten().map(|bits| bits.count_ones()).sum()
    }

    /// What is before what is before.
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
