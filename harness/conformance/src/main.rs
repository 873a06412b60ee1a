//! Runs every case on the kernel and compares the outcomes with the record; `--save` makes the record.
//!
//! This package's test compares the simulated network with the same record. `ci/conformance` does both.
#![forbid(unsafe_code)]

extern crate kernel_tokio as tokio;

mod cases;
mod kernel;
mod network;
mod record;
mod seen;

use kernel as net;

use net::Net;
use record::Record;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    pin::Pin,
    process::{Command, ExitCode},
    sync::{Mutex, mpsc},
    thread,
    time::Duration,
};

/// The record, relative to the package's directory.
const RECORD: &str = "KERNEL.txt";
/// How often to try a case that has one outcome, and one that has several.
const TRIES_STEADY: usize = 3;
const TRIES_RACES: usize = 50;
/// Number of concurrent cases: they mostly wait.
const AT_ONCE: usize = 12;
/// Time limit of a case.
const LIMIT: Duration = Duration::from_secs(60);

/// The argument with which this program starts itself for a single case.
const ONE: &str = "--one";

/// A case.
struct Case {
    name: &'static str,
    /// Whether it needs namespaces.
    apart: bool,
    races: bool,
    run: fn(Net) -> Pin<Box<dyn Future<Output = ()>>>,
}

macro_rules! list {
    ($($place:ident $manner:ident $module:ident::$name:ident;)*) => {
        &[$(Case {
            name: stringify!($name),
            apart: list!(@ $place),
            races: list!(@ $manner),
            run: |net| Box::pin(cases::$module::$name(net)),
        }),*]
    };
    (@ loopback) => { false };
    (@ network) => { true };
    (@ steady) => { false };
    (@ races) => { true };
}

const CASES: &[Case] = cases::each_case!(list);

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let done = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => all(false),
        ["--save"] => all(true),
        [ONE, name, n] => one(name, n),
        _ => {
            eprintln!("usage: conformance [--save]");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(1)
        }
    }
}

/// Runs every case that can run here, and compares the outcomes with the record or makes it.
fn all(save: bool) -> Result<(), String> {
    let apart = net::may_join_namespaces();
    if let Err(why) = &apart {
        println!("without network namespaces: {why}");
    }
    let cases: Vec<_> = CASES.iter().filter(|case| apart.is_ok() || !case.apart).collect();
    let shown = measure(&cases);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(RECORD);
    let recorded = std::fs::read_to_string(&file).map(|text| record::parse(&text)).unwrap_or_default();
    if save { keep(&file, recorded, shown) } else { compare(&recorded, &shown) }
}

/// Prints for each case whether its outcomes match the record.
fn compare(recorded: &Record, shown: &Shown) -> Result<(), String> {
    let mut failed = 0;
    for case in CASES {
        let said = match shown.get(case.name) {
            None => "FAILED: it needs network namespaces: run it as root, with iproute2 and /dev/net/tun".to_owned(),
            Some(Err(why)) => format!("FAILED: {why}"),
            Some(Ok(outcomes)) => match differs(case, outcomes, recorded.get(case.name)) {
                None => "ok".to_owned(),
                Some(difference) => format!("FAILED{difference}"),
            },
        };
        failed += u32::from(said.starts_with("FAILED"));
        println!("kernel {} ... {said}", case.name);
    }
    if failed == 0 { Ok(()) } else { Err(format!("{failed} cases failed on the kernel")) }
}

/// Returns how the outcomes differ from the record. On a busy machine a rare outcome of a race may be missing.
fn differs(case: &Case, shown: &BTreeSet<String>, recorded: Option<&Vec<String>>) -> Option<String> {
    let Some(recorded) = recorded else { return Some(format!(": {} has no record: run with --save", case.name)) };
    let recorded: BTreeSet<_> = recorded.iter().cloned().collect();
    if *shown == recorded || case.races && shown.is_subset(&recorded) {
        return None;
    }
    let list = |outcomes: &BTreeSet<String>| outcomes.iter().map(|o| format!("\n    {o}")).collect::<String>();
    Some(format!("\n  the record says{}\n  the kernel shows{}", list(&recorded), list(shown)))
}

/// The outcomes of each case.
type Shown = BTreeMap<&'static str, Result<BTreeSet<String>, String>>;

/// Tries every case as often as necessary, several at a time.
fn measure(cases: &[&Case]) -> Shown {
    let tries = |case: &Case| if case.races { TRIES_RACES } else { TRIES_STEADY };
    let jobs: Vec<_> = cases.iter().flat_map(|case| std::iter::repeat_n(*case, tries(case))).enumerate().collect();
    let jobs = Mutex::new(jobs.into_iter());
    let (sender, receiver) = mpsc::channel();
    let mut shown = Shown::new();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            let (jobs, sender) = (&jobs, sender.clone());
            scope.spawn(move || {
                loop {
                    let Some((n, case)) = jobs.lock().expect("no thread panics while holding it").next() else {
                        return;
                    };
                    let _ = sender.send((case.name, attempt(case, n as u16)));
                }
            });
        }
        drop(sender);
        for (name, outcome) in receiver {
            let all = shown.entry(name).or_insert_with(|| Ok(BTreeSet::new()));
            match (outcome, all) {
                (Ok(outcome), Ok(all)) => drop(all.insert(outcome)),
                (Err(why), all) => *all = Err(why),
                (Ok(_), Err(_)) => {}
            }
        }
    });
    for case in cases.iter().filter(|case| !case.races) {
        if let Some(Ok(outcomes)) = shown.get(case.name)
            && outcomes.len() > 1
        {
            let all: Vec<_> = outcomes.iter().map(|outcome| format!("\n    {outcome}")).collect();
            shown.insert(case.name, Err(format!("it should have one outcome{}", all.concat())));
        }
    }
    shown
}

/// Tries a case once, in a separate process: a process forked here while a socket is open would keep it open.
fn attempt(case: &Case, n: u16) -> Result<String, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let ran = Command::new(program).args([ONE, case.name, &n.to_string()]).output().map_err(|e| e.to_string())?;
    let said = |bytes| String::from_utf8_lossy(bytes).trim().to_owned();
    if ran.status.success() { Ok(said(&ran.stdout)) } else { Err(said(&ran.stderr)) }
}

/// Runs a case in this process, in the nth network, and prints its outcome.
fn one(name: &str, n: &str) -> Result<(), String> {
    let case = CASES.iter().find(|case| case.name == name).ok_or_else(|| format!("there is no case {name}"))?;
    let n = n.parse::<u16>().map_err(|error| error.to_string())?;
    let net = if case.apart { Net::joined() } else { Net::on_loopback(n) };
    let net = net.map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    let limited = async { tokio::time::timeout(LIMIT, (case.run)(net.clone())).await };
    let in_time = runtime.block_on(limited).is_ok();
    let outcome = net.seen().outcome();
    if !in_time {
        return Err(format!("it did not end within {LIMIT:?}; so far: {outcome}"));
    }
    println!("{outcome}");
    Ok(())
}

/// Writes the record: the new outcomes, and the known ones of cases that cannot run here.
fn keep(file: &Path, mut record: Record, shown: Shown) -> Result<(), String> {
    let mut failed = 0;
    record.retain(|name, _| CASES.iter().any(|case| case.name == name));
    for (name, outcomes) in shown {
        match outcomes {
            Ok(outcomes) => drop(record.insert(name.to_owned(), outcomes.into_iter().collect())),
            Err(why) => {
                println!("kernel {name} ... FAILED: {why}");
                failed += 1;
            }
        }
    }
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let about = format!(
        "What an application sees on Linux {}: each case, and below it every outcome.\n\
         Written by `ci/conformance --save`; cases that race were tried {TRIES_RACES} times, the others {TRIES_STEADY} times.",
        release.split('-').next().unwrap_or_default().trim()
    );
    record::save(file, &about, &record).map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    println!("saved {} cases in {}", record.len(), file.display());
    if failed == 0 { Ok(()) } else { Err(format!("{failed} cases failed and are as they were")) }
}
