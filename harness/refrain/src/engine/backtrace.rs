//! Reads backtraces of the standard library, which are accessible only as text: a line with each function, and one with its place if
//! that is known.

use std::path::Path;

/// A function of a backtrace.
#[derive(Debug, PartialEq)]
pub(crate) struct Function<'a> {
    /// Its path; if it was inlined, perhaps only its name.
    pub name: &'a str,
    /// Its file and line.
    pub at: Option<(String, u32)>,
}

/// Returns the functions, innermost first. Paths in the current directory are relative to it in the text.
pub(crate) fn functions<'a>(text: &'a str, here: &Path) -> Vec<Function<'a>> {
    let mut functions: Vec<Function> = vec![];
    for line in text.lines().map(str::trim) {
        let Some((file, number)) = line.strip_prefix("at ").and_then(file_and_line) else {
            let numbered = line.split_once(": ").filter(|(number, _)| number.parse::<u32>().is_ok());
            functions.push(Function { name: numbered.map_or(line, |(_, name)| name), at: None });
            continue;
        };
        let file =
            file.strip_prefix("./").map_or_else(|| file.to_owned(), |file| here.join(file).display().to_string());
        if let Some(Function { at: at @ None, .. }) = functions.last_mut() {
            *at = Some((file, number));
        }
    }
    functions
}

/// `src/link.rs:88:9`, `src/link.rs:88`.
fn file_and_line(text: &str) -> Option<(&str, u32)> {
    let (rest, last) = text.rsplit_once(':')?;
    match rest.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?))) {
        Some((file, line)) if last.parse::<u32>().is_ok() => Some((file, line)),
        _ => Some((rest, last.parse().ok()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_have_their_places() {
        let text = "   0: core::fmt::write
             at /rustc/abc/library/core/src/fmt/mod.rs:9
   1: service::take
             at ./src/pool.rs:12:9
      inlined
   2: __clone3";
        let function =
            |name, at: Option<(&str, u32)>| Function { name, at: at.map(|(file, line)| (file.into(), line)) };
        let expected = [
            function("core::fmt::write", Some(("/rustc/abc/library/core/src/fmt/mod.rs", 9))),
            function("service::take", Some(("/service/src/pool.rs", 12))),
            function("inlined", None),
            function("__clone3", None),
        ];
        assert_eq!(functions(text, Path::new("/service")), expected);
    }
}
