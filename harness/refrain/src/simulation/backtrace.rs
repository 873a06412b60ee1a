//! The backtrace of a panic: the frames of the service and its dependencies, without those of the standard library and this
//! harness.

use crate::{place::Place, verdict::Frame};
use std::{backtrace::Backtrace, env, panic::Location, path::Path};

/// The crates whose frames are hidden if there is no debug information, so that files do not tell.
const HIDDEN: [&str; 10] =
    ["alloc", "core", "corosensei", "madsim", "refrain", "refrain_core", "refrain_tokio", "std", "test", "async_task"];
/// The packages between the executor and the service in each poll.
const ON_THE_WAY: [&str; 4] = ["async-task-", "corosensei-", "madsim-", "scoped-tls-"];
/// Maximum number of frames.
const FRAMES_MAX: usize = 100;

/// The location of the service's sources.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sources {
    /// The directory in which the compiler was started.
    pub root: &'static str,
}

/// The owner of a source file.
#[derive(Debug, PartialEq)]
enum Owner {
    Service,
    Dependency,
    /// The standard library, this harness, or the C library.
    Hidden,
}

impl Sources {
    /// Returns whether a place is in the service or the test.
    pub fn holds(&self, place: &Location<'_>) -> bool {
        self.owner(place.file()) == Owner::Service
    }

    /// Returns the frames, and the innermost place in the service.
    pub fn frames(&self, backtrace: &Backtrace) -> (Vec<Frame>, Option<Place>) {
        let here = env::current_dir().unwrap_or_default();
        self.of_text(&backtrace.to_string(), &here)
    }

    /// The standard library's backtrace is accessible only as text: a line with the function, and one with the place if known.
    fn of_text(&self, text: &str, here: &Path) -> (Vec<Frame>, Option<Place>) {
        let (mut frames, mut nearest): (Vec<Frame>, Option<Place>) = (vec![], None);
        // The function whose place may follow.
        let mut function: Option<&str> = None;
        for line in text.lines().map(str::trim) {
            let Some((file, number)) = line.strip_prefix("at ").and_then(file_and_line) else {
                frames.extend(function.take().and_then(without_place));
                let numbered = line.split_once(": ").filter(|(number, _)| number.parse::<u32>().is_ok());
                function = Some(numbered.map_or(line, |(_, function)| function));
                continue;
            };
            // Paths in the current directory are relative to it.
            let file =
                file.strip_prefix("./").map_or_else(|| file.to_owned(), |file| here.join(file).display().to_string());
            let (owner, place) = (self.owner(&file), self.place(&file, number));
            // A function of the standard library that was instantiated in the service has the service's file.
            let function = function.take().filter(|function| !is_hidden(function));
            if let (Owner::Service | Owner::Dependency, Some(function)) = (&owner, function) {
                nearest = nearest.or_else(|| (owner == Owner::Service).then(|| place.clone()));
                frames.push(Frame { function: function.to_owned(), place: Some(place) });
            }
        }
        frames.extend(function.and_then(without_place));
        frames.truncate(FRAMES_MAX);
        (frames, nearest)
    }

    fn owner(&self, file: &str) -> Owner {
        let seen = self.seen(file);
        let is_harness = [own(), tokio::control::sources()].iter().any(|own| seen.starts_with(self.seen(own)));
        let is_on_the_way = ON_THE_WAY.iter().any(|package| crate::place::short(file).starts_with(package));
        let is_std = file.starts_with("/rustc/") || file.contains("/rustlib/src/rust/library/");
        // What `cargo refrain init` generates: tokio and madsim.
        let is_generated = seen.split('/').any(|folder| folder == ".refrain");
        if is_harness || is_generated || is_on_the_way || is_std || !file.ends_with(".rs") {
            return Owner::Hidden;
        }
        let is_fetched = ["/registry/src/", "/git/checkouts/"].iter().any(|from| file.contains(from));
        if is_fetched { Owner::Dependency } else { Owner::Service }
    }

    fn place(&self, file: &str, line: u32) -> Place {
        Place { file: crate::place::short(self.seen(file)).to_owned(), line }
    }

    /// Returns the path as in `file!()`.
    fn seen<'a>(&self, file: &'a str) -> &'a str {
        file.strip_prefix(self.root).and_then(|file| file.strip_prefix('/')).unwrap_or(file)
    }
}

/// Returns the directory of this crate's sources, as in `file!()`.
fn own() -> &'static str {
    file!().strip_suffix("simulation/backtrace.rs").expect("this is the file")
}

/// `src/link.rs:88:9`, `src/link.rs:88`.
fn file_and_line(text: &str) -> Option<(&str, u32)> {
    let (rest, last) = text.rsplit_once(':')?;
    match rest.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?))) {
        Some((file, line)) if last.parse::<u32>().is_ok() => Some((file, line)),
        _ => Some((rest, last.parse().ok()?)),
    }
}

/// A frame without debug information. A name without a path is a function of the system's, such as `__clone3`.
fn without_place(function: &str) -> Option<Frame> {
    let shown = function.contains("::") && !is_hidden(function);
    shown.then(|| Frame { function: function.to_owned(), place: None })
}

/// With debug information for lines only, an inlined function's name may lack its path.
fn is_hidden(function: &str) -> bool {
    function.contains("::") && HIDDEN.contains(&crate_of(function))
}

/// `std` of `<std::vec::Vec<T> as core::fmt::Debug>::fmt`.
fn crate_of(function: &str) -> &str {
    let name = function.trim_start_matches(['<', '&', '*', '(']);
    let name = name.strip_prefix("dyn ").or(name.strip_prefix("impl ")).unwrap_or(name);
    name.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "   0: std::backtrace_rs::backtrace::trace
             at /rustc/abc/library/std/src/../../backtrace/src/mod.rs:66:14
   1: refrain::simulation::run::catch_panics::{{closure}}
             at /build/refrain/harness/refrain/src/simulation/run.rs:170:9
   2: bytes::buf::Buf::advance
             at /cargo/registry/src/index.crates.io-1949cf8c6b5b557f/bytes-1.10.1/src/buf/buf_impl.rs:9:5
   3: parking_lot::lock
   4: <echo::Frame as core::str::FromStr>::from_str
             at ./src/frame.rs:12:9
      inlined
             at ./src/lib.rs:5:1
   5: <refrain_tokio::sim::gate::Gate<F> as core::future::future::Future>::poll
             at /build/refrain/harness/tokio/src/sim/gate.rs:9:1
   6: tokio::runtime::context::with
             at ./.refrain/real-tokio/src/runtime/context.rs:9:1
   6: core::ops::function::FnOnce::call_once
   7: start_thread
             at ./nptl/pthread_create.c:442:8
   8: __clone3
";

    #[test]
    fn only_the_service_and_its_dependencies_are_shown() {
        let (frames, nearest) = Sources { root: "/build/refrain" }.of_text(TEXT, Path::new("/build/refrain/echo"));
        let shown: Vec<String> = frames
            .iter()
            .map(|frame| {
                format!("{} {}", frame.function, frame.place.as_ref().map(ToString::to_string).unwrap_or_default())
            })
            .collect();
        assert_eq!(
            shown,
            [
                "bytes::buf::Buf::advance bytes-1.10.1/src/buf/buf_impl.rs:9",
                "parking_lot::lock ",
                "<echo::Frame as core::str::FromStr>::from_str echo/src/frame.rs:12",
                "inlined echo/src/lib.rs:5"
            ]
        );
        assert_eq!(nearest.unwrap().to_string(), "echo/src/frame.rs:12");
    }

    #[test]
    fn a_text_that_is_no_backtrace_has_no_frames() {
        for text in ["", "disabled backtrace", "unsupported backtrace", "at a:1", "0: \nat \nat x\nat :1:1:1"] {
            assert_eq!(Sources { root: "/" }.of_text(text, Path::new("/")), (vec![], None), "{text}");
        }
    }
}
