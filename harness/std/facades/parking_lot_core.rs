//! parking_lot_core: its own code, and in a model the model's queues.
//!
//! Its own code parks threads in the kernel, which no model sees, and decides by the time when an unlock is fair.

refrain_std::in_production! {
    pub use real_parking_lot_core::*;
}

refrain_std::in_tests! {
    pub use real_parking_lot_core::{
        DEFAULT_PARK_TOKEN, DEFAULT_UNPARK_TOKEN, FilterOp, ParkResult, ParkToken, RequeueOp, UnparkResult, UnparkToken,
        deadlock,
    };

    use real_parking_lot_core as real;
    use refrain_std::{
        model,
        parking::{self, Choice, Move, Outcome, Unparked},
    };
    use std::{panic::Location, time::Instant};

    /// Spins outside of models. In a model, a thread parks at once.
    #[derive(Default)]
    pub struct SpinWait(real::SpinWait);

    impl SpinWait {
        #[inline]
        pub fn new() -> SpinWait {
            SpinWait::default()
        }

        #[inline]
        pub fn reset(&mut self) {
            self.0.reset();
        }

        #[inline]
        pub fn spin(&mut self) -> bool {
            model::current().is_none() && self.0.spin()
        }

        #[inline]
        pub fn spin_no_yield(&mut self) {
            if model::current().is_none() {
                self.0.spin_no_yield();
            }
        }
    }

    fn result(of: Unparked) -> UnparkResult {
        let mut result = UnparkResult::default();
        result.unparked_threads = of.unparked;
        result.requeued_threads = of.requeued;
        result.have_more_threads = of.has_more;
        result
    }

    /// # Safety
    /// As in parking_lot_core.
    #[track_caller]
    pub unsafe fn park(
        key: usize,
        validate: impl FnOnce() -> bool,
        before_sleep: impl FnOnce(),
        timed_out: impl FnOnce(usize, bool),
        park_token: ParkToken,
        timeout: Option<Instant>,
    ) -> ParkResult {
        let Some(model) = model::current() else {
            // SAFETY: guaranteed by the caller.
            return unsafe { real::park(key, validate, before_sleep, timed_out, park_token, timeout) };
        };
        match parking::park((model, Location::caller()), key, validate, before_sleep, timed_out, park_token.0, timeout.is_some()) {
            Outcome::Unparked(token) => ParkResult::Unparked(UnparkToken(token)),
            Outcome::Invalid => ParkResult::Invalid,
            Outcome::TimedOut => ParkResult::TimedOut,
        }
    }

    /// # Safety
    /// As in parking_lot_core.
    #[track_caller]
    pub unsafe fn unpark_one(key: usize, callback: impl FnOnce(UnparkResult) -> UnparkToken) -> UnparkResult {
        match model::current() {
            Some(model) => result(parking::unpark_one((model, Location::caller()), key, |unparked| callback(result(unparked)).0)),
            // SAFETY: guaranteed by the caller.
            None => unsafe { real::unpark_one(key, callback) },
        }
    }

    /// # Safety
    /// As in parking_lot_core.
    #[track_caller]
    pub unsafe fn unpark_all(key: usize, unpark_token: UnparkToken) -> usize {
        match model::current() {
            Some(model) => parking::unpark_all((model, Location::caller()), key, unpark_token.0),
            // SAFETY: guaranteed by the caller.
            None => unsafe { real::unpark_all(key, unpark_token) },
        }
    }

    /// # Safety
    /// As in parking_lot_core.
    #[track_caller]
    pub unsafe fn unpark_filter(
        key: usize,
        mut filter: impl FnMut(ParkToken) -> FilterOp,
        callback: impl FnOnce(UnparkResult) -> UnparkToken,
    ) -> UnparkResult {
        let Some(model) = model::current() else {
            // SAFETY: guaranteed by the caller.
            return unsafe { real::unpark_filter(key, filter, callback) };
        };
        let choose = |token| match filter(ParkToken(token)) {
            FilterOp::Unpark => Choice::Unpark,
            FilterOp::Skip => Choice::Skip,
            FilterOp::Stop => Choice::Stop,
        };
        result(parking::unpark_filter((model, Location::caller()), key, choose, |unparked| callback(result(unparked)).0))
    }

    /// # Safety
    /// As in parking_lot_core.
    #[track_caller]
    pub unsafe fn unpark_requeue(
        key_from: usize,
        key_to: usize,
        validate: impl FnOnce() -> RequeueOp,
        callback: impl FnOnce(RequeueOp, UnparkResult) -> UnparkToken,
    ) -> UnparkResult {
        let Some(model) = model::current() else {
            // SAFETY: guaranteed by the caller.
            return unsafe { real::unpark_requeue(key_from, key_to, validate, callback) };
        };
        let moves = || {
            let op = validate();
            let moves = match op {
                RequeueOp::Abort => None,
                RequeueOp::UnparkOneRequeueRest => Some(Move { unparks: true, requeues: usize::MAX }),
                RequeueOp::RequeueAll => Some(Move { unparks: false, requeues: usize::MAX }),
                RequeueOp::UnparkOne => Some(Move { unparks: true, requeues: 0 }),
                RequeueOp::RequeueOne => Some(Move { unparks: false, requeues: 1 }),
            };
            (op, moves)
        };
        let told = |op, unparked| callback(op, result(unparked)).0;
        result(parking::unpark_requeue((model, Location::caller()), (key_from, key_to), moves, told))
    }
}
