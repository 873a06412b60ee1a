//! Finds the refrain tests in an executable without running it.
//!
//! Each `#[refrain::test]` embeds a string literal in its executable: [`MARK`], the test's path including the crate, a
//! separator, its source location, a separator, the expected class or nothing, and a terminator. An ignored test has
//! another separator and `ignored` before the terminator. Separator and terminator are control characters, which no
//! name, path or class contains.

use crate::{protocol::MARK, verdict::Class};
use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, BufRead, Read},
    path::Path,
};

/// A test found in an executable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Its name as libtest's `--exact` takes it: `link::queries_recover`.
    pub name: String,
    /// Its source location: `tests/link.rs:12`.
    pub place: String,
    /// The class of failure that it expects, if it is a seeded bug.
    pub expect: Option<Class>,
    /// Whether it is `#[ignore]`d.
    pub ignored: bool,
}

/// Maximum length of an announcement. Anything longer only happens to begin with the mark.
const ANNOUNCEMENT_BYTES_MAX: usize = 2_048;
/// Number of bytes read from an executable at a time.
const PIECE_BYTES: u64 = 1 << 20;
/// Maximum number of tests in an executable.
const TESTS_MAX: usize = 100_000;
const SEPARATOR: u8 = 3;
const END: u8 = 4;

/// Finds the tests in an executable, sorted by name.
pub fn in_executable(path: &Path) -> io::Result<Vec<Found>> {
    search(File::open(path)?)
}

/// Searches in pieces, because an executable with debug information can be very large.
fn search(mut executable: impl Read) -> io::Result<Vec<Found>> {
    let (mut found, mut piece) = (BTreeSet::new(), Vec::new());
    loop {
        let read = executable.by_ref().take(PIECE_BYTES).read_to_end(&mut piece)?;
        found.extend(in_bytes(&piece));
        if found.len() > TESTS_MAX {
            return Err(io::Error::other(format!("it announces more than {TESTS_MAX} refrain tests")));
        }
        if read == 0 {
            return Ok(found.into_iter().collect());
        }
        // Keeps the tail, since an announcement may continue in the next piece. One that is found twice is in the set
        // once.
        piece.drain(..piece.len().saturating_sub(MARK.len() + ANNOUNCEMENT_BYTES_MAX));
    }
}

/// Finds the tests announced in these bytes, sorted by name. Anything that only resembles an announcement is ignored.
pub fn in_bytes(bytes: &[u8]) -> Vec<Found> {
    let (first, rest_of_mark) = MARK.as_bytes().split_first().expect("the mark is not empty");
    let mut found = Vec::new();
    let mut rest = bytes;
    // `skip_until` is fast even in unoptimised builds, and an executable may have 100 MB.
    while rest.skip_until(*first).is_ok_and(|skipped| skipped > 0) {
        if let Some(announced) = rest.strip_prefix(rest_of_mark) {
            found.extend(announcement(announced));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// Parses what follows the mark.
fn announcement(bytes: &[u8]) -> Option<Found> {
    let bytes = &bytes[..bytes.len().min(ANNOUNCEMENT_BYTES_MAX)];
    let end = bytes.iter().position(|&byte| byte == END)?;
    let text = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut parts = text.split(char::from(SEPARATOR));
    let (path, place, expect) = (parts.next()?, parts.next()?, parts.next()?);
    // The path begins with the crate, which libtest omits.
    let name = path.split_once("::")?.1;
    let expect = match expect {
        "" => None,
        name => Some(name.parse().ok()?),
    };
    let ignored = match parts.next() {
        None => false,
        Some("ignored") => true,
        Some(_) => return None,
    };
    let whole = parts.next().is_none() && is_name(name) && is_place(place);
    whole.then(|| Found { name: name.into(), place: place.into(), expect, ignored })
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == ':' || c == '#')
}

fn is_place(text: &str) -> bool {
    let Some((file, line)) = text.rsplit_once(':') else { return false };
    !file.is_empty() && !text.contains(char::is_control) && line.parse::<u32>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `<` stands for the mark, `|` for a separator, `>` for the terminator: this executable must not announce its
    /// examples.
    fn executable(pattern: &str) -> Vec<u8> {
        pattern.replace('<', MARK).replace('|', "\u{3}").replace('>', "\u{4}").into_bytes()
    }

    #[track_caller]
    fn check(pattern: &str, names: &[&str]) {
        let found = in_bytes(&executable(pattern));
        assert_eq!(found.iter().map(|test| test.name.as_str()).collect::<Vec<_>>(), names);
    }

    #[test]
    fn an_announcement_has_name_place_and_expected_class() {
        let found = |ignored| {
            let (name, place) = ("link::heals".into(), "tests/link.rs:12".into());
            [Found { name, place, expect: Some(Class::Stall), ignored }]
        };
        assert_eq!(in_bytes(&executable("..<scenarios::link::heals|tests/link.rs:12|stall>..")), found(false));
        assert_eq!(in_bytes(&executable("..<scenarios::link::heals|tests/link.rs:12|stall|ignored>..")), found(true));
    }

    #[test]
    fn tests_are_sorted_and_listed_once() {
        check("<k::b|f.rs:2|><k::a|f.rs:1|>\0\0<k::b|f.rs:2|>", &["a", "b"]);
    }

    #[test]
    fn garbage_is_ignored() {
        check("", &[]);
        check("<", &[]);
        check("<<k::a|f.rs:1|>", &["a"]);
        check("<k::a|f.rs:1|", &[]);
        check("<k::a|f.rs:1>", &[]);
        check("<k::a|f.rs:1||>", &[]);
        check("<k::a b|f.rs:1|>", &[]);
        check("<|f.rs:1|>", &[]);
        check("<without_crate|f.rs:1|>", &[]);
        check("<k::a|f.rs|>", &[]);
        check("<k::a|f.rs:1|sulk>", &[]);
        check("<k::a|f.rs:1||ignore>", &[]);
        check("<k::a|f.rs:1||ignored|>", &[]);
        check(&format!("<k::{}|f.rs:1|>", "a".repeat(ANNOUNCEMENT_BYTES_MAX)), &[]);
        let mut bytes = vec![0xff, 1, b'r', 1];
        bytes.extend(executable("<\u{1}\u{2}"));
        bytes.push(0xff);
        bytes.extend(executable("<k::a|f.rs:1|>"));
        assert_eq!(in_bytes(&bytes).len(), 1);
    }

    #[test]
    fn a_truncated_announcement_is_ignored() {
        let whole = executable("<k::a|f.rs:1|stall>");
        for end in 0..whole.len() {
            assert_eq!(in_bytes(&whole[..end]), []);
        }
    }

    #[test]
    fn an_announcement_is_found_wherever_the_pieces_meet() {
        let announcement = executable("<k::a|f.rs:1|stall>");
        let piece = PIECE_BYTES as usize;
        for at in (piece - announcement.len() - 1..=piece + 1).chain([2 * piece - 7]) {
            let mut bytes = vec![b'x'; at];
            bytes.extend(&announcement);
            assert_eq!(search(&bytes[..]).unwrap().len(), 1, "{at}");
        }
    }

    #[test]
    fn more_announcements_than_any_executable_has_are_refused() {
        let announced = |n: usize| executable(&(0..n).map(|n| format!("<k::a{n}|f.rs:1|>")).collect::<String>());
        assert_eq!(search(&announced(1_000)[..]).unwrap().len(), 1_000);
        assert!(
            search(&announced(TESTS_MAX + 1)[..]).is_err_and(|error| error.to_string().contains("more than 100000"))
        );
    }

    #[test]
    fn this_executable_announces_nothing() {
        let own = std::env::current_exe().expect("a test has an executable");
        assert_eq!(in_executable(&own).expect("it is readable"), []);
    }
}
