//! Finds a source line again after the file was edited, so that a hold, which refers to the line where its task is
//! spawned, survives moved lines.
//!
//! A line is found by its function and its text. Its number is not enough: one comment above it, and the number refers
//! to another line. Nor is the function's path: the function may spawn several tasks, and the compiler exposes only
//! file and line.

use serde::{Deserialize, Serialize};

/// A source line with its context.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// The file path, as given to the compiler.
    pub file: String,
    /// The line number when it was saved, counted from 1.
    pub line: u32,
    /// The name of the enclosing function; empty if there is none.
    #[serde(default)]
    pub function: String,
    /// The line and its neighbouring lines of code, without indentation.
    pub text: [String; 3],
}

/// The minimum similarity to the saved line: the same text, or the same beginning and a similar context.
const LIKE_ENOUGH: u32 = 4;

impl Anchor {
    /// Returns the anchor of a source line; `None` if the source has no such line.
    pub fn of(file: &str, line: u32, source: &str) -> Option<Anchor> {
        let lines: Vec<&str> = source.lines().map(str::trim).collect();
        let at = usize::try_from(line).ok()?.checked_sub(1)?;
        lines.get(at)?;
        Some(Anchor { file: file.to_owned(), line, function: function(&lines, at), text: around(&lines, at) })
    }

    /// Finds the line in this source, which may be another version of the file; `None` if no line is similar enough.
    pub fn find(&self, source: &str) -> Option<u32> {
        let lines: Vec<&str> = source.lines().map(str::trim).collect();
        let likeness = |at: usize| (self.likeness(&lines, at), u32::try_from(at + 1).unwrap_or(u32::MAX));
        let like = (0..lines.len()).map(likeness).filter(|(likeness, _)| *likeness >= LIKE_ENOUGH);
        // Of equally similar lines, the nearest.
        like.max_by_key(|(likeness, line)| (*likeness, u32::MAX - line.abs_diff(self.line))).map(|(_, line)| line)
    }

    fn likeness(&self, lines: &[&str], at: usize) -> u32 {
        let [before, line, after] = &self.text;
        let own = match lines[at] {
            text if text == line => 4,
            text if head(text) == head(line) => 2,
            _ => return 0,
        };
        let [now_before, _, now_after] = around(lines, at);
        let points = [(2, function(lines, at) == self.function), (1, now_before == *before), (1, now_after == *after)];
        own + points.iter().map(|(points, is_so)| points * u32::from(*is_so)).sum::<u32>()
    }
}

/// Returns the call without its arguments: `tokio::spawn(` of `tokio::spawn(answer(stream));`. It survives renamed
/// variables.
fn head(line: &str) -> &str {
    line.split_inclusive('(').next().unwrap_or(line)
}

/// Returns the line and the lines of code before and after it. Empty lines and comments are skipped, because they
/// change often.
fn around(lines: &[&str], at: usize) -> [String; 3] {
    let is_code = |line: &&&str| !line.is_empty() && !line.starts_with("//");
    let text = |line: Option<&&str>| line.copied().unwrap_or_default().to_owned();
    [text(lines[..at].iter().rev().find(is_code)), lines[at].to_owned(), text(lines[at + 1..].iter().find(is_code))]
}

/// Returns the name of the last function that begins before a line.
fn function(lines: &[&str], at: usize) -> String {
    lines[..=at].iter().rev().find_map(|line| name_of_function(line)).unwrap_or_default().to_owned()
}

/// Returns `serve` for `pub async fn serve(at: &str) -> io::Result<()> {`.
fn name_of_function(line: &str) -> Option<&str> {
    const BEFORE: [&str; 6] = ["async", "const", "unsafe", "extern", "\"C\"", "default"];
    let mut words = line.split(' ').skip_while(|word| word.starts_with("pub") || BEFORE.contains(word));
    let name = words.next().filter(|word| *word == "fn").and_then(|_| words.next())?;
    name.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
pub async fn serve(at: &str) {
    let listener = bind(at).await;
    loop {
        let stream = listener.accept().await;
        tokio::spawn(async move {
            answer(stream).await;
        });
    }
}

async fn background() {
    tokio::spawn(async move {
        sweep().await;
    });
    tokio::spawn(report(1));
    tokio::spawn(report(2));
}
";

    /// Checks where the given lines are after an edit.
    #[track_caller]
    fn check(edit: impl Fn(&str) -> String, lines: [(u32, Option<u32>); 4]) {
        let edited = edit(SOURCE);
        assert_ne!(edited, SOURCE);
        for (line, now) in lines {
            assert_eq!(Anchor::of("src/lib.rs", line, SOURCE).unwrap().find(&edited), now, "line {line} in {edited}");
        }
    }

    fn moved(by: u32) -> [(u32, Option<u32>); 4] {
        [5, 12, 15, 16].map(|line| (line, Some(line + by)))
    }

    #[test]
    fn moved_lines_are_found() {
        check(|source| format!("// A comment.\n\n{source}"), moved(2));
        // Another spawn with the same text is now at the old number.
        check(|source| format!("{}{source}", "// Seven lines.\n".repeat(7)), moved(7));
        check(
            |source| {
                source
                    .replace("        let stream", "        // Why.\n        trace!(\"accepts\");\n        let stream")
            },
            moved(2),
        );
        check(|source| source.replace("    ", "\t"), moved(0));
    }

    #[test]
    fn edited_lines_are_found_by_what_is_around_them() {
        check(|source| source.replace("serve(at: &str)", "serve(at: SocketAddr, limit: usize)"), moved(0));
        check(|source| source.replace("stream", "connection"), moved(0));
        check(|source| source.replace("async move {\n        sweep", "async {\n        sweep"), moved(0));
        check(|source| source.replace("tokio::spawn(report(1))", "tokio::spawn(report(true, 1))"), moved(0));
    }

    #[test]
    fn functions_in_another_order_are_found() {
        let swapped = |source: &str| {
            let (serve, background) = source.split_once("\n\n").unwrap();
            format!("{background}\n{serve}\n")
        };
        check(swapped, [(5, Some(13)), (12, Some(2)), (15, Some(5)), (16, Some(6))]);
    }

    #[test]
    fn what_is_gone_is_not_found() {
        check(|source| source.replace("tokio::spawn", "set.spawn"), [5, 12, 15, 16].map(|line| (line, None)));
        assert_eq!(Anchor::of("src/lib.rs", 0, SOURCE), None);
        assert_eq!(Anchor::of("src/lib.rs", 99, SOURCE), None);
        let anchor = Anchor::of("src/lib.rs", 5, SOURCE).unwrap();
        assert_eq!(anchor.find(""), None);
    }
}
