//! Strategies for what the logs of two runs say.

use super::{backtraces, texts};
use crate::verdict::{Answer, MadeCall, Metadata, NotLogged, Origin, OtherAnswer, OtherCall, Unseen};
use proptest::{collection, option, prelude::*, sample::select};

/// Generates any origin.
pub(super) fn origins() -> BoxedStrategy<Origin> {
    one_of![
        collection::vec(other_answers(), 0..3).prop_map(Origin::Answers),
        (any::<u64>(), collection::vec(select(Unseen::ALL), 0..3), option::of(other_calls()))
            .prop_map(|(calls, unseen, other)| Origin::SameAnswers { calls, unseen, other: other.map(Box::new) }),
        select(NotLogged::ALL).prop_map(Origin::NotLogged),
    ]
}

fn other_answers() -> BoxedStrategy<OtherAnswer> {
    (texts(), texts(), [answers(), answers()], backtraces())
        .prop_map(|(call, about, answers, backtrace)| OtherAnswer { call, about, answers, backtrace: *backtrace })
        .boxed()
}

fn other_calls() -> BoxedStrategy<OtherCall> {
    let made = (texts(), texts(), backtraces())
        .prop_map(|(call, about, backtrace)| MadeCall { call, about, backtrace: *backtrace })
        .boxed();
    (any::<u64>(), [option::of(made.clone()), option::of(made)])
        .prop_map(|(nth, calls)| OtherCall { nth, calls })
        .boxed()
}

/// Generates any answer.
pub fn answers() -> BoxedStrategy<Answer> {
    one_of![
        any::<i32>().prop_map(Answer::Failed),
        any::<i64>().prop_map(Answer::Number),
        (any::<u64>(), any::<u64>(), texts()).prop_map(|(length, hash, begins)| Answer::Bytes { length, hash, begins }),
        files().prop_map(|file| Answer::File(Box::new(file))),
        (any::<u64>(), any::<u64>(), collection::vec(texts(), 0..3))
            .prop_map(|(count, hash, begins)| Answer::Entries { count, hash, begins }),
        any::<u64>().prop_map(Answer::ProcessorTime),
    ]
}

fn files() -> BoxedStrategy<Metadata> {
    let numbers = (any::<u64>(), any::<u32>(), any::<u64>(), any::<u64>(), any::<u32>());
    let times = (any::<i64>(), any::<i64>(), any::<i64>(), any::<i64>());
    (numbers, times)
        .prop_map(|((size, mode, inode, links, owner), (modified, changed, accessed, created))| Metadata {
            size,
            mode,
            inode,
            links,
            owner,
            modified,
            changed,
            accessed,
            created,
        })
        .boxed()
}
