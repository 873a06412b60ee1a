//! Formats explorations as JUnit XML, which CI systems read.

use super::{Standing, Style, caught, standing, unreached};
use refrain_core::protocol::Exploration;
use std::fmt::Write;

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

/// Formats tests, of which those of one suite follow each other, as a JUnit report. Ends with a newline.
pub fn junit(tests: &[Tested<'_>]) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    text += &format!("<testsuites name=\"refrain\" {}>\n", counts(tests));
    for suite in tests.chunk_by(|one, next| one.suite == next.suite) {
        text += &format!("  <testsuite name=\"{}\" {}>\n", quoted(&suite[0].suite), counts(suite));
        text += &suite.iter().map(case).collect::<String>();
        text += "  </testsuite>\n";
    }
    text + "</testsuites>\n"
}

fn counts(tests: &[Tested<'_>]) -> String {
    let failures = tests.iter().filter(|test| test.explored.is_ok_and(|explored| problem(explored).is_some())).count();
    let errors = tests.iter().filter(|test| test.explored.is_err()).count();
    let ms: u64 = tests.iter().map(took_ms).sum();
    format!("tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" time=\"{}\"", tests.len(), seconds(ms))
}

fn took_ms(test: &Tested<'_>) -> u64 {
    test.explored.map_or(0, |explored| explored.took_ms)
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}

fn case(test: &Tested<'_>) -> String {
    let (file, line) = test.place.rsplit_once(':').unwrap_or((test.place, ""));
    let mut text = format!("    <testcase name=\"{}\" classname=\"{}\"", quoted(test.name), quoted(&test.suite));
    let _ = write!(text, " file=\"{}\" line=\"{}\"", quoted(file), quoted(line));
    let _ = write!(text, " time=\"{}\"", seconds(took_ms(test)));
    let element = match test.explored {
        Ok(explored) => problem(explored).map(|(kind, text)| ("failure", kind, text)),
        Err(why) => Some(("error", "did not run".to_owned(), why.to_owned())),
    };
    match element {
        None => text + "/>\n",
        Some((name, kind, details)) => {
            let message = quoted(details.lines().next().unwrap_or_default());
            let (kind, details) = (quoted(&kind), quoted(&details));
            text + &format!(
                ">\n      <{name} type=\"{kind}\" message=\"{message}\">{details}</{name}>\n    </testcase>\n"
            )
        }
    }
}

/// What is wrong with an exploration, if anything: its kind, and the report of it.
fn problem(explored: &Exploration) -> Option<(String, String)> {
    match standing(explored) {
        Standing::Passed | Standing::CaughtAsExpected(_) => None,
        Standing::Failed(of) => Some((of.failure.class.to_string(), caught(of, Style::default()))),
        Standing::Unreached => Some(("unreached".into(), unreached(explored, Style::default()))),
        Standing::NotCaught(class) => Some(("not caught".into(), format!("expected a {class}, and caught none"))),
    }
}

/// Escapes text for XML, and replaces what XML cannot contain.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => quoted += "&amp;",
            '<' => quoted += "&lt;",
            '>' => quoted += "&gt;",
            '"' => quoted += "&quot;",
            '\n' => quoted += "&#10;",
            '\t' => quoted += "&#9;",
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => quoted.push('\u{fffd}'),
            c => quoted.push(c),
        }
    }
    quoted
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
            explored: Err("no & <memory>\n\u{1b}[2J"),
        };
        let expected = "\
<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<testsuites name=\"refrain\" tests=\"1\" failures=\"0\" errors=\"1\" time=\"0.000\">
  <testsuite name=\"a&quot;&gt;&lt;b\" tests=\"1\" failures=\"0\" errors=\"1\" time=\"0.000\">
    <testcase name=\"]]&gt;&lt;x/&gt;\" classname=\"a&quot;&gt;&lt;b\" file=\"src/a.rs\" line=\"7\" time=\"0.000\">
      <error type=\"did not run\" message=\"no &amp; &lt;memory&gt;\">no &amp; &lt;memory&gt;&#10;\u{fffd}[2J</error>
    </testcase>
  </testsuite>
</testsuites>
";
        assert_eq!(junit(&[test]), expected);
    }
}
