//! What happens to a trace on the way to the disk and back.

use super::*;

fn names(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[track_caller]
fn says(result: Result<impl std::fmt::Debug, TraceError>, parts: &[&str]) {
    let error = result.expect_err("an error").to_string();
    assert!(parts.iter().all(|part| error.contains(part)), "{error}");
}

#[test]
fn a_written_trace_replaces_the_old_one_and_leaves_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/traces/a.jsonl");
    let other = Trace { digest: "0".repeat(16), ..v2() };
    write(&path, &v2()).unwrap();
    write(&path, &other).unwrap();
    assert_eq!(read(&path).unwrap(), other);
    assert_eq!(names(path.parent().unwrap()), [path]);
}

#[test]
fn a_trace_that_cannot_be_put_in_its_place_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    fs::create_dir(&path).unwrap();
    says(write(&path, &v2()), &["a.jsonl: cannot put the trace in its place", "check the path"]);
    assert_eq!(names(folder.path()), [path]);
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("traces"), "a file").unwrap();
    says(write(&folder.path().join("traces/a.jsonl"), &v2()), &["cannot make the folder of the trace"]);
}

#[test]
fn a_trace_that_would_not_read_back_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    fs::write(&path, V2).unwrap();
    let mut trace = v2();
    trace.plan.holds[0].host = "a host".to_string();
    says(write(&path, &trace), &["a.jsonl: not written", "sentence 5", "expected \"at\""]);
    let huge = vec![trace.events[0].clone(); EVENTS_MAX + 1];
    says(write(&path, &Trace { events: huge, ..v2() }), &["not written", "more than 100000 events"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), V2);
    assert_eq!(names(folder.path()), [path]);
}

#[test]
fn a_reader_never_meets_half_a_trace() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    let long = Trace { events: vec![v2().events[8].clone(); 2_000], ..v2() };
    write(&path, &long).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for trace in [v2(), long.clone()].iter().cycle().take(20) {
                write(&path, trace).unwrap();
            }
        });
        while !writer.is_finished() {
            read(&path).unwrap();
        }
    });
}

#[test]
fn what_is_no_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    says(read(folder.path()), &["is a folder: name one trace file in it"]);
    says(
        read(&folder.path().join("none.jsonl")),
        &["none.jsonl: cannot read the trace: No such file", "check the path"],
    );
    says(read(Path::new("")), &["cannot read the trace"]);
}

#[test]
fn a_file_without_end_is_refused_after_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    says(read(&path), &["a.jsonl:1: has more than 67108864 bytes"]);
}
