//! Explains where a model blocks its thread, and what to use instead, from a backtrace.

use crate::{
    engine::backtrace::{Function, functions},
    interleaving::verdict::is_of_an_engine,
    sources::{Owner, Source, Sources},
};
use std::{iter, path::Path};

/// Maximum number of functions that are shown.
const FRAMES_MAX: usize = 12;
/// The file of the signal handler: its frame and those above it are not part of the wait.
const HANDLER: &str = "interleaving/blocked.rs";
/// Prefixes of functions that belong neither to the model nor to a lock.
const HIDDEN: [&str; 16] = [
    "refrain::",
    "loom::",
    "shuttle",
    "corosensei::",
    "generator::",
    "core::",
    "alloc::",
    "std::panic",
    "std::sys::backtrace",
    "std::thread::lifecycle",
    "std::sys::thread",
    "std::thread::local",
    "start_thread",
    "syscall",
    "__rust",
    "rust_",
];
/// Parts of function names, and what a model uses instead.
const REPLACEMENTS: [(&str, &str); 9] = [
    ("RwLock", "RwLock"),
    ("RawMutex", "Mutex"),
    ("Mutex", "Mutex"),
    ("Condvar", "Condvar"),
    ("Barrier", "Barrier"),
    ("mpsc", "mpsc"),
    ("mpmc", "mpsc"),
    ("Once", "OnceLock"),
    ("JoinHandle", "thread"),
];

/// Packages whose locks can be part of models, those that use another's first.
const MODELED: [&str; 5] = ["dashmap", "tokio", "crossbeam-channel", "crossbeam-utils", "parking_lot"];

/// Explains a backtrace.
pub(super) fn explain(backtrace: &str, here: &Path, sources: &Sources) -> String {
    let functions = functions(backtrace, here);
    let is_handler = |function: &Function| function.at.as_ref().is_some_and(|(file, _)| file.ends_with(HANDLER));
    let handler = functions.iter().rposition(is_handler).map_or(0, |at| at + 1);
    let frames: Vec<String> = functions[handler..]
        .iter()
        .filter_map(|Function { name, at }| {
            let at = at.as_ref().map(|(file, line)| (sources.identify(file), line));
            let place = at.as_ref().map(|(source, line)| format!("{}:{line}", source.name));
            is_shown(name, at.map(|(source, _)| source))
                .then(|| iter::once((*name).to_owned()).chain(place).collect::<Vec<_>>().join(" at "))
        })
        .collect();
    let replacement = REPLACEMENTS.iter().find(|(part, _)| frames.iter().any(|frame| frame.contains(part)));
    let replacement = replacement.map_or_else(
        || "the primitives of refrain::sync".to_owned(),
        |(_, replacement)| format!("refrain::sync::{replacement}"),
    );
    let is_in = |package: &&&str| frames.iter().any(|frame| frame.contains(&format!(" at {package}-")));
    let modeled = MODELED.iter().find(is_in).map_or_else(String::new, |package| {
        format!(", or let it be part of the model with `cargo refrain init --models {package}`")
    });
    let frames: String = frames.iter().take(FRAMES_MAX).map(|frame| format!("\n  {frame}")).collect();
    format!(
        "a thread of the model waits in the kernel for something that refrain does not see, and no other thread can run \
         meanwhile: use {replacement} instead{modeled}. It waits here:{frames}"
    )
}

/// Returns whether a function belongs to the model or to the lock. The name of an inlined function has no path, so its
/// file decides.
fn is_shown(function: &str, source: Option<Source<'_>>) -> bool {
    // `<refrain::sync::cell::UnsafeCell<T> as ...>` belongs to the harness, too.
    let path = function.trim_start_matches(['<', '_']);
    // So does a function of any crate that is called with one of its closures.
    let is_hidden = HIDDEN.iter().any(|hidden| path.starts_with(hidden))
        || ["refrain::interleaving", "shuttle_engine"].iter().any(|part| path.contains(part));
    let is_of = |source: &Source, owner| source.owner == owner;
    let is_harness = source.as_ref().is_some_and(|it| is_of(it, Owner::Harness) || is_of_an_engine(&it.name));
    let has_path = path.split('<').next().is_some_and(|name| name.contains("::"));
    let is_elsewhere = source.is_some_and(|it| !is_of(&it, Owner::Std));
    (has_path || is_elsewhere) && !is_hidden && !is_harness
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKTRACE: &str = "   0: std::backtrace_rs::backtrace::trace
             at /rustc/abc/library/std/src/../../backtrace/src/mod.rs:66:14
   1: refrain::interleaving::blocked::capture
             at /build/refrain/src/interleaving/blocked.rs:66:5
   2: <unknown>
   3: std::sys::sync::mutex::futex::Mutex::lock_contended
             at /rustc/abc/library/std/src/sys/sync/mutex/futex.rs:68:13
   4: std::sync::poison::mutex::Mutex<T>::lock
             at /rustc/abc/library/std/src/sync/poison/mutex.rs:492:24
      service::pool::Pool::take
             at ./src/pool.rs:12:9
      {closure#0}
             at ./src/pool.rs:20:5
   5: call_once<service::pool::take::{closure_env#0}, ()>
             at /rustc/abc/library/core/src/ops/function.rs:250:5
   5: core::ops::function::FnOnce::call_once
   6: <refrain::interleaving::loom::Loom as Searcher>::search
   7: shuttle_engine::runtime::execution::run
   8: service::pool::unknown
   9: __clone3
";

    fn sources() -> Sources {
        let harness = vec![("/build/refrain/src/", "refrain-0.1.0/src/".to_owned())];
        Sources { root: "/service".into(), harness, ..Sources::default() }
    }

    #[test]
    fn the_lock_and_the_model_are_shown_and_the_harness_is_not() {
        let text = explain(BACKTRACE, Path::new("/service"), &sources());
        assert!(text.contains("use refrain::sync::Mutex instead"), "{text}");
        let frames: Vec<&str> = text.lines().skip(1).map(str::trim).collect();
        assert_eq!(
            frames,
            [
                "std::sys::sync::mutex::futex::Mutex::lock_contended at library/std/src/sys/sync/mutex/futex.rs:68",
                "std::sync::poison::mutex::Mutex<T>::lock at library/std/src/sync/poison/mutex.rs:492",
                "service::pool::Pool::take at src/pool.rs:12",
                "{closure#0} at src/pool.rs:20",
                "service::pool::unknown",
            ]
        );
    }

    #[test]
    fn a_lock_that_can_be_part_of_models_is_explained_with_how() {
        let lock = "cargo/registry/src/index-1949cf8c6b5b557f/parking_lot-0.12.5/src/raw_mutex.rs:69:5";
        let text = format!("   0: parking_lot::raw_mutex::RawMutex::lock_slow\n             at /build/.{lock}\n");
        let explained = explain(&text, Path::new("/service"), &sources());
        assert!(explained.contains("use refrain::sync::Mutex instead, or let it"), "{explained}");
        assert!(explained.contains("`cargo refrain init --models parking_lot`"), "{explained}");
        assert!(!explain(BACKTRACE, Path::new("/service"), &sources()).contains("--models"));
    }

    #[test]
    fn a_wait_that_is_not_known_is_explained_in_general() {
        for text in ["", "disabled backtrace", "0: \nat \nat x\nat :1:1:1"] {
            assert!(
                explain(text, Path::new("/service"), &sources())
                    .contains("use the primitives of refrain::sync instead"),
                "{text}"
            );
        }
    }
}
