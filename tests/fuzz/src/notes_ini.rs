//! Any text as Notes.ini: a profile, or each problem with a line that exists, or the one after the last.
#![no_main]

use calcon::profile;
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|text: &str| {
    // What is opened is below a directory that does not exist, or a file that it may name.
    if let Err(problems) = profile::parse(Path::new("/nowhere/notes.ini"), text, "CN=Calcon") {
        assert!(!problems.is_empty());
        for problem in problems {
            assert!(problem.line.is_some_and(|line| (1..=text.lines().count() + 1).contains(&line)));
            let _ = problem.to_string();
        }
    }
});
