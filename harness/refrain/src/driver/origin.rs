//! Compares the logs of two runs that differ: the first calls with another answer are where the difference came from.

use crate::{
    engine::{Logs, Refusal},
    job::{CALLS_MAX, Call, Ran},
    sources,
    verdict::{Backtrace, Difference, MadeCall, Origin, OtherAnswer, OtherCall, Unseen},
    worker::temporary,
};
use std::{env, path::Path};

/// How many calls with other answers a verdict names: the first one may have no effect on the service.
const NAMED_MAX: usize = 3;

/// Says where the difference between two runs came from, which events show from this one on. `again` executes their plan once more, for the
/// backtrace of a call of its log.
pub(super) fn origin(
    logs: Logs,
    runs: [&Ran; 2],
    event: u64,
    again: &mut dyn FnMut(usize) -> Result<Ran, Refusal>,
) -> Result<Origin, Refusal> {
    let mut unseen = match logs {
        Logs::None(why) => return Ok(Origin::NotLogged(why)),
        Logs::Without(unseen) => unseen,
    };
    let pairs = common(&runs[0].calls, &runs[1].calls, event);
    let named = other_answers(&pairs);
    if named.is_empty() {
        unseen.extend((pairs.len() == CALLS_MAX).then_some(Unseen::LaterCalls));
        let other = other_call(runs, pairs.len(), event, again)?.map(Box::new);
        return Ok(Origin::SameAnswers { calls: pairs.len() as u64, unseen, other });
    }
    let named = named.into_iter().map(|nth| {
        let (one, two) = pairs[nth];
        Ok(OtherAnswer {
            call: one.call.clone(),
            about: portable(&one.about),
            answers: [one.answer.clone(), two.answer.clone()],
            backtrace: backtrace(&again(nth)?, nth, one),
        })
    });
    named.collect::<Result<_, _>>().map(Origin::Answers)
}

/// The calls that both runs have made, one after the other, before their events differ.
fn common<'a>(one: &'a [Call], two: &'a [Call], event: u64) -> Vec<(&'a Call, &'a Call)> {
    let is_common = |(one, two): &(&Call, &Call)| {
        one.after.max(two.after) <= event && one.call == two.call && one.about == two.about
    };
    one.iter().zip(two).take_while(is_common).collect()
}

/// The call behind the common ones, if it is another one in each run and was made before their events differ.
fn other_call(
    runs: [&Ran; 2],
    nth: usize,
    event: u64,
    again: &mut dyn FnMut(usize) -> Result<Ran, Refusal>,
) -> Result<Option<OtherCall>, Refusal> {
    let calls = runs.map(|ran| ran.calls.get(nth));
    if !are_others(calls, event) {
        return Ok(None);
    }
    let made = |call: &Call| MadeCall {
        call: call.call.clone(),
        about: portable(&call.about),
        backtrace: Backtrace::default(),
    };
    let mut other = OtherCall { nth: nth as u64, calls: calls.map(|call| call.map(made)) };
    // A further run makes the call of one of them, and perhaps another one that of the other.
    for _ in runs {
        let ran = again(nth)?;
        let made = calls.iter().zip(&mut other.calls).filter_map(|(call, made)| call.zip(made.as_mut()));
        for (call, made) in made.filter(|(_, made)| made.backtrace.frames.is_empty()) {
            made.backtrace = backtrace(&ran, nth, call);
        }
    }
    Ok(Some(other))
}

/// Whether two calls with the same number are others, of which one was made before the events differ.
fn are_others([one, two]: [Option<&Call>; 2], event: u64) -> bool {
    let what = |call: Option<&Call>| call.map(|call| (call.call.clone(), call.about.clone()));
    what(one) != what(two) && one.into_iter().chain(two).any(|call| call.after <= event)
}

/// The numbers of the first calls with other answers. Those that differ in a file's times come after the others, and are left out if more
/// is known of the file; those that differ in when a file was read last, if there are any others.
fn other_answers(pairs: &[(&Call, &Call)]) -> Vec<usize> {
    let difference = |(nth, (one, two)): (usize, &(&Call, &Call))| Some((one.answer.difference(&two.answer)?, nth));
    let mut others: Vec<_> = pairs.iter().enumerate().filter_map(difference).collect();
    others.sort_unstable();
    let most = others.first().map_or(Difference::Times, |(least, _)| (*least).max(Difference::Times));
    let mut named: Vec<usize> = vec![];
    for (how, nth) in others {
        let is_known = || named.iter().any(|known| pairs[*known].0.about == pairs[nth].0.about);
        if how <= most && (how == Difference::Content || !is_known()) {
            named.push(nth);
        }
    }
    named.truncate(NAMED_MAX);
    named
}

/// Returns the backtrace of a call from the log of a further run; none if that has not made the same call.
fn backtrace(again: &Ran, nth: usize, wanted: &Call) -> Backtrace {
    let is_same = |call: &&Call| call.call == wanted.call && call.about == wanted.about;
    let call = again.calls.get(nth).filter(is_same);
    call.and_then(|call| call.backtrace.clone()).unwrap_or_default()
}

/// A path as it reads on every machine: that of the workspace and that of temporary files are left out.
fn portable(path: &str) -> String {
    let path = Path::new(path);
    let within = |folder: &Path| path.strip_prefix(folder).ok().filter(|_| folder.parent().is_some());
    let temporary = || within(Path::new(temporary::NAME)).or_else(|| within(&env::temp_dir()));
    let name = match within(&sources::current().now) {
        Some(rest) => rest.to_owned(),
        None => temporary().map_or_else(|| path.to_owned(), |rest| Path::new("$TMPDIR").join(rest)),
    };
    name.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{Answer, Metadata};

    fn call(after: u64, call: &str, answer: Answer) -> Call {
        Call { after, call: call.to_owned(), about: String::new(), answer, backtrace: None }
    }

    fn read(after: u64, answer: i64) -> Call {
        call(after, "read", Answer::Number(answer))
    }

    fn others(one: &[Call], two: &[Call], event: u64) -> Vec<usize> {
        other_answers(&common(one, two, event))
    }

    #[test]
    fn calls_with_other_answers_are_found_in_order() {
        let one = [read(0, 1), read(1, 2), read(1, 3), read(2, 4), read(2, 5), read(2, 6)];
        let two = [read(0, 1), read(1, 7), read(1, 3), read(2, 8), read(2, 9), read(2, 0)];
        assert_eq!(others(&one, &two, 2), [1, 3, 4]);
    }

    #[test]
    fn what_came_after_the_difference_did_not_cause_it() {
        assert_eq!(others(&[read(5, 1)], &[read(5, 2)], 4), [0; 0]);
        assert_eq!(others(&[read(4, 1)], &[read(5, 2)], 4), [0; 0]);
        assert_eq!(others(&[read(4, 1)], &[read(4, 2)], 4), [0]);
    }

    #[test]
    fn after_another_call_the_logs_are_not_compared() {
        let one = [read(0, 1), call(0, "read", Answer::Number(2)), read(0, 3)];
        let two = [read(0, 1), call(0, "lseek", Answer::Number(2)), read(0, 4)];
        assert_eq!(others(&one, &two, 9), [0; 0]);
    }

    #[test]
    fn another_call_is_one_that_was_made_before_the_events_differ() {
        let (one, two) = (read(4, 1), call(5, "lseek", Answer::Number(1)));
        assert!(are_others([Some(&one), Some(&two)], 4));
        assert!(are_others([None, Some(&one)], 4) && are_others([Some(&one), None], 4));
        assert!(!are_others([Some(&one), Some(&two)], 3));
        assert!(!are_others([None, Some(&two)], 4) && !are_others([None, None], 4));
        assert!(!are_others([Some(&one), Some(&read(5, 2))], 4), "the same one, made later");
    }

    #[test]
    fn the_times_of_a_file_count_less_than_what_is_in_it() {
        let file = |size, modified, accessed| {
            let answer = Answer::File(Box::new(Metadata { size, modified, accessed, ..Metadata::default() }));
            Call { about: "a file".into(), ..call(0, "statx", answer) }
        };
        let (one, two) = ([file(1, 1, 1), file(1, 1, 1), read(0, 1)], [file(1, 1, 2), file(1, 2, 2), read(0, 2)]);
        assert_eq!(others(&one, &two, 0), [2, 1]);
        let of_file = |answer| Call { about: "a file".into(), ..read(0, answer) };
        assert_eq!(others(&[file(1, 1, 1), of_file(1)], &[file(1, 2, 2), of_file(2)], 0), [1]);
        assert_eq!(others(&one[..2], &two[..2], 0), [1]);
        assert_eq!(others(&one[..1], &two[..1], 0), [0]);
        assert_eq!(others(&[file(1, 1, 1)], &[file(2, 1, 1)], 0), [0]);
    }
}
