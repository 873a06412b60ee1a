//! The JUnit report of explorations, which CI systems read.

use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};
use refrain_core::protocol::Exploration;
use refrain_report::{self as report, Standing, Style};
use std::time::Duration;

/// What came of a test.
#[derive(Debug)]
pub struct Tested<'a> {
    /// The package and the target: `calcon test/simulated`.
    pub suite: String,
    /// The test's name.
    pub name: &'a str,
    /// Its source location.
    pub place: &'a str,
    /// The exploration, or why there is none.
    pub explored: Result<&'a Exploration, &'a str>,
}

/// Makes a report of tests, of which those of one suite follow each other.
pub fn junit(tests: &[Tested<'_>]) -> Result<String, SerializeError> {
    let mut all = Report::new("refrain");
    all.set_time(time(tests));
    for of_suite in tests.chunk_by(|one, next| one.suite == next.suite) {
        let mut suite = TestSuite::new(text(&of_suite[0].suite));
        suite.set_time(time(of_suite)).add_test_cases(of_suite.iter().map(case));
        all.add_test_suite(suite);
    }
    all.to_string()
}

fn time(tests: &[Tested<'_>]) -> Duration {
    tests.iter().map(|test| Duration::from_millis(test.explored.map_or(0, |explored| explored.took_ms))).sum()
}

fn case(test: &Tested<'_>) -> TestCase {
    let mut case = TestCase::new(text(test.name), status(test));
    case.set_classname(text(&test.suite)).set_time(time(std::slice::from_ref(test)));
    let (file, line) = test.place.rsplit_once(':').unwrap_or((test.place, ""));
    case.extra.insert("file".into(), text(file).into());
    case.extra.insert("line".into(), text(line).into());
    case
}

fn status(test: &Tested<'_>) -> TestCaseStatus {
    let (kind, what, details) = match test.explored {
        Ok(explored) => match problem(explored) {
            None => return TestCaseStatus::success(),
            Some((what, details)) => (NonSuccessKind::Failure, what, details),
        },
        Err(why) => (NonSuccessKind::Error, "did not run".to_owned(), why.to_owned()),
    };
    let mut status = TestCaseStatus::non_success(kind);
    let message = details.lines().next().unwrap_or_default();
    status.set_type(text(&what)).set_message(text(message)).set_description(text(&details));
    status
}

/// What is wrong with an exploration, if anything: its kind, and the report of it.
fn problem(explored: &Exploration) -> Option<(String, String)> {
    match report::standing(explored) {
        Standing::Passed | Standing::CaughtAsExpected(_) => None,
        Standing::Failed(of) => Some((of.failure.class.to_string(), report::caught(of, Style::default()))),
        Standing::Unreached => Some(("unreached".into(), report::unreached(explored, Style::default()))),
        Standing::NotCaught(class) => Some(("not caught".into(), format!("expected a {class}, and caught none"))),
    }
}

/// Replaces what XML cannot contain and `quick_junit` does not remove.
fn text(text: &str) -> String {
    text.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_stays_text() {
        let test = Tested {
            suite: "a\"><b".into(),
            name: "]]><x/>",
            place: "src/a.rs:7",
            explored: Err("no & <memory>\n\u{1b}[2J\u{0}\u{ffff}"),
        };
        insta::assert_snapshot!(junit(&[test]).unwrap(), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="refrain" tests="1" skipped="0" failures="0" errors="1" time="0.000">
            <testsuite name="a&quot;&gt;&lt;b" tests="1" skipped="0" errors="1" failures="0" time="0.000">
                <testcase name="]]&gt;&lt;x/&gt;" classname="a&quot;&gt;&lt;b" time="0.000" file="src/a.rs" line="7">
                    <error message="no &amp; &lt;memory&gt;" type="did not run">no &amp; &lt;memory&gt;
        �</error>
                </testcase>
            </testsuite>
        </testsuites>
        "#);
    }
}
