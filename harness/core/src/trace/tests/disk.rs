//! Writing traces to disk and reading them back.

use super::*;
use std::{
    os::unix::fs::{PermissionsExt, symlink},
    process::Command,
};

fn names(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[track_caller]
fn check_error(result: Result<impl std::fmt::Debug, TraceError>, parts: &[&str]) {
    let error = result.expect_err("an error").to_string();
    assert!(parts.iter().all(|part| error.contains(part)), "{error}");
}

#[test]
fn a_written_trace_replaces_the_old_one_and_leaves_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/traces/a.jsonl");
    let other = Trace { digest: "0".repeat(16), ..v3() };
    write(&path, &v3()).unwrap();
    write(&path, &other).unwrap();
    assert_eq!(read(&path).unwrap(), other);
    assert_eq!(names(path.parent().unwrap()), [path]);
}

#[test]
fn a_trace_that_cannot_be_put_in_its_place_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    fs::create_dir(&path).unwrap();
    check_error(write(&path, &v3()), &["a.jsonl: cannot put the trace in its place", "check the path"]);
    assert_eq!(names(folder.path()), [path]);
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("traces"), "a file").unwrap();
    check_error(write(&folder.path().join("traces/a.jsonl"), &v3()), &["cannot make the folder of the trace"]);
}

#[test]
fn a_trace_that_would_not_read_back_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    fs::write(&path, V3).unwrap();
    let mut trace = v3();
    trace.plan.holds[0].host = "a host".to_string();
    check_error(write(&path, &trace), &["a.jsonl: not written", "sentence 5", "expected \"at\""]);
    let huge = vec![trace.events[0].clone(); EVENTS_MAX + 1];
    check_error(write(&path, &Trace { events: huge, ..v3() }), &["not written", "more than 100000 events"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), V3);
    assert_eq!(names(folder.path()), [path]);
}

#[test]
fn a_reader_never_meets_half_a_trace() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    let long = Trace { events: vec![v3().events[8].clone(); 2_000], ..v3() };
    write(&path, &long).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for trace in [v3(), long.clone()].iter().cycle().take(20) {
                write(&path, trace).unwrap();
            }
        });
        while !writer.is_finished() {
            read(&path).unwrap();
        }
    });
}

#[test]
fn of_a_service_that_logs_without_measure_the_end_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    let plain = v3().events[8].clone();
    let long = |bytes: usize| Event { kind: Kind::Saw { value: "x".repeat(bytes) }, ..plain.clone() };
    let check = |events: Vec<Event>, kept: usize| {
        let total = events.len();
        let trace = Trace { events, left_out: 7, ..v3() }.within_limits();
        assert_eq!((trace.events.len(), trace.left_out), (kept, 7 + total - kept));
        save(folder.path(), &trace).unwrap();
    };
    check(vec![plain.clone(); 20], 20);
    check([vec![plain.clone(); 20], vec![long(LINE_BYTES_MAX)], vec![plain.clone(); 5]].concat(), 5);
    check([vec![plain.clone(); 20], vec![long(LINE_BYTES_MAX)]].concat(), 0);
    check(vec![long(LINE_BYTES_MAX - 1_000); 20], 14);
    let mut many = plain.clone();
    let Kind::Log(log) = &mut many.kind else { panic!("the service says something") };
    log.fields.insert("list".into(), vec![0; 500_000].into());
    check(vec![many; 6], 3);
}

/// Returns a trace of the same plan with a different failure.
fn fails_otherwise() -> Trace {
    let mut trace = v3();
    trace.failure.property = Property::NoPanic;
    trace
}

#[test]
fn the_same_failure_is_saved_in_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = save(folder.path(), &v3()).unwrap();
    let again = Trace { digest: "0".repeat(16), ..v3() };
    assert_eq!(save(folder.path(), &again).unwrap(), path);
    assert_eq!(read(&path).unwrap(), again);
    assert_eq!(names(folder.path()), [path]);
}

#[test]
fn no_trace_replaces_another_failures_file() {
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join(file_name(&v3().test, &v3().plan, 1));
    // The existing file may be anything: another trace, an unreadable file, a directory, a dangling symlink.
    let plant: [&dyn Fn(); 4] = [
        &|| write(&taken, &fails_otherwise()).unwrap(),
        &|| fs::write(&taken, "torn").unwrap(),
        &|| fs::create_dir(&taken).unwrap(),
        &|| symlink("/nowhere", &taken).unwrap(),
    ];
    for plant in plant {
        plant();
        let before = fs::symlink_metadata(&taken).unwrap().modified().unwrap();
        let saved = save(folder.path(), &v3()).unwrap();
        assert_eq!(saved, folder.path().join(file_name(&v3().test, &v3().plan, 2)));
        assert_eq!(save(folder.path(), &v3()).unwrap(), saved, "the same failure has the same file");
        assert_eq!(read(&saved).unwrap(), v3());
        assert_eq!(fs::symlink_metadata(&taken).unwrap().modified().unwrap(), before);
        assert_eq!(names(folder.path()).len(), 2);
        fs::remove_file(&saved).unwrap();
        fs::remove_dir(&taken).or_else(|_| fs::remove_file(&taken)).unwrap();
    }
}

#[test]
fn of_processes_that_save_at_once_each_keeps_its_failure() {
    let folder = tempfile::tempdir().unwrap();
    let other = fails_otherwise();
    let traces = [&v3(), &other, &v3(), &other];
    std::thread::scope(|scope| {
        for trace in traces {
            scope.spawn(|| (0..20).for_each(|_| drop(save(folder.path(), trace).unwrap())));
        }
    });
    let mut saved: Vec<Trace> = names(folder.path()).iter().map(|path| read(path).unwrap()).collect();
    saved.sort_by_key(|trace| trace.failure.property == Property::NoPanic);
    assert_eq!(saved, [v3(), other]);
}

#[test]
fn when_every_name_is_taken_nothing_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    for nth in 1..=100 {
        fs::write(folder.path().join(file_name(&v3().test, &v3().plan, nth)), "").unwrap();
    }
    check_error(
        save(folder.path(), &v3()),
        &["-100.jsonl: is the trace of another failure, as are 100 like it: remove"],
    );
    assert_eq!(names(folder.path()).len(), 100);
}

#[test]
fn a_saved_trace_may_be_read_by_everybody_whom_the_umask_lets() {
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain");
    fs::write(&plain, "").unwrap();
    let path = save(folder.path(), &v3()).unwrap();
    let mode = |path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(path), mode(plain));
}

#[test]
fn what_a_killed_writer_left_is_removed_by_the_next_one_and_what_a_living_one_writes_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let [left, old, lives, other] = [".refrain-aB3xYz.tmp", ".refrain-17-0.tmp", ".refrain-c9Lk2M.tmp", "a.tmp"]
        .map(|name| folder.path().join(name));
    for path in [&left, &old, &lives, &other] {
        fs::write(path, "half a tra").unwrap();
    }
    let lock = fs::File::open(&lives).unwrap();
    lock.lock().unwrap();
    let saved = save(folder.path(), &v3()).unwrap();
    let mut kept = [lives, other, saved];
    kept.sort();
    let mut found = names(folder.path());
    found.sort();
    assert_eq!(found, kept);
}

#[test]
fn a_trace_belongs_to_the_test_that_its_header_names() {
    let folder = tempfile::tempdir().unwrap();
    let test = v3().test;
    let of = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        is_of(&path, &test)
    };
    let other = V3.replacen("after_the_link_heals", "after_a_crash", 1);
    assert!(of("link.queries_recover_after_the_link_heals-723a.jsonl", V3), "a name of an earlier version");
    assert!(of("a bug of last week.jsonl", V3));
    assert!(!of("a.json", V3));
    assert!(!of("link.queries_recover_after_the_link_heals-723a-2.jsonl", &other));
    // If the file cannot be read, its name decides: the test must report the file.
    assert!(of("link.queries_recover_after_the_link_heals-0001.jsonl", "torn"));
    assert!(!of("link.queries_recover_after_the_link_heals_twice-0001.jsonl", "torn"));
}

#[test]
fn a_name_that_is_too_long_for_a_file_is_recognised() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Trace { test: format!("link::{}", "é".repeat(500)), ..v3() };
    let path = save(folder.path(), &trace).unwrap();
    assert!(is_of(&path, &trace.test));
    fs::write(&path, "torn").unwrap();
    assert!(is_of(&path, &trace.test));
}

#[test]
fn what_is_no_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    check_error(read(folder.path()), &["is a folder, expected a regular file: name one trace file"]);
    check_error(read(Path::new("/dev/zero")), &["/dev/zero: is a device, expected a regular file"]);
    check_error(
        read(&folder.path().join("none.jsonl")),
        &["none.jsonl: cannot read the trace: No such file", "check the path"],
    );
    check_error(read(Path::new("")), &["cannot read the trace"]);
}

#[test]
fn a_fifo_is_an_error_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    check_error(read(&path), &["a.jsonl: is a FIFO, expected a regular file"]);
    assert!(!is_of(&path, "a_test"));
    // Nor may one block the removal of temporary files.
    let left = folder.path().join(".refrain-aB3xYz.tmp");
    fs::rename(&path, &left).unwrap();
    save(folder.path(), &v3()).unwrap();
    assert!(left.exists());
}

#[test]
fn a_path_moves_no_cursor() {
    let error = read(Path::new("/none\u{1b}[2J\n\u{202e}.jsonl")).unwrap_err().to_string();
    assert!(error.starts_with(r"/none\u{1b}[2J\n\u{202e}.jsonl: cannot read"), "{error}");
}

#[test]
fn a_file_without_end_is_refused_after_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    check_error(read(&path), &["a.jsonl:1: has more than 67108864 bytes"]);
}
