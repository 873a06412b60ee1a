//! Records what clients ask of an object and what they are answered, and checks that one order of these operations explains all answers.

mod linearize;

pub use linearize::Object;

use crate::{
    event::{Effect, Kind, Ordered, Stuck},
    place::Place,
    simulation,
    verdict::{Class, Detail, Failure, Property, Recorded},
    world::World,
};
use linearize::{Order, Timed, explained, order};
use std::{
    collections::BTreeMap,
    fmt::Debug,
    future::Future,
    panic::Location,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::control;

/// The most operations of a history.
pub const OPERATIONS_MAX: usize = 10_000;

/// The most operations of which an order is recorded, and the most characters of each of its states.
const ORDER_MAX: usize = 1_000;
const STATE_CHARS_MAX: usize = 200;

/// What clients asked of an object, in which order, and what they were answered. A handle: clones are the same history.
///
/// # Examples
///
/// A register that two clients use:
///
/// ```
/// # use refrain::{World, history::{History, Object}};
/// # use std::{convert::Infallible, sync::{Arc, Mutex}};
/// #[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
/// struct Register(u64);
///
/// #[derive(Debug, Clone)]
/// enum Call {
///     Read,
///     Write(u64),
/// }
///
/// impl Object for Register {
///     type Call = Call;
///     type Answer = u64;
///
///     fn apply(&mut self, call: &Call) -> u64 {
///         if let Call::Write(value) = call {
///             self.0 = *value;
///         }
///         self.0
///     }
/// }
///
/// #[refrain::test(runs = 2)]
/// async fn the_register_is_linearizable(world: World) {
///     let (history, register) = (History::<Register>::new("register"), Arc::new(Mutex::new(0)));
///     let clients = ["one", "other"].map(|client| {
///         let (history, register) = (history.clone(), register.clone());
///         world.client(client).run(async move {
///             let write = async { *register.lock().unwrap() = 7; Ok::<_, Infallible>(7) };
///             let _ = history.record(client, Call::Write(7), write).await;
///             let read = async { Ok::<_, Infallible>(*register.lock().unwrap()) };
///             let _ = history.record(client, Call::Read, read).await;
///         })
///     });
///     for client in clients {
///         client.await;
///     }
///     world.linearizable(&history, Register::default());
/// }
/// # the_register_is_linearizable();
/// ```
#[derive(Debug, Clone)]
pub struct History<O: Object> {
    name: Arc<str>,
    log: Arc<Mutex<Log<O>>>,
}

#[derive(Debug)]
struct Log<O: Object> {
    operations: Vec<Operation<O>>,
    /// The number of calls and answers so far: the time by which operations are ordered.
    now: usize,
}

#[derive(Debug)]
struct Operation<O: Object> {
    client: String,
    call: O::Call,
    answer: Option<O::Answer>,
    /// When, in calls and answers of this history, and in virtual time.
    called: (usize, u64),
    answered: Option<(usize, u64)>,
}

impl<O: Object> History<O> {
    /// Begins a history of an object, under the name that events and verdicts have.
    pub fn new(name: &str) -> History<O> {
        History { name: name.into(), log: Arc::new(Mutex::new(Log { operations: vec![], now: 0 })) }
    }

    /// Waits for the answer to a call, and records when it was called and when it was answered.
    ///
    /// # Errors
    ///
    /// The error of `answer`. Then, and if this is dropped before, it stays open whether the call has had an effect.
    pub async fn record<E>(
        &self,
        client: &str,
        call: O::Call,
        answer: impl Future<Output = Result<O::Answer, E>>,
    ) -> Result<O::Answer, E> {
        let number = self.called(client, call);
        let answer = answer.await?;
        self.answered(number, answer.clone());
        Ok(answer)
    }

    /// Records that a client calls now. Returns the number of the operation.
    fn called(&self, client: &str, call: O::Call) -> usize {
        let (mut log, now) = (self.log(), control::now());
        let number = log.operations.len();
        if number == OPERATIONS_MAX {
            drop(log);
            simulation::refuse(&format!(
                "the history of {} has more than {OPERATIONS_MAX} operations: use fewer",
                self.name
            ));
        }
        simulation::note(|| Kind::Called {
            history: self.name.to_string(),
            number: number as u64,
            client: client.to_owned(),
            call: format!("{call:?}"),
        });
        let called = (log.now, now);
        log.operations.push(Operation { client: client.to_owned(), call, answer: None, called, answered: None });
        log.now += 1;
        number
    }

    /// Records that an operation is answered now.
    fn answered(&self, number: usize, answer: O::Answer) {
        let (mut log, now) = (self.log(), control::now());
        simulation::note(|| Kind::Answered {
            history: self.name.to_string(),
            number: number as u64,
            answer: format!("{answer:?}"),
        });
        let at = (log.now, now);
        let operation = &mut log.operations[number];
        (operation.answer, operation.answered) = (Some(answer), Some(at));
        log.now += 1;
    }

    fn log(&self) -> MutexGuard<'_, Log<O>> {
        // A panic while it is locked is the run's verdict.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the longest order that explains the answers, for who looks at the run.
    fn note_order(&self, numbers: &[usize], key: Option<&str>, begin: &O) {
        if numbers.len() > ORDER_MAX || !simulation::with(|state| state.record) {
            return;
        }
        let log = self.log();
        let timed: Vec<Timed<'_, O>> = numbers.iter().map(|number| timed(&log.operations[*number])).collect();
        // What cannot be decided is said when it is checked.
        let Ok(Order { effects, stuck }) = order(begin, &timed) else { return };
        let number = |nth: usize| numbers[nth] as u64;
        let ordered = Ordered {
            history: self.name.to_string(),
            key: key.map(str::to_owned),
            begin: shortened(format!("{begin:?}")),
            operations: numbers.iter().map(|number| *number as u64).collect(),
            order: effects
                .into_iter()
                .map(|(nth, state)| Effect { number: number(nth), state: shortened(state) })
                .collect(),
            stuck: stuck
                .into_iter()
                .map(|(nth, answer)| Stuck { number: number(nth), would_answer: shortened(answer) })
                .collect(),
        };
        simulation::note(|| Kind::Ordered(Box::new(ordered)));
    }

    /// Fails the run if no order of some of the operations explains their answers.
    fn check(&self, numbers: &[usize], key: Option<String>, begin: &O, place: &'static Location<'static>) {
        let log = self.log();
        let timed: Vec<Timed<'_, O>> = numbers.iter().map(|number| timed(&log.operations[*number])).collect();
        let name = self.name.to_string();
        let part = match explained(begin, &timed) {
            Ok(None) => return,
            Ok(Some(part)) => part,
            Err(too_many) => simulation::refuse(&format!("the history of {name} cannot be checked: {too_many}")),
        };
        let recorded = part.operations.iter().map(|nth| recorded(numbers[*nth], &log.operations[numbers[*nth]]));
        simulation::fail(Failure {
            class: Class::Safety,
            property: Property::Linearizable(name),
            place: Some(Place::from(place)),
            detail: Detail::NotLinearizable {
                key: key.map(Into::into),
                begins: part.begins.into(),
                operations: recorded.collect(),
            },
            causes: vec![],
        })
    }
}

fn shortened(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(STATE_CHARS_MAX) {
        text.truncate(end);
        text.push('\u{2026}');
    }
    text
}

fn timed<O: Object>(of: &Operation<O>) -> Timed<'_, O> {
    let answer = of.answer.as_ref().zip(of.answered).map(|(answer, (at, _))| (answer, at));
    Timed { call: &of.call, called: of.called.0, answer }
}

fn recorded<O: Object>(number: usize, of: &Operation<O>) -> Recorded {
    Recorded {
        number: number as u64,
        client: of.client.clone(),
        call: format!("{:?}", of.call),
        answer: of.answer.as_ref().map(|answer| format!("{answer:?}")),
        called: of.called.1,
        answered: of.answered.map(|(_, at)| at),
    }
}

impl World {
    /// Requires one order of all operations of a history that explains their answers: each takes effect at once, some time
    /// between its call and its answer. `begin` is the object before the first one.
    ///
    /// If there is none, the run fails with the class `safety`, and the verdict has the shortest part of the history that cannot be
    /// explained.
    ///
    /// # Errors
    ///
    /// The run is refused if so many operations overlap that it cannot be decided.
    #[track_caller]
    pub fn linearizable<O: Object>(&self, history: &History<O>, begin: O) {
        let all: Vec<usize> = (0..history.log().operations.len()).collect();
        history.note_order(&all, None, &begin);
        history.check(&all, None, &begin, Location::caller());
    }

    /// Like [`linearizable`](World::linearizable), for each key alone: the object consists of parts, which begin alike, and each call
    /// is about the part of its key. That is decided much faster.
    #[track_caller]
    pub fn linearizable_by<O: Object, K: Ord + Debug>(
        &self,
        history: &History<O>,
        begin: O,
        key: impl Fn(&O::Call) -> K,
    ) {
        let mut parts: BTreeMap<K, Vec<usize>> = BTreeMap::new();
        for (number, operation) in history.log().operations.iter().enumerate() {
            parts.entry(key(&operation.call)).or_default().push(number);
        }
        let parts: Vec<_> = parts.into_iter().map(|(key, numbers)| (format!("{key:?}"), numbers)).collect();
        // All of them: the first that fails ends the run.
        for (key, numbers) in &parts {
            history.note_order(numbers, Some(key), &begin);
        }
        for (key, numbers) in parts {
            history.check(&numbers, Some(key), &begin, Location::caller());
        }
    }
}
