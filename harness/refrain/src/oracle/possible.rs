//! The states in which a model may be, when it is not known of some transitions whether they have taken effect.

use crate::history::Object;
use proptest_state_machine::ReferenceStateMachine;
use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

/// The most states in which a model may be, each with the transitions that may still take effect.
pub(super) const STATES_MAX: usize = 10_000;

/// More than [`STATES_MAX`] states are possible.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooMany;

/// Transitions that may still take effect: their numbers, in ascending order. Equal ones have the same number.
type Open = Vec<usize>;

/// The states in which a model may be.
pub(super) struct Possible<M: ReferenceStateMachine> {
    /// The transitions whose outcome is not known, and the texts by which equal ones are known.
    unknown: Vec<(String, M::Transition)>,
    states: BTreeMap<M::State, Vec<Open>>,
}

impl<M> Possible<M>
where
    M: ReferenceStateMachine,
    M::State: Object<Call = M::Transition>,
{
    pub fn new(begin: M::State) -> Self {
        Possible { unknown: vec![], states: BTreeMap::from([(begin, vec![vec![]])]) }
    }

    /// Returns whether the precondition of a transition holds, whatever the state is.
    pub fn may_make(&self, transition: &M::Transition) -> bool {
        self.states.keys().all(|state| M::preconditions(state, transition))
    }

    /// A transition is made and answered. Returns the answers that were possible, unless this is one of them.
    pub fn answers(
        &mut self,
        transition: &M::Transition,
        answer: &<M::State as Object>::Answer,
    ) -> Result<Vec<String>, TooMany> {
        let mut expected = BTreeSet::new();
        let mut reached = vec![];
        for (mut state, opens) in mem::take(&mut self.states) {
            let of_model = Object::apply(&mut state, transition);
            if of_model == *answer {
                reached.extend(opens.into_iter().map(|open| (state.clone(), open)));
            } else {
                expected.insert(format!("{of_model:?}"));
            }
        }
        if reached.is_empty() {
            return Ok(expected.into_iter().collect());
        }
        self.reach(reached)?;
        Ok(vec![])
    }

    /// A transition is made and not answered: it may take effect at any time from now on, or never.
    pub fn fails(&mut self, transition: M::Transition) -> Result<(), TooMany> {
        let text = format!("{transition:?}");
        let known = self.unknown.iter().position(|(known, _)| *known == text);
        let number = known.unwrap_or_else(|| {
            self.unknown.push((text, transition));
            self.unknown.len() - 1
        });
        let with = |mut open: Open| {
            open.insert(open.partition_point(|other| *other <= number), number);
            open
        };
        let states = mem::take(&mut self.states).into_iter();
        self.reach(
            states.flat_map(|(state, opens)| opens.into_iter().map(move |open| (state.clone(), with(open)))).collect(),
        )
    }

    /// Adds states, and those that open transitions lead to from them. In a state in which the precondition of one does not hold, it has no
    /// effect.
    fn reach(&mut self, mut left: Vec<(M::State, Open)>) -> Result<(), TooMany> {
        let mut count = 0;
        while let Some((state, open)) = left.pop() {
            if !insert(self.states.entry(state.clone()).or_default(), &open) {
                continue;
            }
            count += 1;
            if count > STATES_MAX {
                return Err(TooMany);
            }
            for (at, number) in open.iter().enumerate() {
                let transition = &self.unknown[*number].1;
                if at > 0 && open[at - 1] == *number || !M::preconditions(&state, transition) {
                    continue;
                }
                let (mut after, mut rest) = (state.clone(), open.clone());
                Object::apply(&mut after, transition);
                rest.remove(at);
                left.push((after, rest));
            }
        }
        Ok(())
    }
}

/// Adds transitions that may be open in a state. Whatever can happen with fewer open ones can happen with more, so only the largest are kept.
/// Returns whether these are new.
fn insert(opens: &mut Vec<Open>, open: &Open) -> bool {
    if opens.iter().any(|other| includes(other, open)) {
        return false;
    }
    opens.retain(|other| !includes(open, other));
    opens.push(open.clone());
    true
}

/// Returns whether all of `some` are in `all`, as often.
fn includes(all: &Open, some: &Open) -> bool {
    let mut all = all.iter();
    some.iter().all(|number| all.any(|other| other == number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::strategy::{BoxedStrategy, Just, Strategy};

    /// A register with a call that has a precondition.
    #[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
    struct Register(u8);

    #[derive(Debug, Clone)]
    enum Call {
        Read,
        Write(u8),
        Lower,
    }

    impl Object for Register {
        type Call = Call;
        type Answer = u8;

        fn apply(&mut self, call: &Call) -> u8 {
            match call {
                Call::Read => {}
                Call::Write(value) => self.0 = *value,
                Call::Lower => self.0 = self.0.checked_sub(1).expect("lowered from 1 or more"),
            }
            self.0
        }
    }

    impl ReferenceStateMachine for Register {
        type State = Register;
        type Transition = Call;

        fn init_state() -> BoxedStrategy<Register> {
            Just(Register::default()).boxed()
        }

        fn transitions(_: &Register) -> BoxedStrategy<Call> {
            Just(Call::Read).boxed()
        }

        fn preconditions(register: &Register, call: &Call) -> bool {
            !matches!(call, Call::Lower) || register.0 > 0
        }

        fn apply(mut register: Register, call: &Call) -> Register {
            Object::apply(&mut register, call);
            register
        }
    }

    #[track_caller]
    fn check(possible: &mut Possible<Register>, call: &Call, answer: u8, expected: &[&str]) {
        assert_eq!(possible.answers(call, &answer).unwrap(), expected);
    }

    #[test]
    fn an_answer_that_the_model_does_not_give_disagrees() {
        let mut register = Possible::<Register>::new(Register(3));
        check(&mut register, &Call::Read, 3, &[]);
        check(&mut register, &Call::Write(7), 7, &[]);
        check(&mut register, &Call::Read, 3, &["7"]);
    }

    #[test]
    fn a_failed_transition_takes_effect_at_any_time_or_never_and_once() {
        let failed = || {
            let mut register = Possible::<Register>::new(Register(1));
            register.fails(Call::Write(5)).unwrap();
            register
        };
        check(&mut failed(), &Call::Read, 5, &[]);
        let mut late = failed();
        check(&mut late, &Call::Read, 1, &[]);
        check(&mut late, &Call::Write(2), 2, &[]);
        check(&mut late, &Call::Read, 5, &[]);
        check(&mut late, &Call::Read, 2, &["5"]);
        check(&mut failed(), &Call::Read, 4, &["1", "5"]);
    }

    #[test]
    fn a_precondition_must_hold_in_every_possible_state() {
        let mut register = Possible::<Register>::new(Register(1));
        assert!(register.may_make(&Call::Lower));
        register.fails(Call::Lower).unwrap();
        assert!(!register.may_make(&Call::Lower));
        register.fails(Call::Lower).unwrap();
        check(&mut register, &Call::Write(2), 2, &[]);
        check(&mut register, &Call::Read, 0, &[]);
    }

    #[test]
    fn equal_and_ineffective_ones_are_no_states_of_their_own() {
        let mut register = Possible::<Register>::new(Register(0));
        for call in [Call::Read, Call::Write(0), Call::Write(1), Call::Write(2), Call::Write(3)] {
            for _ in 0..100 {
                register.fails(call.clone()).unwrap();
            }
        }
        assert_eq!(register.states.len(), 4);
    }

    #[test]
    fn too_many_states_are_an_error() {
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
        struct Log(Vec<u8>);

        impl Object for Log {
            type Call = u8;
            type Answer = ();

            fn apply(&mut self, call: &u8) {
                self.0.push(*call);
            }
        }

        impl ReferenceStateMachine for Log {
            type State = Log;
            type Transition = u8;

            fn init_state() -> BoxedStrategy<Log> {
                Just(Log(vec![])).boxed()
            }

            fn transitions(_: &Log) -> BoxedStrategy<u8> {
                Just(0).boxed()
            }

            fn apply(mut log: Log, call: &u8) -> Log {
                Object::apply(&mut log, call);
                log
            }
        }
        let mut log = Possible::<Log>::new(Log(vec![]));
        assert_eq!((0..20).find_map(|call| log.fails(call).err()), Some(TooMany));
    }
}
