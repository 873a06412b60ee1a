//! Names the file of a trace after its test and its plan.

use crate::plan::Plan;

/// The longest part of a file's name that a test gives; file systems take 255 bytes, and a temporary name is longer.
const TEST_BYTES_MAX: usize = 160;

/// `queries_recover-7c1e.jsonl`: the test's name with `.` for `::`, and four hexadecimal digits that tell its plans
/// apart. The same on every machine and in every version.
pub fn file_name(test: &str, plan: &Plan) -> String {
    let fits = |c: char| c.is_alphanumeric() || "_.-".contains(c);
    let name = test.replace("::", ".").replace(|c| !fits(c), "_");
    let end = name.floor_char_boundary(TEST_BYTES_MAX);
    let hash = fnv1a(format!("{test}\n{plan}").as_bytes());
    // Folded, so that every bit of the hash counts.
    let folded = (hash ^ hash >> 16 ^ hash >> 32 ^ hash >> 48) as u16;
    format!("{}-{folded:04x}.jsonl", &name[..end])
}

/// The 64-bit FNV-1a hash: <https://datatracker.ietf.org/doc/html/draft-eastlake-fnv>.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}
