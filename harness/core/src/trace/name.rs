//! File names of traces, derived from test and plan.

use super::test_of;
use crate::plan::Plan;
use std::path::Path;

/// Maximum length of the test's part of a file name; file systems allow 255 bytes, and a temporary name is longer.
const TEST_BYTES_MAX: usize = 160;

/// Returns the file name of a trace, `queries_recover-7c1e5a9b.jsonl`: the test's name with `.` for `::`, and a hash of
/// the plan. It is the same on every machine and in every version. If another failure has that name, the second one is
/// `queries_recover-7c1e5a9b-2.jsonl`.
pub fn file_name(test: &str, plan: &Plan, nth: usize) -> String {
    let hash = fnv1a(format!("{test}\n{plan}").as_bytes());
    // Folded, so that every bit of the hash counts.
    let folded = (hash ^ hash >> 32) as u32;
    let nth = if nth > 1 { format!("-{nth}") } else { String::new() };
    format!("{}{folded:08x}{nth}.jsonl", prefix(test))
}

/// Returns whether a file is a trace of this test, according to its header or, if that cannot be read, its name.
pub fn is_of(path: &Path, test: &str) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".jsonl") && test_of(path).map_or_else(|_| name.starts_with(&prefix(test)), |named| named == test)
}

/// Returns the common prefix of a test's trace names. No test name contains a `-`.
fn prefix(test: &str) -> String {
    let is_valid = |c: char| c.is_alphanumeric() || "_.".contains(c);
    let name = test.replace("::", ".").replace(|c| !is_valid(c), "_");
    format!("{}-", &name[..name.floor_char_boundary(TEST_BYTES_MAX)])
}

/// The 64-bit FNV-1a hash: <https://datatracker.ietf.org/doc/html/draft-eastlake-fnv>.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}
