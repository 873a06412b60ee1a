//! Tests of the search, also against a search that tries every order.

use super::*;
use proptest::{collection, option, prelude::*};

#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Register(u8);

#[derive(Debug, Clone)]
enum Call {
    Read,
    Write(u8),
}

impl Object for Register {
    type Call = Call;
    type Answer = u8;

    fn apply(&mut self, call: &Call) -> u8 {
        if let Call::Write(value) = call {
            self.0 = *value;
        }
        self.0
    }
}

/// An operation: when it was called, what it asks, when it was answered, and with what.
type Op = (usize, Call, Option<(usize, u8)>);

fn check(operations: &[Op]) -> Option<Part> {
    explained(&Register(0), &timed(operations)).unwrap()
}

fn timed(operations: &[Op]) -> Vec<Timed<'_, Register>> {
    let one = |(called, call, answer)| Timed { call, called, answer };
    operations
        .iter()
        .map(|(called, call, answer)| one((*called, call, answer.as_ref().map(|(at, value)| (value, *at)))))
        .collect()
}

fn part(begins: &[&str], operations: &[usize]) -> Option<Part> {
    Some(Part { begins: begins.iter().map(|&begin| begin.into()).collect(), operations: operations.to_vec() })
}

use Call::{Read, Write};

#[test]
fn operations_one_after_the_other_have_one_order() {
    assert_eq!(check(&[(0, Write(1), Some((1, 1))), (2, Read, Some((3, 1)))]), None);
    assert_eq!(check(&[(0, Write(1), Some((1, 1))), (2, Read, Some((3, 0)))]), part(&["Register(1)"], &[1]));
}

#[test]
fn operations_that_overlap_have_any_order() {
    let read = |value| [(0, Write(1), Some((3, 1))), (1, Read, Some((2, value)))];
    assert_eq!((check(&read(0)), check(&read(1))), (None, None));
    assert_eq!(check(&read(2)), part(&["Register(0)"], &[0, 1]));
}

/// Both reads are answered while the write is open; the later one must not see an older value.
#[test]
fn a_value_that_was_read_is_not_unread() {
    let operations = [(0, Write(1), Some((5, 1))), (1, Read, Some((2, 1))), (3, Read, Some((4, 0)))];
    assert_eq!(check(&operations), part(&["Register(0)"], &[0, 1, 2]));
}

#[test]
fn what_was_not_answered_may_have_had_an_effect_or_not() {
    let then = |value| check(&[(0, Write(1), None), (1, Read, Some((2, value)))]);
    assert_eq!((then(0), then(1)), (None, None));
    assert_eq!(then(2), part(&["Register(0)"], &[0, 1]));
}

#[test]
fn what_does_not_matter_is_not_part_of_the_shortest_part() {
    let mut operations = vec![(0, Write(9), Some((40, 9)))];
    operations.extend((0..10).map(|n| (1 + 2 * n, Read, Some((2 + 2 * n, 0)))));
    operations.push((30, Read, Some((31, 9))));
    operations.push((32, Read, Some((33, 0))));
    operations.push((50, Write(3), Some((51, 3))));
    assert_eq!(check(&operations), part(&["Register(0)"], &[0, 11, 12]));
}

#[test]
fn too_many_open_operations_are_not_decided_rather_than_never() {
    let operations: Vec<Op> = (0..200).map(|n| (n, Write(n as u8), Some((1_000 + n, n as u8)))).collect();
    assert!(explained(&Register(0), &timed(&operations)).is_err());
}

/// Whether an order explains the operations: tries all of them.
fn any_order(state: &Register, operations: &[Op]) -> bool {
    if operations.iter().all(|(_, _, answer)| answer.is_none()) {
        return true;
    }
    let first_answer = operations.iter().filter_map(|(_, _, answer)| Some(answer.as_ref()?.0)).min();
    (0..operations.len()).any(|nth| {
        let (called, call, answer) = &operations[nth];
        let mut after = state.clone();
        let given = after.apply(call);
        let mut rest = operations.to_vec();
        rest.remove(nth);
        first_answer.is_none_or(|first| *called < first)
            && answer.is_none_or(|(_, expected)| expected == given)
            && any_order(&after, &rest)
    })
}

fn histories() -> impl Strategy<Value = Vec<Op>> {
    let calls = prop_oneof![Just(Call::Read), (1..3_u8).prop_map(Call::Write)];
    let operations = (0..20_usize, calls, option::weighted(0.8, (1..8_usize, 0..3_u8)));
    collection::vec(operations, 0..6).prop_map(|all| {
        // Each position is taken once.
        let one = |(nth, (called, call, answer)): (usize, Op)| {
            let at = |position: usize| position * 20 + nth;
            (at(called), call, answer.map(|(after, value)| (at(called + after), value)))
        };
        all.into_iter().enumerate().map(one).collect()
    })
}

proptest! {
    #[test]
    fn the_search_agrees_with_trying_every_order(operations in histories()) {
        let found = check(&operations);
        prop_assert_eq!(found.is_none(), any_order(&Register(0), &operations));
    }

    /// The part alone is a failure: no order explains it from any of the states before it.
    #[test]
    fn the_shortest_part_cannot_be_explained(operations in histories()) {
        if let Some(part) = check(&operations) {
            let of_part: Vec<Op> = part.operations.iter().map(|nth| operations[*nth].clone()).collect();
            for begin in 0..3_u8 {
                let begin = Register(begin);
                if part.begins.contains(&format!("{begin:?}")) {
                    prop_assert!(!any_order(&begin, &of_part));
                }
            }
        }
    }
}

/// Operations by their number, each with a text.
type Texts = Vec<(usize, String)>;

/// The order of the operations, the states after them, and what the next ones would be answered.
fn ordered(operations: &[Op]) -> (Texts, Texts) {
    let Order { effects, stuck } = order(&Register(0), &timed(operations)).unwrap();
    (effects, stuck)
}

fn texts(pairs: &[(usize, &str)]) -> Texts {
    pairs.iter().map(|(nth, text)| (*nth, (*text).to_owned())).collect()
}

#[test]
fn an_order_that_explains_everything_crosses_the_parts() {
    let operations = [
        (0, Call::Write(3), Some((1, 3))),
        (2, Call::Write(7), Some((5, 7))),
        (3, Call::Read, Some((4, 3))),
        (6, Call::Read, Some((7, 7))),
    ];
    let expected = texts(&[(0, "Register(3)"), (2, "Register(3)"), (1, "Register(7)"), (3, "Register(7)")]);
    assert_eq!(ordered(&operations), (expected, vec![]));
}

#[test]
fn the_longest_order_ends_where_nothing_can_be_next() {
    let operations = [
        (0, Call::Write(3), Some((1, 3))),
        (2, Call::Write(7), Some((3, 7))),
        (4, Call::Read, Some((7, 3))),
        (5, Call::Write(9), None),
        (8, Call::Read, Some((9, 7))),
    ];
    let (effects, stuck) = ordered(&operations);
    assert_eq!(effects[..2], texts(&[(0, "Register(3)"), (1, "Register(7)")]));
    assert!(stuck.iter().any(|(nth, _)| *nth == 2), "{stuck:?}");
    assert!(effects.len() + 1 < operations.len());
}

proptest! {
    #[test]
    fn an_order_is_one_in_which_the_object_answers_so(operations in histories()) {
        let timed = timed(&operations);
        let Order { effects, stuck } = order(&Register(0), &timed).unwrap();
        let mut register = Register(0);
        for (nth, state) in &effects {
            let (_, call, answer) = &operations[*nth];
            let given = register.apply(call);
            prop_assert!(answer.is_none_or(|(_, value)| value == given));
            prop_assert_eq!(&format!("{register:?}"), state);
        }
        // None takes effect before one that was answered before it was called.
        for (at, (later, _)) in effects.iter().enumerate() {
            for (earlier, _) in &effects[..at] {
                prop_assert!(operations[*later].2.is_none_or(|(answered, _)| operations[*earlier].0 < answered));
            }
        }
        prop_assert_eq!(stuck.is_empty(), explained(&Register(0), &timed).unwrap().is_none());
    }
}
