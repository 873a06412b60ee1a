//! Services beside their models: what disagrees is caught, and shrunk to the transitions that are needed.

use crate::{
    driver::{Started, ask},
    shrink::shrunk,
};
use proptest::prelude::*;
use refrain::{
    Faults, World,
    event::Kind,
    history::Object,
    oracle::{self, ReferenceStateMachine, Steps},
    report::{self, Style},
    verdict::{Class, Property},
};
use refrain_core::{
    job::Ran,
    protocol::{Budget, Outcome, Request},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// What stands for no value.
const NONE: u8 = u8::MAX;

/// A store of a value for each key.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Store(BTreeMap<u8, u8>);

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum Call {
    Put(u8, u8),
    Take(u8),
}

impl Object for Store {
    type Call = Call;
    type Answer = Option<u8>;

    fn apply(&mut self, call: &Call) -> Option<u8> {
        match call {
            Call::Put(key, value) => self.0.insert(*key, *value),
            Call::Take(key) => Some(self.0.remove(key).expect("only what is there is taken")),
        }
    }
}

impl ReferenceStateMachine for Store {
    type State = Store;
    type Transition = Call;

    fn init_state() -> BoxedStrategy<Store> {
        Just(Store::default()).boxed()
    }

    fn transitions(store: &Store) -> BoxedStrategy<Call> {
        let keys: Vec<u8> = store.0.keys().copied().collect();
        let put = (0..8u8, 0..NONE).prop_map(|(key, value)| Call::Put(key, value));
        if keys.is_empty() {
            return put.boxed();
        }
        prop_oneof![put, prop::sample::select(keys).prop_map(Call::Take)].boxed()
    }

    fn preconditions(store: &Store, call: &Call) -> bool {
        match call {
            Call::Put(..) => true,
            Call::Take(key) => store.0.contains_key(key),
        }
    }

    fn apply(mut store: Store, call: &Call) -> Store {
        Object::apply(&mut store, call);
        store
    }
}

/// Serves a store. A wrong one does not overwrite what the odd keys have.
async fn serve(is_wrong: bool) -> io::Result<()> {
    let listener = TcpListener::bind("0.0.0.0:80").await?;
    let store = Arc::new(Mutex::new(Store::default()));
    loop {
        let (mut stream, _) = listener.accept().await?;
        let store = store.clone();
        tokio::spawn(async move {
            let mut request = [0; 2];
            stream.read_exact(&mut request).await?;
            let [key, value] = request;
            let answer = {
                let Store(values) = &mut *store.lock().unwrap();
                match value {
                    NONE => values.remove(&key),
                    _ if is_wrong && key % 2 == 1 && values.contains_key(&key) => values.get(&key).copied(),
                    _ => values.insert(key, value),
                }
            };
            stream.write_u8(answer.unwrap_or(NONE)).await
        });
    }
}

/// Asks the store.
async fn make(call: Call) -> io::Result<Option<u8>> {
    let asked = async {
        let mut stream = TcpStream::connect("server:80").await?;
        let request = match call {
            Call::Put(key, value) => [key, value],
            Call::Take(key) => [key, NONE],
        };
        stream.write_all(&request).await?;
        stream.read_u8().await
    };
    let answer = timeout(PATIENCE, asked).await??;
    Ok((answer != NONE).then_some(answer))
}

#[refrain::test(runs = 200, expect = "safety")]
async fn a_store_that_keeps_old_values(world: World, #[any(oracle::steps::<Store>(1..30))] steps: Steps<Store>) {
    world.host("server", || serve(true));
    let client = world.client("client");
    world.compare("store", steps, |call| client.run(make(call))).await;
}

#[refrain::test(runs = 200)]
async fn a_right_store(world: World, #[any(oracle::steps::<Store>(1..30))] steps: Steps<Store>) {
    world.host("server", || serve(false));
    let client = world.client("client");
    world.compare("store", steps, |call| client.run(make(call))).await;
}

/// Answers get lost, and requests take effect late or never.
#[refrain::test(runs = 300)]
async fn a_right_store_on_a_bad_network(world: World, #[any(oracle::steps::<Store>(1..12))] steps: Steps<Store>) {
    world.host("server", || serve(false));
    let client = world.client("client");
    world.faults(Faults::between("server", "client").cuts().resets().losses().slowdowns().pauses());
    world.compare("store", steps, |call| client.run(make(call))).await;
}

/// On the same network the wrong one is still caught.
#[refrain::test(runs = 300, expect = "safety")]
async fn a_wrong_store_on_a_bad_network(world: World, #[any(oracle::steps::<Store>(1..12))] steps: Steps<Store>) {
    world.host("server", || serve(true));
    let client = world.client("client");
    world.faults(Faults::between("server", "client").cuts().resets().losses().slowdowns().pauses());
    world.compare("store", steps, |call| client.run(make(call))).await;
}

/// The transitions of a plan.
fn transitions(plan: &refrain::plan::Plan) -> &Value {
    &plan.workload[0].value["transitions"]
}

#[test]
fn only_the_transitions_that_are_needed_are_left() {
    for first in [0, 1_000, 2_000] {
        let (ran, shrunk) = shrunk("oracle::a_store_that_keeps_old_values", first);
        let failure = ran.verdict.failure().unwrap();
        assert_eq!(failure.class, Class::Safety);
        assert_eq!(failure.property, Property::AgreesWithModel("store".into()));
        // The second value is not kept, and a third call shows it.
        let left: Vec<Call> = serde_json::from_value(transitions(&shrunk.after).clone()).unwrap();
        match left[..] {
            [Call::Put(key, first), Call::Put(again, second), Call::Take(last) | Call::Put(last, _)] => {
                assert!(key == again && key == last && key % 2 == 1, "{left:?}");
                assert!(first != second && first < 2 && second < 2, "{left:?}");
            }
            _ => panic!("{left:?} from {}", shrunk.before),
        }
    }
}

/// Runs a test with these transitions.
fn run(test: &str, transitions: Value) -> Ran {
    let steps = json!({ "begin": {}, "transitions": transitions });
    let plan = json!({ "plan": ["seed 1", format!("steps = {steps}")] });
    serde_json::from_value(Started::worker(test).record(plan)).unwrap()
}

#[test]
fn a_verdict_has_the_transitions_and_what_the_model_answers() {
    let ran = run(
        "oracle::a_store_that_keeps_old_values",
        json!([{ "Put": [3, 5] }, { "Put": [3, 6] }, { "Put": [2, 1] }, { "Take": 3 }, { "Take": 2 }]),
    );
    let text = report::failure(ran.verdict.failure().unwrap(), Style::default());
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "FAILED safety: `store` does not agree with its model: it answers Take(3) with Some(5), and the model with Some(6)"
    );
    assert!(lines[1].starts_with("  at harness/selftest/tests/oracle.rs:"), "{text}");
    assert_eq!(lines[2], "  in the beginning it is Store({})");
    assert!(lines[3].starts_with("  test: Put(3, 5) -> None, from "), "{text}");
    assert!(lines[6].starts_with("  test: Take(3) -> Some(5), from "), "{text}");
    assert_eq!(lines.len(), 7, "{text}");
}

#[test]
fn a_transition_whose_precondition_does_not_hold_is_not_made() {
    let ran = run("oracle::a_right_store", json!([{ "Take": 3 }, { "Put": [3, 5] }, { "Take": 3 }, { "Take": 3 }]));
    assert_eq!(ran.verdict.failure(), None);
    let calls = |event: &refrain::event::Event| match &event.kind {
        Kind::Called { call, .. } => Some(format!("made: {call}")),
        Kind::NotCalled { call, .. } => Some(format!("not made: {call}")),
        _ => None,
    };
    let calls: Vec<String> = ran.events.iter().filter_map(calls).collect();
    assert_eq!(calls, ["not made: Take(3)", "made: Put(3, 5)", "made: Take(3)", "not made: Take(3)"]);
}

/// A model that is wrong itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Broken(u8);

impl Object for Broken {
    type Call = u8;
    type Answer = u8;

    fn apply(&mut self, call: &u8) -> u8 {
        assert!(*call < 100, "the model does not know {call}");
        *call
    }
}

impl ReferenceStateMachine for Broken {
    type State = Broken;
    type Transition = u8;

    fn init_state() -> BoxedStrategy<Broken> {
        Just(Broken::default()).boxed()
    }

    fn transitions(_: &Broken) -> BoxedStrategy<u8> {
        any::<u8>().boxed()
    }

    fn apply(model: Broken, _: &u8) -> Broken {
        model
    }
}

#[refrain::test(runs = 50, expect = "panic")]
async fn a_panic_of_a_model_is_the_tests(world: World, #[any(oracle::steps::<Broken>(1..30))] steps: Steps<Broken>) {
    world.compare("broken", steps, |call| async move { Ok::<_, Infallible>(call) }).await;
}

/// Draws nothing, for a reason that depends on the kind of model.
struct Undrawable<const PANICS: bool>;

impl<const PANICS: bool> ReferenceStateMachine for Undrawable<PANICS> {
    type State = Broken;
    type Transition = u8;

    fn init_state() -> BoxedStrategy<Broken> {
        Just(Broken::default()).boxed()
    }

    fn transitions(_: &Broken) -> BoxedStrategy<u8> {
        any::<u8>().boxed()
    }

    fn preconditions(_: &Broken, _: &u8) -> bool {
        assert!(!PANICS, "a precondition cannot be computed");
        false
    }

    fn apply(model: Broken, _: &u8) -> Broken {
        model
    }
}

#[refrain::test(runs = 50)]
#[ignore = "it cannot be run: what is said then is tested"]
async fn nothing_may_be_drawn(
    world: World,
    #[any(oracle::steps::<Undrawable<false>>(1..3))] steps: Steps<Undrawable<false>>,
) {
    world.compare("undrawable", steps, |call| async move { Ok::<_, Infallible>(call) }).await;
}

#[refrain::test(runs = 50)]
#[ignore = "it cannot be run: what is said then is tested"]
async fn drawing_panics(world: World, #[any(oracle::steps::<Undrawable<true>>(1..3))] steps: Steps<Undrawable<true>>) {
    world.compare("undrawable", steps, |call| async move { Ok::<_, Infallible>(call) }).await;
}

#[refrain::test(runs = 50)]
#[ignore = "it cannot be run: what is said then is tested"]
async fn no_transition_is_enough(world: World, #[any(oracle::steps::<Broken>(0..3))] steps: Steps<Broken>) {
    world.compare("broken", steps, |call| async move { Ok::<_, Infallible>(call) }).await;
}

#[test]
fn what_cannot_be_drawn_is_refused_with_its_reason() {
    for (test, why) in [
        ("oracle::nothing_may_be_drawn", "no value for `steps`"),
        ("oracle::drawing_panics", "a precondition cannot be computed"),
        ("oracle::no_transition_is_enough", "begin the range with 1"),
    ] {
        match ask(test, &Request::explore(1, Budget::Runs(10), Some(1))) {
            Outcome::Refused(said) => assert!(said.contains(why), "{test}: {said}"),
            other => panic!("{test}: {other:#?}"),
        }
    }
}
