//! The cache over restarts, with the production binary: it survives SIGKILL, and a damaged file is never served.

use crate::production::query;
use crate::{TWO_DAYS, eventually, exchange, folder, notes, printed, said};
use std::fs;
use std::thread::sleep;
use std::time::Duration;

#[test]
fn what_was_cached_survives_kill_9_and_damage_is_set_aside() {
    let folder = folder("cache");
    let file = folder.join("cache");
    let kept = ["--cache-file", file.to_str().expect("UTF-8")];
    let today = ["--days", "1"];
    let mut first = exchange("samples/exchange", &kept);
    said(&mut first, "cache read");
    let notes = notes("samples/notes", &first.address);
    first.wait_for("link up");
    eventually(&first.address, "carol@notes.example", &today);
    // A record is written a second after it was learnt.
    sleep(Duration::from_millis(1500));
    first.signal("KILL");
    first.wait_until_dead();
    drop(notes);
    let mut second = exchange("samples/exchange", &kept);
    said(&mut second, "cache read records=1");
    let answer = printed(query(&second.address, "carol@notes.example", &today), 0);
    assert!(answer.starts_with("carol@notes.example: cached, "), "{answer}");
    second.signal("KILL");
    second.wait_until_dead();
    assert!(!second.log.iter().any(|line| line.contains("5014")), "{:#?}", second.log);
    // The middle of the file is not what it was.
    let mut bytes = fs::read(&file).expect("read");
    let is_carol = |at: &usize| bytes[*at..].starts_with(b"carol");
    let found: Vec<usize> = (0..bytes.len()).filter(is_carol).collect();
    assert!(!found.is_empty(), "it is in there");
    found.iter().for_each(|at| bytes[*at..at + 5].copy_from_slice(b"grace"));
    fs::write(&file, bytes).expect("written");
    let mut third = exchange("samples/exchange", &kept);
    said(&mut third, "number=5014");
    said(&mut third, "cache read records=0");
    let refused = printed(query(&third.address, "carol@notes.example", &TWO_DAYS), 5);
    assert!(refused.contains("the link to the other side is down"), "{refused}");
    assert!(folder.join("cache.damaged-1").exists());
    assert_eq!(third.stop(), Some(0));
    fs::remove_dir_all(&folder).expect("removed");
}
