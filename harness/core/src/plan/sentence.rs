//! Plans as sentences: how a trace shows them and lets one edit them.
//!
//! ```text
//! seed 42
//! queries = [{"user":"alice"}]
//! cut exchange <-> notes at 12.3 s for 4.2 s
//! cut notes -> exchange when notes -> exchange makes its 2nd write
//! reset exchange <-> notes when exchange accepts its 3rd connection
//! kill exchange at 1 s and restart it after 2 s
//! crash exchange when notes -> exchange starts its 1st connect and reboot it after 3 s
//! pause notes when exchange reads from notes the 4th time for 2 s
//! slow exchange <-> notes by 300 ms when notes closes a connection with exchange the 2nd time for 5 s
//! reset exchange <-> notes when exchange receives the 1000th byte from notes
//! delay 10 % of exchange <-> notes by 300 ms at 1 s for 5 s
//! lose 10 % of exchange <-> notes at 1 s for 5 s
//! duplicate 10 % of exchange <-> notes at 1 s for 5 s
//! reorder 10 % of exchange <-> notes at 1 s for 5 s
//! limit exchange <-> notes to 1000 B/s at 1 s for 5 s
//! drop SYNs on notes -> exchange at 1 s for 5 s
//! refuse SYNs on notes -> exchange at 1 s for 5 s
//! stretch writes on notes -> exchange at 1 s for 5 s
//! stretch reads on notes -> exchange at 1 s for 5 s
//! stall reads on notes -> exchange at 1 s for 5 s
//! shrink buffers on notes -> exchange to 16 B at 1 s for 5 s
//! fail lookups on notes at 1 s for 5 s
//! fail accepts on exchange at 1 s for 5 s
//! hold the 1st task spawned on notes at src/link.rs:88 at its 3rd poll until nothing else can run
//! ```
//!
//! `notes -> exchange` is one direction: the connects and writes of notes, and the reads of exchange. Wherever it is
//! allowed, `exchange <-> notes`, both directions, is allowed too. Each kind of fault defines its part of the grammar
//! in its file in `plan/fault/`. A model's plan only states the thread schedule; `plan/threads.rs` has its grammar.
//!
//! Words are separated by one space. A host consists of letters, digits, `_`, `.` and `-`; a place of anything but
//! control characters. A plan that follows these rules parses back to an equal plan; others are rejected.

use super::{Fault, Hold, Plan, SentenceError};

mod parse;
mod print;
mod trigger;

impl From<Plan> for Vec<String> {
    fn from(plan: Plan) -> Vec<String> {
        plan.sentences()
    }
}

impl TryFrom<Vec<String>> for Plan {
    type Error = SentenceError;

    fn try_from(sentences: Vec<String>) -> Result<Plan, SentenceError> {
        parse::plan(sentences.iter().map(String::as_str))
    }
}

// In files, faults and holds are always represented by their sentences.

impl From<Fault> for String {
    fn from(fault: Fault) -> String {
        fault.to_string()
    }
}

impl From<Hold> for String {
    fn from(hold: Hold) -> String {
        hold.to_string()
    }
}

impl TryFrom<String> for Hold {
    type Error = SentenceError;

    fn try_from(sentence: String) -> Result<Hold, SentenceError> {
        sentence.parse()
    }
}

#[cfg(test)]
mod tests;
