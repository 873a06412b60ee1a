//! Compares a service with a sequential model of it: the same calls, one after the other, must have the same answers.
//!
//! The model is an [`Object`]: a state, and what each call answers and does to it. How calls are drawn is a [`ReferenceStateMachine`] of
//! proptest: the states to begin in, the calls that are worth making in a state, and the precondition of each. They are the workload of a
//! test, so that they are shrunk, saved and replayed. The same object can be the one of a [`History`](crate::history::History), whose
//! clients call at the same time.

mod possible;

pub use proptest_state_machine::ReferenceStateMachine;

use crate::{
    event::Kind,
    history::Object,
    place::Place,
    simulation,
    verdict::{Class, Detail, Failure, Property, Recorded},
    world::World,
};
use possible::{Possible, TooMany};
use proptest::{
    collection::SizeRange,
    strategy::{BoxedStrategy, Strategy},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{fmt, fmt::Debug, future::Future, panic::Location, sync::atomic::Ordering::Relaxed};
use tokio::control;

/// The client that events and verdicts name.
const CLIENT: &str = "test";
/// How many of the answers that the model allows a verdict has.
const EXPECTED_MAX: usize = 3;

/// A state of a model, and the transitions to make from there: a workload of a test, see [`steps`].
#[derive(Serialize, Deserialize)]
#[serde(bound(
    serialize = "M::State: Serialize, M::Transition: Serialize",
    deserialize = "M::State: DeserializeOwned, M::Transition: DeserializeOwned"
))]
pub struct Steps<M: ReferenceStateMachine> {
    begin: M::State,
    transitions: Vec<M::Transition>,
}

impl<M: ReferenceStateMachine> Steps<M> {
    /// Returns the state in which the model begins. The service must be in it, too.
    pub fn begin(&self) -> &M::State {
        &self.begin
    }

    /// Returns the transitions.
    pub fn transitions(&self) -> &[M::Transition] {
        &self.transitions
    }
}

impl<M: ReferenceStateMachine> Debug for Steps<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Steps").field("begin", &self.begin).field("transitions", &self.transitions).finish()
    }
}

impl<M: ReferenceStateMachine> Clone for Steps<M> {
    fn clone(&self) -> Self {
        Steps { begin: self.begin.clone(), transitions: self.transitions.clone() }
    }
}

/// Draws transitions of a model, each from the state that those before it lead to: `steps::<Store>(1..20)` are 1 to 19.
///
/// # Examples
///
/// See [`World::compare`].
///
/// # Panics
///
/// Panics if no transition may be drawn, as with `0..5`, or the range is empty.
pub fn steps<M: ReferenceStateMachine>(number: impl Into<SizeRange>) -> BoxedStrategy<Steps<M>> {
    let number = number.into();
    assert!(number.start() > 0, "oracle::steps may draw no transition: begin the range with 1");
    M::sequential_strategy(number)
        .prop_map(|(begin, transitions, made)| {
            // proptest drops what it believes was not made, and asks here how many were.
            if let Some(made) = made {
                made.store(transitions.len(), Relaxed);
            }
            Steps { begin, transitions }
        })
        .boxed()
}

impl World {
    /// Makes transitions of a model, one after the other, and compares each answer of the service with that of the model.
    ///
    /// `ask` makes a transition of the service, and returns its answer. If one is not the model's, the run fails with the class `safety`;
    /// the verdict has the transitions up to it, and what the model answers. Shrinking leaves those that are needed.
    ///
    /// After an error it is not known whether the transition has taken effect, or whether it will while later ones are made. So from then on
    /// the model may be in several states, and each answer must be that of one of them. A transition whose precondition does not hold in all
    /// of them is not made.
    ///
    /// # Examples
    ///
    /// A stack that is asked over the network:
    ///
    /// ```
    /// # use proptest::prelude::*;
    /// # use refrain::{World, history::Object, oracle::{self, ReferenceStateMachine, Steps}};
    /// # use serde::{Deserialize, Serialize};
    /// # use std::{convert::Infallible, sync::{Arc, Mutex}};
    /// #[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
    /// struct Stack(Vec<u8>);
    ///
    /// #[derive(Debug, Clone, Copy, Serialize, Deserialize)]
    /// enum Call {
    ///     Push(u8),
    ///     Pop,
    /// }
    ///
    /// impl Object for Stack {
    ///     type Call = Call;
    ///     type Answer = Option<u8>;
    ///
    ///     fn apply(&mut self, call: &Call) -> Option<u8> {
    ///         match call {
    ///             Call::Push(value) => {
    ///                 self.0.push(*value);
    ///                 None
    ///             }
    ///             Call::Pop => self.0.pop(),
    ///         }
    ///     }
    /// }
    ///
    /// impl ReferenceStateMachine for Stack {
    ///     type State = Stack;
    ///     type Transition = Call;
    ///
    ///     fn init_state() -> BoxedStrategy<Stack> {
    ///         Just(Stack::default()).boxed()
    ///     }
    ///
    ///     fn transitions(_: &Stack) -> BoxedStrategy<Call> {
    ///         prop_oneof![any::<u8>().prop_map(Call::Push), Just(Call::Pop)].boxed()
    ///     }
    ///
    ///     fn preconditions(stack: &Stack, call: &Call) -> bool {
    ///         matches!(call, Call::Push(_)) || !stack.0.is_empty()
    ///     }
    ///
    ///     fn apply(mut stack: Stack, call: &Call) -> Stack {
    ///         Object::apply(&mut stack, call);
    ///         stack
    ///     }
    /// }
    ///
    /// #[refrain::test(runs = 20)]
    /// async fn the_stack_is_like_its_model(world: World, #[any(oracle::steps::<Stack>(1..20))] steps: Steps<Stack>) {
    ///     // A service would be a host of the world.
    ///     let service = Arc::new(Mutex::new(Vec::new()));
    ///     let ask = |call| {
    ///         let mut stack = service.lock().unwrap();
    ///         let answer = match call {
    ///             Call::Push(value) => {
    ///                 stack.push(value);
    ///                 None
    ///             }
    ///             Call::Pop => stack.pop(),
    ///         };
    ///         async move { Ok::<_, Infallible>(answer) }
    ///     };
    ///     world.compare("stack", steps, ask).await;
    /// }
    /// # the_stack_is_like_its_model();
    /// ```
    ///
    /// # Errors
    ///
    /// The run is refused if after several errors the model may be in too many states.
    #[track_caller]
    pub fn compare<M, Fut, E>(
        &self,
        what: &str,
        steps: Steps<M>,
        ask: impl FnMut(M::Transition) -> Fut,
    ) -> impl Future<Output = ()>
    where
        M: ReferenceStateMachine,
        M::State: Object<Call = M::Transition>,
        Fut: Future<Output = Result<<M::State as Object>::Answer, E>>,
    {
        let place = Location::caller();
        let comparison = Comparison {
            what: what.to_owned(),
            begin: format!("{:?}", steps.begin),
            possible: Possible::<M>::new(steps.begin),
            made: vec![],
            place,
        };
        comparison.run(steps.transitions, ask)
    }
}

/// A service beside its model.
struct Comparison<M: ReferenceStateMachine> {
    what: String,
    /// Where the model began.
    begin: String,
    possible: Possible<M>,
    /// The transitions that were made.
    made: Vec<Recorded>,
    place: &'static Location<'static>,
}

impl<M> Comparison<M>
where
    M: ReferenceStateMachine,
    M::State: Object<Call = M::Transition>,
{
    async fn run<Fut, E>(mut self, transitions: Vec<M::Transition>, mut ask: impl FnMut(M::Transition) -> Fut)
    where
        Fut: Future<Output = Result<<M::State as Object>::Answer, E>>,
    {
        for transition in transitions {
            if !self.possible.may_make(&transition) {
                let (history, call) = (self.what.clone(), format!("{transition:?}"));
                simulation::note(|| Kind::NotCalled { history, call });
                continue;
            }
            self.called(&transition);
            let checked = match ask(transition.clone()).await {
                Ok(answer) => self.answered(&transition, &answer),
                Err(_) => self.possible.fails(transition),
            };
            checked.unwrap_or_else(|TooMany| self.refuse());
        }
    }

    fn called(&mut self, transition: &M::Transition) {
        let (number, call) = (self.made.len() as u64, format!("{transition:?}"));
        simulation::note(|| Kind::Called {
            history: self.what.clone(),
            number,
            client: CLIENT.into(),
            call: call.clone(),
        });
        let called = control::now();
        self.made.push(Recorded { number, client: CLIENT.into(), call, answer: None, called, answered: None });
    }

    fn answered(&mut self, transition: &M::Transition, answer: &<M::State as Object>::Answer) -> Result<(), TooMany> {
        let text = format!("{answer:?}");
        if let Some(last) = self.made.last_mut() {
            (last.answer, last.answered) = (Some(text.clone()), Some(control::now()));
            let number = last.number;
            simulation::note(|| Kind::Answered { history: self.what.clone(), number, answer: text });
        }
        let expected = self.possible.answers(transition, answer)?;
        if !expected.is_empty() {
            self.fail(expected);
        }
        Ok(())
    }

    fn fail(&mut self, mut expected: Vec<String>) -> ! {
        expected.truncate(EXPECTED_MAX);
        simulation::fail(Failure {
            class: Class::Safety,
            property: Property::AgreesWithModel(self.what.clone()),
            place: Some(Place::from(self.place)),
            detail: Detail::Disagrees {
                begin: self.begin.as_str().into(),
                operations: self.made.as_slice().into(),
                expected: expected.into(),
            },
            causes: vec![],
        })
    }

    fn refuse(&self) -> ! {
        let states = possible::STATES_MAX;
        simulation::refuse(&format!(
            "{} cannot be compared with its model: so many of its transitions failed that the model may be in more than {states} states; \
             draw fewer transitions, or let a failed one be tried again",
            self.what
        ))
    }
}
