//! What a verdict says of the call that two runs got other answers to.

use super::*;
use crate::origin::answer;
use refrain_core::{
    arbitrary::answers,
    verdict::{Answer, Backtrace, Frame, MadeCall, Metadata, NotLogged, Origin, OtherAnswer, OtherCall, Unseen},
};

fn differs(origin: Origin) -> Failure {
    let detail = Detail::RunsDiffer { event: 12, origin: Some(Box::new(origin)) };
    let place = "src/config.rs:9".parse().ok();
    Failure { class: Class::Nondeterminism, property: Property::Deterministic, place, detail, causes: vec![] }
}

fn other_answer(call: &str, about: &str, answers: [Answer; 2]) -> OtherAnswer {
    let frame = |function: &str, place: &str| Frame { function: function.into(), place: place.parse().ok() };
    let frames = vec![frame("ini::load", "ini-1.2.3/src/lib.rs:70"), frame("service::start", "src/config.rs:9")];
    OtherAnswer { call: call.into(), about: about.into(), answers, backtrace: Backtrace { frames } }
}

fn text(begins: &str) -> Answer {
    Answer::Bytes { length: 100, hash: 1, begins: begins.into() }
}

#[test]
fn the_first_call_has_both_answers_and_its_backtrace() {
    let file = |modified| Answer::File(Box::new(Metadata { size: 7, modified, ..Metadata::default() }));
    let answers = vec![
        other_answer("read", "data/count", [text("41"), text("42")]),
        other_answer("statx", "data/state", [file(1_500_000_000), file(2_000_000_000)]),
    ];
    assert_snapshot!(failure(&differs(Origin::Answers(answers)), PLAIN), @r#"
    FAILED nondeterminism: two runs of the same plan differ from event 12 on, after `read` of data/count gave another answer
      at src/config.rs:9
      the first call with another answer: `read` of data/count at ini-1.2.3/src/lib.rs:70
        run 1: 100 bytes, "41" ...
        run 2: 100 bytes, "42" ...
      another answer only in the times of a file, or in which file it is: `statx` of data/state at ini-1.2.3/src/lib.rs:70
        run 1: modified at 1.500000000
        run 2: modified at 2.000000000
      let the test make what is read anew in each run, such as in a temporary folder, or pass it as an argument
      backtrace, innermost first:
        ini::load at ini-1.2.3/src/lib.rs:70
        service::start at src/config.rs:9
    "#);
}

#[test]
fn what_no_log_shows_is_listed() {
    assert_snapshot!(failure(&differs(Origin::SameAnswers { calls: 1, unseen: Unseen::ALL.to_vec(), other: None }), PLAIN), @"
    FAILED nondeterminism: two runs of the same plan differ from event 12 on
      at src/config.rs:9
      no call has another answer before that in the logs of both runs: 1 call compared
      what remains, as no log shows it:
        addresses, which are random on this system
        the order of threads, which the test allows, and the data races between them
        the calls after those that were compared, as a log has a limit
        the instruction rdtsc, which this machine does not trap
        the instruction rdrand
        memory that another process writes
      let the service use `tokio::task::spawn_blocking`, and test what threads share with `#[refrain::model]`
    ");
    for why in NotLogged::ALL.iter().copied() {
        let text = failure(&differs(Origin::NotLogged(why)), PLAIN);
        assert!(text.contains("the guard's log is missing: "), "{text}");
        assert!(text.contains("the service reads something from outside the simulation: "), "{text}");
    }
}

#[test]
fn the_first_other_call_has_its_place_in_each_run() {
    let made = |call: &str, about: &str, place: &str| {
        let frame = Frame { function: "service::start".into(), place: place.parse().ok() };
        Some(MadeCall { call: call.into(), about: about.into(), backtrace: Backtrace { frames: vec![frame] } })
    };
    for (two, told) in [
        (made("getrusage", "", "src/config.rs:12"), "`getrusage` at src/config.rs:12"),
        (
            Some(MadeCall { call: "stat".into(), about: "data/b".into(), backtrace: Backtrace::default() }),
            "`stat` of data/b",
        ),
        (None, "none"),
    ] {
        let other = OtherCall { nth: 1_233, calls: [made("stat", "data/a", "src/config.rs:9"), two] };
        let unseen = vec![Unseen::Memory];
        let origin = Origin::SameAnswers { calls: 1_233, unseen, other: Some(Box::new(other)) };
        let text = failure(&differs(origin), PLAIN);
        let lines = format!(
            "1,233 calls compared\n  call 1,234 is the first that is another one in each run:\n    run 1: `stat` of data/a at \
             src/config.rs:9\n    run 2: {told}\n  what remains, as no log shows it:\n"
        );
        assert!(text.contains(&lines), "{text}\n{lines}");
    }
}

#[test]
fn each_call_has_advice() {
    for (call, advice) in [
        ("rdtsc", "take the time from `tokio::time`"),
        ("getrusage", "depend on the processor time"),
        ("getdents64", "sort the entries"),
        ("statx", "let nothing depend on its times"),
        ("openat", "let the test make what is read anew"),
    ] {
        let answers = [Answer::Number(1), Answer::Number(2)];
        let text = failure(&differs(Origin::Answers(vec![other_answer(call, "", answers)])), PLAIN);
        assert!(text.contains(advice), "{text}");
    }
}

proptest! {
    #[test]
    fn no_two_answers_read_the_same((one, two) in (answers(), answers())) {
        prop_assert_eq!(answer(&one, &two) == answer(&two, &one), one == two);
    }

    /// Two that are nearly the same.
    #[test]
    fn no_two_hashes_read_the_same(begins: String, length: u64, hashes in any::<[u64; 2]>()) {
        let [one, two] = hashes.map(|hash| Answer::Bytes { length, hash, begins: begins.clone() });
        prop_assert_eq!(answer(&one, &two) == answer(&two, &one), one == two);
        let [one, two] = hashes.map(Answer::ProcessorTime);
        prop_assert_eq!(answer(&one, &two) == answer(&two, &one), one == two);
        let [one, two] = hashes.map(|time| {
            Answer::File(Box::new(Metadata { modified: time as i64, ..Metadata::default() }))
        });
        prop_assert_eq!(answer(&one, &two) == answer(&two, &one), one == two);
    }
}
