//! Calls in the logs of two runs that differ: other ones in each run, and such as the kernel refuses before it has read their path.
//!
//! What a service does here depends on whether its run is an even or an odd one of this machine, so nothing else may run it meanwhile: the
//! tests below alone do.

use super::{
    explained::failure,
    origins::{depends_on, path, place, shared},
};
use crate::machine::system_call;
use nix::libc;
use refrain::{
    World,
    report::{self, Style},
    verdict::{Answer, Class, Detail, Origin},
};
use std::{fs, iter, os::fd::AsRawFd, ptr};

/// The size of a file of which a log does not see the end.
const BYTES: usize = 2 << 20;
const PAGE_BYTES: usize = 4096;
/// The longest path that the kernel reads.
const PATH_BYTES_MAX: usize = 4096;

/// Counts the runs in memory that they share, which no log shows.
fn count(name: &str) -> u64 {
    let path = shared(name);
    let file = fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).unwrap();
    file.set_len(BYTES as u64).unwrap();
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: the mapping is new, of a file that is as long, and a number fits at its end.
    unsafe {
        let start = libc::mmap(ptr::null_mut(), BYTES, protection, libc::MAP_SHARED, file.as_raw_fd(), 0);
        assert_ne!(start, libc::MAP_FAILED);
        let last = start.byte_add(BYTES - 8).cast::<u64>();
        *last += 1;
        *last
    }
}

/// Looks for one file in every second run, and for another one in the others.
fn looks_elsewhere() -> u64 {
    let count = count("elsewhere");
    match count % 2 {
        0 => drop(fs::metadata(shared("even"))), // even
        _ => drop(fs::metadata(shared("odd"))),  // odd
    }
    count
}

#[refrain::test(runs = 1, without_holds, expect = "nondeterminism")]
#[ignore = "only one process may run it: see the tests below"]
async fn each_run_looks_for_another_file(world: World) {
    depends_on(world, looks_elsewhere).await;
}

/// Reads links that are none: of paths without an end, which are not there, and which are too long.
fn reads_no_link() -> u64 {
    let count = count("no-link");
    let path = without_end();
    let long: Vec<u8> = iter::repeat_n(b'a', 1 << 20).chain([0]).collect();
    let (mut link, room) = ([0; 64], 64);
    let mut read = |path: usize, room: usize| {
        system_call(libc::SYS_readlinkat, [libc::AT_FDCWD as usize, path, link.as_mut_ptr() as usize, room])
    };
    assert_eq!(read(path, room), -libc::ENAMETOOLONG as isize);
    // Without room the kernel does not look at the path.
    for unread in [path, path + 100, 1] {
        assert_eq!(read(unread, 0), -libc::EINVAL as isize);
    }
    read(long.as_ptr() as usize, if count.is_multiple_of(2) { 0 } else { room });
    count
}

/// The address of a page of letters. Behind it no memory can be read.
pub(super) fn without_end() -> usize {
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: the mapping is new and has two pages, of which the first is filled.
    unsafe {
        let start = libc::mmap(ptr::null_mut(), 2 * PAGE_BYTES, protection, flags, -1, 0);
        assert_ne!(start, libc::MAP_FAILED);
        ptr::write_bytes(start.cast::<u8>(), b'a', PAGE_BYTES);
        assert_eq!(libc::mprotect(start.byte_add(PAGE_BYTES), PAGE_BYTES, libc::PROT_NONE), 0);
        start as usize
    }
}

#[refrain::test(runs = 1, without_holds, expect = "nondeterminism")]
#[ignore = "only one process may run it: see the tests below"]
async fn links_of_refused_paths_are_read(world: World) {
    depends_on(world, reads_no_link).await;
}

/// Returns what the logs of two runs say, and the text of the failure.
fn differs(test: &str) -> (Origin, String) {
    let failure = failure(&format!("verdicts::calls::{test}"), Class::Nondeterminism);
    let Detail::RunsDiffer { origin: Some(origin), .. } = &failure.detail else { panic!("{failure:?}") };
    ((**origin).clone(), report::failure(&failure, Style::default()))
}

#[test]
fn the_first_other_call_is_named_with_its_line_in_each_run() {
    let (origin, text) = differs("each_run_looks_for_another_file");
    let Origin::SameAnswers { calls, other: Some(other), .. } = origin else { panic!("{origin:?}\n{text}") };
    assert_eq!(other.nth, calls);
    let lines = ["even", "odd"].map(|name| {
        let place = place("verdicts/calls.rs", &format!("// {name}"));
        format!("`statx` of {} at {place}", path(name))
    });
    let runs = |[one, two]: [&str; 2]| {
        format!("is the first that is another one in each run:\n    run 1: {one}\n    run 2: {two}\n")
    };
    let [even, odd] = lines.each_ref().map(String::as_str);
    assert!(text.contains(&runs([even, odd])) || text.contains(&runs([odd, even])), "{text}");
    assert!(text.contains("memory that another process writes"), "{text}");
}

#[test]
fn of_refused_paths_a_log_has_as_much_as_the_kernel_reads() {
    let (origin, text) = differs("links_of_refused_paths_are_read");
    let Origin::Answers(answers) = origin else { panic!("{origin:?}\n{text}") };
    let [long] = &answers[..] else { panic!("{text}") };
    assert_eq!((long.call.as_str(), long.about.len()), ("readlinkat", PATH_BYTES_MAX), "{text}");
    let mut answers = long.answers.clone();
    answers.sort_by_key(|answer| format!("{answer:?}"));
    assert_eq!(answers, [Answer::Failed(libc::EINVAL), Answer::Failed(libc::ENAMETOOLONG)]);
}
