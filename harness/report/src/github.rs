//! What GitHub Actions shows of a failure: an annotation at its line, and a part of the step's summary.

use super::{Filter, Style, View, caught as caught_text, headline, mermaid};
use refrain_core::{
    escape::{EscapedLines, escaped},
    protocol::Caught,
    sources,
    trace::Trace,
};

/// How many of the last events the diagram in a summary has: GitHub draws no diagram of any length.
const DIAGRAM_EVENTS: usize = 60;
/// The longest text of an annotation and the longest report in a summary, in characters: GitHub cuts the one at 4 KiB, and refuses a
/// summary beyond 1 MiB.
const ANNOTATION_CHARS: usize = 3_000;
const REPORT_CHARS: usize = 50_000;

/// Formats the workflow command that puts a failure at the line where it happened or, if that is in no file of the workspace, at its
/// test, `src/link.rs:88`. Ends with a newline.
pub fn annotation(name: &str, test_place: &str, caught: &Caught) -> String {
    let own = caught.failure.place.as_ref().filter(|place| sources::parts(&place.file).is_none());
    let (file, line) = match own {
        Some(place) => (place.file.clone(), place.line.to_string()),
        None => test_place.rsplit_once(':').map(|(file, line)| (file.to_owned(), line.to_owned())).unwrap_or_default(),
    };
    let text: String = caught_text(caught, Style::default()).chars().take(ANNOTATION_CHARS).collect();
    let text = EscapedLines(text.trim_end()).to_string();
    format!(
        "::error file={},line={},title={}::{}\n",
        property(&file),
        property(&line),
        property(&format!("{name}: {}", caught.failure.class)),
        data(&text)
    )
}

/// Formats a failure for the summary of a step, in Markdown: its report with the plan, its diagram if the trace is known, and the files to
/// look at.
pub fn summary(name: &str, caught: &Caught, trace: Option<&Trace>) -> String {
    let report: String = caught_text(caught, Style::default()).chars().take(REPORT_CHARS).collect();
    let mut text = format!(
        "### <code>{}</code> failed\n\n<code>{}</code>\n\n",
        html(name),
        html(&headline(&caught.failure, Style::default()))
    );
    text += &fenced("text", &EscapedLines(&report).to_string());
    if let Some(trace) = trace {
        let filter = Filter { tail: Some(DIAGRAM_EVENTS), ..Filter::default() };
        let diagram = fenced("mermaid", &mermaid(&View::new(trace, &filter)));
        text += &format!("<details><summary>The last events</summary>\n\n{diagram}</details>\n\n");
    }
    if let Some(page) = &caught.page {
        text += &format!("The whole run: <code>{}</code>\n\n", html(&page.to_string_lossy()));
    }
    text
}

/// The data of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a workflow command.
fn property(text: &str) -> String {
    data(&escaped(text)).replace(':', "%3A").replace(',', "%2C")
}

/// A text on one line of Markdown, in which it is neither markup nor HTML.
fn html(text: &str) -> String {
    let mut quoted = String::new();
    for c in escaped(text).chars() {
        match c {
            ' ' | '.' | '/' | '-' => quoted.push(c),
            c if c.is_alphanumeric() => quoted.push(c),
            c => quoted += &format!("&#{};", u32::from(c)),
        }
    }
    quoted
}

/// A block whose fence is longer than any in it.
fn fenced(kind: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{kind}\n{}\n{fence}\n\n", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use refrain_core::{
        plan::Plan,
        protocol::SavedAt,
        verdict::{Cause, Class, Detail, Failure, Property},
    };

    fn caught(place: Option<&str>) -> Caught {
        let failure = Failure {
            class: Class::Deadlock,
            property: Property::Progress,
            place: place.map(|place| place.parse().unwrap()),
            detail: Detail::Deadlocked,
            causes: vec![Cause::Printed("```\n::error::forged\n<script>100%".into())],
        };
        let plan = Plan { seed: 9, ..Plan::default() };
        let saved = SavedAt::Traces("traces/a.jsonl".into());
        Caught { failure, plan, events: 2, run: 1, saved, page: Some("target/<b>.html".into()) }
    }

    #[test]
    fn an_annotation_is_one_line_at_the_place_of_the_failure() {
        let text = annotation("a::b", "tests/a.rs:7", &caught(Some("src/li,nk.rs:88")));
        assert!(text.starts_with("::error file=src/li%2Cnk.rs,line=88,title=a%3A%3Ab%3A deadlock::FAILED "), "{text}");
        assert_eq!(text.matches('\n').count(), 1, "{text}");
        assert!(text.contains("%0A") && text.contains("100%25"), "{text}");
    }

    #[test]
    fn a_failure_in_a_dependency_is_shown_at_its_test() {
        for place in [Some("hyper-1.7.0/src/proto.rs:3"), None] {
            let text = annotation("a::b", "tests/a.rs:7", &caught(place));
            assert!(text.starts_with("::error file=tests/a.rs,line=7,"), "{text}");
        }
    }

    #[test]
    fn nothing_in_a_summary_is_markup() {
        let text = summary("a*b*", &caught(None), None);
        assert!(text.starts_with("### <code>a&#42;b&#42;</code> failed\n\n<code>deadlock&#58; "), "{text}");
        assert!(text.contains("\n````text\n") || text.contains("\n```text\n"), "{text}");
        assert!(text.contains("<code>target/&#60;b&#62;.html</code>"), "{text}");
        let fences = text.lines().filter(|line| line.starts_with("```")).count();
        assert_eq!(fences, 2, "{text}");
    }
}
