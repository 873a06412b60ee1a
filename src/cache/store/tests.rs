//! What is read is what was written, whatever the disk does: it fails, tears a write, fills up, loses what was not synced, or alters bytes.

use super::*;
use crate::freebusy::State;
use chrono::TimeZone;
use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 8, 3, 12, 0, 0).unwrap()
}

fn change(user: &str, hours: i64) -> Change {
    let window = Window::new(now(), now() + TimeDelta::hours(hours));
    let slots = vec![Slot { from: window.from, to: window.to, state: State::Busy }];
    let by = Identity::recorded("notes", "12ab");
    let record = Record { window, slots, since: Instant::now(), age_then: Duration::from_secs(60), by };
    ((user.to_owned(), Span::Today), Some(Arc::new(record)))
}

/// The batches of a workload. What each user has is told by the hours of its window.
fn batches() -> Vec<Vec<Change>> {
    let gone = (("bob".to_owned(), Span::Today), None);
    vec![
        vec![change("ada", 1), change("bob", 2)],
        vec![change("carol", 3), change("ada", 4)],
        vec![gone, change("dave", 5)],
    ]
}

type Contents = BTreeMap<String, i64>;

/// What the file has after each number of batches.
fn expected() -> Vec<Contents> {
    let mut contents = Contents::new();
    let mut all = vec![contents.clone()];
    for batch in batches() {
        for ((user, _), record) in batch {
            match record {
                Some(record) => drop(contents.insert(user, (record.window.to - record.window.from).num_hours())),
                None => drop(contents.remove(&user)),
            }
        }
        all.push(contents.clone());
    }
    all
}

fn contents(records: Vec<(Key, Record)>) -> Contents {
    records
        .into_iter()
        .map(|((user, _), record)| {
            assert_eq!(record.by, Identity::recorded("notes", "12ab"));
            assert_eq!(record.slots, [Slot { from: record.window.from, to: record.window.to, state: State::Busy }]);
            (user, (record.window.to - record.window.from).num_hours())
        })
        .collect()
}

/// What goes wrong at an operation.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Defect {
    /// It fails, and so does all that follows.
    Fails,
    /// Half of a write arrives, and all that follows fails.
    Tears,
    /// There is no room from now on: what is there can be read, and be written again.
    Full,
}

#[derive(Debug, Default)]
struct Medium {
    bytes: Vec<u8>,
    /// What is certainly there after a loss of power.
    synced: Vec<u8>,
    operations: usize,
    defect: Option<(usize, Defect)>,
}

/// A disk in memory. Its clones are the same disk.
#[derive(Debug, Clone, Default)]
struct Disk(Arc<Mutex<Medium>>);

impl Disk {
    fn medium(&self) -> std::sync::MutexGuard<'_, Medium> {
        self.0.lock().expect("nobody panics with it")
    }

    /// A disk with these bytes, which has a defect.
    fn with(bytes: Vec<u8>, defect: Option<(usize, Defect)>) -> Self {
        Self(Arc::new(Mutex::new(Medium { synced: bytes.clone(), bytes, operations: 0, defect })))
    }
}

impl Medium {
    /// Counts an operation; returns the defect if it is reached.
    fn step(&mut self) -> Option<(bool, Defect)> {
        self.operations += 1;
        let (at, defect) = self.defect?;
        (self.operations >= at).then_some((self.operations == at, defect))
    }
}

fn broken() -> io::Error {
    io::Error::other("the disk is broken")
}

fn full() -> io::Error {
    io::Error::new(ErrorKind::StorageFull, "the disk is full")
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        let mut medium = self.medium();
        match medium.step() {
            Some((_, Defect::Fails | Defect::Tears)) => Err(broken()),
            _ => Ok(medium.bytes.len() as u64),
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut medium = self.medium();
        if let Some((_, Defect::Fails | Defect::Tears)) = medium.step() {
            return Err(broken());
        }
        let from = offset as usize;
        out.copy_from_slice(medium.bytes.get(from..from + out.len()).ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut medium = self.medium();
        match medium.step() {
            Some((_, Defect::Fails | Defect::Tears)) => return Err(broken()),
            Some((_, Defect::Full)) if len as usize > medium.bytes.len() => return Err(full()),
            _ => {}
        }
        medium.bytes.resize(len as usize, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut medium = self.medium();
        if let Some((_, Defect::Fails | Defect::Tears)) = medium.step() {
            return Err(broken());
        }
        medium.synced = medium.bytes.clone();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut medium = self.medium();
        let (from, step) = (offset as usize, medium.step());
        let arrives = match step {
            Some((true, Defect::Tears)) => data.len() / 2,
            Some((_, Defect::Fails | Defect::Tears)) => return Err(broken()),
            // A sparse file may have no room for what it is long enough for.
            Some((_, Defect::Full)) => return Err(full()),
            None => data.len(),
        };
        medium.bytes.get_mut(from..from + arrives).ok_or(ErrorKind::UnexpectedEof)?.copy_from_slice(&data[..arrives]);
        if arrives < data.len() { Err(broken()) } else { Ok(()) }
    }
}

/// Writes the batches until something fails; returns how many are said to be on the disk.
fn work(disk: &Disk) -> usize {
    let Ok(store) = Store::over(disk.clone()) else { return 0 };
    batches().iter().take_while(|batch| store.write(batch, now()).is_ok()).count()
}

fn read(bytes: Vec<u8>) -> Result<Contents, Trouble> {
    Ok(contents(Store::over(Disk::with(bytes, None))?.records(now())?))
}

#[test]
fn what_was_written_is_read_with_its_age() {
    let disk = Disk::default();
    assert_eq!(work(&disk), batches().len());
    let store = Store::over(Disk::with(disk.medium().bytes.clone(), None)).expect("opened");
    let records = store.records(now() + TimeDelta::seconds(40)).expect("read");
    assert!(records.iter().all(|(_, record)| record.age_then >= Duration::from_secs(100)), "{records:?}");
    assert_eq!(contents(records), expected()[batches().len()]);
    // Those whose window is over are of no use, and those from a future have no age.
    assert_eq!(
        contents(store.records(now() + TimeDelta::hours(4)).expect("read")).keys().collect::<Vec<_>>(),
        ["dave"]
    );
    assert!(store.records(now() - TimeDelta::hours(1)).expect("read").is_empty());
    store.replace(&[change("eve", 7)], now()).expect("replaced");
    assert_eq!(contents(store.records(now()).expect("read")), Contents::from([("eve".to_owned(), 7)]));
}

#[test]
fn at_every_operation_that_goes_wrong_the_file_has_what_it_had_or_what_it_was_to_have() {
    let whole = Disk::default();
    work(&whole);
    let operations = whole.medium().operations;
    assert!(operations > 20, "{operations} operations");
    let expected = expected();
    for defect in [Defect::Fails, Defect::Tears, Defect::Full] {
        for at in 1..=operations {
            let disk = Disk::with(Vec::new(), Some((at, defect)));
            let written = work(&disk);
            let medium = disk.medium();
            let (bytes, synced) = (medium.bytes.clone(), medium.synced.clone());
            drop(medium);
            // Of what was not synced all may be there, or nothing, or every other page.
            let mut some = synced.clone();
            some.resize(bytes.len(), 0);
            for (n, page) in some.chunks_mut(512).enumerate().filter(|(n, _)| n % 2 == 0) {
                page.copy_from_slice(&bytes[n * 512..n * 512 + page.len()]);
            }
            for (what, bytes) in [("all", bytes), ("synced", synced), ("some", some)] {
                let allowed = &expected[written..=(written + 1).min(batches().len())];
                match read(bytes) {
                    Ok(contents) => {
                        assert!(allowed.contains(&contents), "{defect:?} at {at}, {what}: {contents:?} after {written}")
                    }
                    // Nothing was promised yet: the file is made anew.
                    Err(Trouble::Damaged(_)) if written == 0 => {}
                    Err(trouble) => panic!("{defect:?} at {at}, {what}, after {written}: {trouble:?}"),
                }
            }
        }
    }
}

#[test]
fn no_altered_byte_is_taken_for_an_answer() {
    let disk = Disk::default();
    work(&disk);
    let bytes = disk.medium().bytes.clone();
    let contents = expected().pop().expect("there is one");
    // All of the header, and of the pages enough for each field of each to be among them.
    let used: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != 0 && (*at < 512 || at % 7 == 0)).collect();
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let mut noticed = 0;
    for at in used {
        let mut altered = bytes.clone();
        altered[at] ^= 0x55;
        // redb may panic, which its keeper takes for damage.
        match catch_unwind(AssertUnwindSafe(|| read(altered))) {
            Ok(Ok(read)) if read == contents => {}
            Ok(Ok(read)) => panic!("byte {at}: {read:?}"),
            Ok(Err(Trouble::Damaged(_))) | Err(_) => noticed += 1,
            Ok(Err(trouble)) => panic!("byte {at}: {trouble:?} is no damage"),
        }
    }
    std::panic::set_hook(hook);
    assert!(noticed > 0);
}

#[test]
fn damaged_files_are_set_aside_and_no_more_than_some_are_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cache");
    for n in 1..=12 {
        fs::write(&path, "this is no database, and longer than its header would be ".repeat(20)).expect("written");
        assert!(matches!(Store::open(&path), Err(Trouble::Damaged(_))), "{n}");
        let name = set_aside(&path).expect("renamed");
        assert_eq!(name, folder.path().join(format!("cache.damaged-{}", n.min(9))));
    }
    let store = Store::open(&path).expect("made anew");
    assert!(store.records(now()).expect("read").is_empty());
    let second = Store::open(&path).expect_err("it is open");
    assert!(matches!(&second, Trouble::Failed(why) if why.contains("open")), "{second:?}");
    let trouble = Store::open(folder.path()).expect_err("a folder");
    assert!(matches!(&trouble, Trouble::Failed(why) if why.contains("no regular file")), "{trouble:?}");
}
