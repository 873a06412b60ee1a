//! Services that read their machine, each in another way: the verdict names the call and its line.

use super::explained::failure;
use crate::machine::{processors_chance, time_stamp};
use nix::libc;
use refrain::{
    World,
    report::{self, Style},
    verdict::{Answer, Class, Detail, Failure, NotLogged, Origin, OtherAnswer, Unseen},
};
use std::{
    fs,
    io::Write,
    mem,
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

/// A path of the machine that all runs share.
pub(super) fn shared(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("refrain-selftest-{name}"))
}

/// Lets a service do something at a time that depends on what it reads.
pub(super) async fn depends_on(world: World, read: fn() -> u64) {
    world.host("server", move || async move {
        tokio::time::sleep(Duration::from_millis(read() % 1_000_000)).await;
        tokio::spawn(async {});
        std::future::pending::<()>().await
    });
    tokio::time::sleep(Duration::from_secs(2_000)).await;
}

/// Counts the runs in a file.
fn counted() -> u64 {
    let (path, new) = (shared("count"), shared("count-new"));
    let count = fs::read_to_string(&path).map_or(0, |text| text.parse().unwrap()); // read
    let _ = fs::write(&new, format!("{:08}", count + 1)).and_then(|()| fs::rename(&new, &path));
    count
}

#[refrain::test(runs = 1, without_holds, expect = "nondeterminism")]
async fn a_file_that_changes_is_read(world: World) {
    depends_on(world, counted).await;
}

/// A file that was there before.
fn a_file(name: &str) -> PathBuf {
    let path = shared(name);
    let _ = fs::File::create_new(&path).and_then(|mut file| file.write_all(b"the same"));
    path
}

/// Reads when a file was written last, and writes it.
fn written() -> u64 {
    let path = a_file("written");
    let modified = fs::metadata(&path).and_then(|file| file.modified()).unwrap(); // modified
    fs::write(&path, "the same").unwrap();
    modified.duration_since(UNIX_EPOCH).unwrap().as_micros() as u64
}

#[refrain::test(runs = 1, without_holds, expect = "nondeterminism")]
async fn the_time_of_a_file_is_read(world: World) {
    depends_on(world, written).await;
}

/// Lists a folder of one file, and gives that another name.
fn listed() -> u64 {
    let folder = shared("listed");
    fs::create_dir_all(&folder).unwrap();
    let names = fs::read_dir(&folder).unwrap();
    let numbers = names.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let last: u64 = numbers.max().unwrap_or(0); // lists
    let name = |number: u64| folder.join(format!("{number:08}"));
    fs::rename(name(last), name(last + 1)).or_else(|_| fs::write(name(last + 1), "")).unwrap();
    last
}

#[refrain::test(runs = 1, without_holds, expect = "nondeterminism")]
async fn a_folder_that_changes_is_listed(world: World) {
    depends_on(world, listed).await;
}

/// Lets a dependency read when a file was written last.
fn written_by_nix() -> u64 {
    let path = a_file("written-by-nix");
    let modified = nix::sys::stat::stat(&path).unwrap().st_mtime_nsec;
    fs::write(&path, "the same").unwrap();
    modified as u64 / 1000
}

#[refrain::test(runs = 1, without_holds, expect = "nondeterminism")]
async fn a_dependency_reads_the_time_of_a_file(world: World) {
    depends_on(world, written_by_nix).await;
}

#[refrain::test(runs = 5)]
async fn the_processors_time_stamp_is_the_plans(world: World) {
    depends_on(world, || time_stamp().unwrap_or(0)).await;
}

/// Reads the machine's clock through the vDSO, as a crate does that finds it without the interposed names of libc.
fn real_clock() -> u64 {
    type ClockGettime = unsafe extern "C" fn(libc::clockid_t, *mut libc::timespec) -> libc::c_int;
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: libc's function of this name has this type, and there is room for the time.
    unsafe {
        let libc = libc::dlopen(c"libc.so.6".as_ptr(), libc::RTLD_LAZY);
        let function = libc::dlsym(libc, c"clock_gettime".as_ptr());
        mem::transmute::<*mut libc::c_void, ClockGettime>(function)(libc::CLOCK_MONOTONIC, &mut now); // vDSO
    }
    now.tv_nsec as u64 / 1000
}

#[refrain::test(runs = 1, without_holds, expect = "nondeterminism")]
async fn the_clock_of_the_vdso_is_read(world: World) {
    depends_on(world, || real_clock() ^ processors_chance().unwrap_or_else(written)).await;
}

/// Counts the processor time that it has used.
fn used() -> u64 {
    // SAFETY: of integers zeros are values, and there is room for the answer.
    let mut usage: libc::rusage = unsafe { mem::zeroed() };
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) }; // used
    usage.ru_utime.tv_usec as u64 + usage.ru_stime.tv_usec as u64
}

#[refrain::test(runs = 1, without_holds, expect = "nondeterminism")]
async fn processor_time_is_read(world: World) {
    depends_on(world, used).await;
}

#[refrain::test(runs = 1, without_holds, expect = "nondeterminism")]
async fn the_processors_chance_is_read(world: World) {
    depends_on(world, || processors_chance().unwrap_or_else(real_clock)).await;
}

/// Returns the place of the line that ends with this text, in a file of the tests.
pub(super) fn place(file: &str, text: &str) -> String {
    let source = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(file)).unwrap();
    let line = (1..).zip(source.lines()).find(|(_, line)| line.ends_with(text)).expect("the text is there").0;
    format!("harness/selftest/tests/{file}:{line}")
}

fn differs(test: &str) -> Failure {
    failure(&format!("verdicts::origins::{test}"), Class::Nondeterminism)
}

/// Returns the calls that a verdict names.
fn named(failure: &Failure) -> &[OtherAnswer] {
    match &failure.detail {
        Detail::RunsDiffer { origin: Some(origin), .. } => match &**origin {
            Origin::Answers(answers) => answers,
            other => panic!("no call is named: {other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// Checks that a verdict names this call and the line with this text, and returns the first call that it names.
#[track_caller]
fn check(test: &str, calls: &[&str], about: &str, line: &str) -> OtherAnswer {
    let failure = differs(test);
    let first = named(&failure)[0].clone();
    let (text, place) = (report::failure(&failure, Style::default()), place("verdicts/origins.rs", line));
    assert!(calls.contains(&&*first.call), "{text}");
    assert_eq!(first.about, about, "{text}");
    assert_eq!(failure.place.as_ref().map(ToString::to_string), Some(place.clone()), "{text}");
    assert!(text.contains(&format!("at {place}\n    run 1: ")), "{text}");
    assert!(text.contains("backtrace, innermost first:"), "{text}");
    first
}

/// Returns how a verdict names a path that all runs share.
pub(super) fn path(name: &str) -> String {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let path = shared(name);
    path.strip_prefix(workspace).unwrap_or(&path).display().to_string()
}

#[test]
fn what_a_file_contains_is_named_rather_than_its_times() {
    counted();
    let first = check("a_file_that_changes_is_read", &["read"], &path("count"), "// read");
    assert!(
        matches!(first.answers.each_ref(), [Answer::Bytes { begins: one, .. }, Answer::Bytes { begins: two, .. }] if one < two),
        "{first:?}"
    );
}

#[test]
fn the_time_of_a_file_is_named() {
    a_file("written");
    let first = check("the_time_of_a_file_is_read", &["statx"], &path("written"), "// modified");
    assert!(
        matches!(first.answers.each_ref(), [Answer::File(one), Answer::File(two)] if one.modified < two.modified),
        "{first:?}"
    );
}

#[test]
fn the_line_of_a_dependency_is_named() {
    a_file("written-by-nix");
    let failure = differs("a_dependency_reads_the_time_of_a_file");
    let first = &named(&failure)[0];
    assert_eq!(first.about, path("written-by-nix"));
    let place = failure.place.as_ref().expect("it has a place").to_string();
    assert!(place.starts_with("nix-0.") && place.contains("/src/sys/stat.rs:"), "{place}");
    let frames = first.backtrace.frames.iter().map(|frame| frame.function.as_str()).collect::<Vec<_>>();
    assert!(frames.iter().any(|function| function.ends_with("written_by_nix")), "{frames:?}");
}

#[test]
fn the_entries_of_a_folder_are_named() {
    listed();
    let first = check("a_folder_that_changes_is_listed", &["getdents64"], &path("listed"), "// lists");
    assert!(
        matches!(first.answers.each_ref(), [Answer::Entries { begins: one, .. }, Answer::Entries { begins: two, .. }] if one < two),
        "{first:?}"
    );
}

#[test]
fn processor_time_is_named() {
    check("processor_time_is_read", &["getrusage"], "", "// used");
}

#[test]
#[cfg(target_arch = "x86_64")]
fn the_clock_of_the_vdso_is_named() {
    // Of other sources of time libc asks the kernel, and the guard answers.
    let source = fs::read_to_string("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    if !source.is_ok_and(|source| ["tsc", "kvm-clock"].contains(&source.trim())) {
        return;
    }
    check("the_clock_of_the_vdso_is_read", &["rdtsc", "rdtscp"], "", "// vDSO");
}

#[test]
fn where_no_call_has_another_answer_the_verdict_says_what_remains() {
    if processors_chance().is_none() {
        return;
    }
    let failure = differs("the_processors_chance_is_read");
    let Detail::RunsDiffer { origin: Some(origin), .. } = &failure.detail else { panic!("{failure:?}") };
    assert!(
        matches!(&**origin, Origin::SameAnswers { unseen, .. } if unseen.contains(&Unseen::ProcessorsChance)),
        "{origin:?}"
    );
    let text = report::failure(&failure, Style::default());
    assert!(text.contains("no call has another answer") && text.contains("the instruction rdrand"), "{text}");
}

#[test]
fn without_a_filter_the_log_is_missing() {
    let failure = failure("verdicts::stalls::a_process_number_is_nondeterminism", Class::Nondeterminism);
    let Detail::RunsDiffer { origin: Some(origin), .. } = &failure.detail else { panic!("{failure:?}") };
    assert_eq!(**origin, Origin::NotLogged(NotLogged::ProcessesAllowed));
    assert!(report::failure(&failure, Style::default()).contains("the guard's log is missing"));
}
