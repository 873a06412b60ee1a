//! `Barrier`, built from a mutex and a condition variable: loom has none.

use super::{Condvar, Mutex, mutex::unpoisoned};
use crate::{
    event::step::{self, Operation},
    interleaving::log::{self, Number, log_effect},
};
use std::panic::Location;

/// Like `std::sync::Barrier`.
#[derive(Debug)]
pub struct Barrier {
    state: Mutex<State>,
    everyone_came: Condvar,
    threads: usize,
    number: Number,
}

#[derive(Debug)]
struct State {
    waiting: usize,
    /// Number of completed rounds.
    round: usize,
}

/// Like `std::sync::BarrierWaitResult`.
#[derive(Debug)]
pub struct BarrierWaitResult(bool);

impl BarrierWaitResult {
    /// See `std`: returns true for the last thread of its round.
    pub fn is_leader(&self) -> bool {
        self.0
    }
}

impl Barrier {
    /// See `std`; but not `const`.
    #[track_caller]
    pub fn new(threads: usize) -> Barrier {
        let state = Mutex::new(State { waiting: 0, round: 0 });
        let number = log::number("barrier");
        log_effect(Location::caller(), || Operation::Barrier { id: number, what: step::Barrier::New { threads } });
        Barrier { state, everyone_came: Condvar::new(), threads, number }
    }

    /// See `std`.
    #[track_caller]
    pub fn wait(&self) -> BarrierWaitResult {
        let place = Location::caller();
        let log_effect = |what| log_effect(place, || Operation::Barrier { id: self.number, what });
        let mut state = unpoisoned(self.state.lock());
        state.waiting += 1;
        log_effect(step::Barrier::Arrive { arrived: state.waiting, threads: self.threads });
        if state.waiting >= self.threads {
            state.waiting = 0;
            state.round += 1;
            self.everyone_came.notify_all();
            log_effect(step::Barrier::Leave { leader: true });
            return BarrierWaitResult(true);
        }
        let round = state.round;
        while state.round == round {
            state = unpoisoned(self.everyone_came.wait(state));
        }
        log_effect(step::Barrier::Leave { leader: false });
        BarrierWaitResult(false)
    }
}
