//! What the thread of a simulation and those of its processes hand to each other with the turn.

use super::{
    clock,
    current::{Own, set_own, take_own},
};
use crate::sim::stack::OneThread;
use std::sync::{Mutex, PoisonError};

static LENT: Mutex<Option<OneThread<(Own, clock::Start)>>> = Mutex::new(None);

/// Puts the world aside, for the thread that runs next.
pub(crate) fn lend() {
    let own = (take_own(), clock::of_this_thread());
    *LENT.lock().unwrap_or_else(PoisonError::into_inner) = Some(OneThread(own));
}

/// Takes the world that another thread has put aside.
pub(crate) fn borrow() {
    let lent = LENT.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(OneThread((own, clock))) = lent {
        set_own(own);
        clock::set(clock);
    }
}
