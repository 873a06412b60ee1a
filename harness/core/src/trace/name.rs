//! Names the file of a trace after its test and its plan.

use super::test_of;
use crate::plan::Plan;
use std::path::Path;

/// The longest part of a file's name that a test gives; file systems take 255 bytes, and a temporary name is longer.
const TEST_BYTES_MAX: usize = 160;

/// `queries_recover-7c1e5a9b.jsonl`: the test's name with `.` for `::`, and a hash that tells its plans apart. The same
/// on every machine and in every version. Where that name is taken by another failure, the second one is
/// `queries_recover-7c1e5a9b-2.jsonl`.
pub fn file_name(test: &str, plan: &Plan, nth: usize) -> String {
    let hash = fnv1a(format!("{test}\n{plan}").as_bytes());
    // Folded, so that every bit of the hash counts.
    let folded = (hash ^ hash >> 32) as u32;
    let nth = if nth > 1 { format!("-{nth}") } else { String::new() };
    format!("{}{folded:08x}{nth}.jsonl", prefix(test))
}

/// Whether a file is a trace of this test: its header says so or, if that cannot be read, its name.
pub fn is_of(path: &Path, test: &str) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".jsonl") && test_of(path).map_or_else(|_| name.starts_with(&prefix(test)), |named| named == test)
}

/// What the names of a test's traces begin with. No test's name has a `-`.
fn prefix(test: &str) -> String {
    let fits = |c: char| c.is_alphanumeric() || "_.".contains(c);
    let name = test.replace("::", ".").replace(|c| !fits(c), "_");
    format!("{}-", &name[..name.floor_char_boundary(TEST_BYTES_MAX)])
}

/// The 64-bit FNV-1a hash: <https://datatracker.ietf.org/doc/html/draft-eastlake-fnv>.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}
