//! What a run reads of its machine is a function of the plan: `harness/refrain/DETERMINISM.md` says what is, and what is not.

use crate::{
    driver::{STARTED, Started, Which, ask, ask_in, refuse},
    machine::{processors_chance, system_call, time_stamp},
};
use nix::libc;
use refrain::event::{Event, Kind};
use refrain::{Faults, World};
use refrain_core::{
    job::{Answer, Ran},
    protocol::{Budget, Exploration, Outcome, Request},
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    hash::{BuildHasher, RandomState},
    hint::black_box,
    io::{self, Read},
    mem,
    net::ToSocketAddrs,
    path::Path,
    process::Command,
    ptr,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

/// A source, and how it is read; `None` if this machine does not have it.
type Source = (&'static str, fn() -> Option<String>);

/// The rows of the table.
const SOURCES: &[Source] = &[
    // It depends on what was allocated before, so it comes before what is the machine's chance without the filter.
    ("address on the heap", || Some(format!("{:p}", Box::new([0u8; 100])))),
    ("`getrandom` of libc", || Some(chance(|into| unsafe { libc::getrandom(into.cast(), 8, 0) }))),
    ("`syscall(SYS_getrandom)` of libc", || {
        Some(chance(|into| unsafe { libc::syscall(libc::SYS_getrandom, into, 8, 0) as isize }))
    }),
    ("`getrandom` without libc", || Some(chance(|into| system_call(libc::SYS_getrandom, [into as usize, 8, 0, 0])))),
    ("`/dev/urandom`", || Some(file_of_chance("/dev/urandom"))),
    ("`/dev/random`", || Some(file_of_chance("/dev/random"))),
    ("hashes of a `HashMap`", || Some(RandomState::new().hash_one(1).to_string())),
    ("fastrand", || Some(fastrand::u64(..).to_string())),
    ("name of a temporary file", || Some(format!("{:?}", tempfile::NamedTempFile::new().unwrap().path()))),
    ("canonical path of a temporary file", || {
        Some(format!("{:?}", tempfile::NamedTempFile::new().unwrap().path().canonicalize().unwrap()))
    }),
    ("path of an open temporary file", || Some(format!("{:?}", tempfile::NamedTempFile::new().unwrap().as_file()))),
    ("`SystemTime::now`", || Some(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos().to_string())),
    ("`Instant::now`", || Some(format!("{:?}", Instant::now()))),
    ("`clock_gettime` without libc", || {
        let mut now = [0u64; 2];
        system_call(libc::SYS_clock_gettime, [libc::CLOCK_REALTIME as usize, now.as_mut_ptr() as usize, 0, 0]);
        Some(format!("{now:?}"))
    }),
    ("memory of the machine", || {
        // SAFETY: of integers zeros are values, and there is room for the answer.
        let mut info: libc::sysinfo = unsafe { mem::zeroed() };
        unsafe { libc::sysinfo(&mut info) };
        Some(info.totalram.to_string())
    }),
    ("process number", || Some(std::process::id().to_string())),
    ("process number without libc", || Some(system_call(libc::SYS_getpid, [0; 4]).to_string())),
    // SAFETY: it has no arguments.
    ("thread number", || Some(unsafe { libc::gettid() }.to_string())),
    ("name of the machine", || {
        // SAFETY: of integers zeros are values, and there is room for the answer.
        let mut names: libc::utsname = unsafe { mem::zeroed() };
        unsafe { libc::uname(&mut names) };
        let text = |field: &[libc::c_char]| field.iter().map(|byte| *byte as u8 as char).collect::<String>();
        Some(text(&names.nodename) + &text(&names.release))
    }),
    ("number of processors", || Some(std::thread::available_parallelism().unwrap().to_string())),
    ("processors without libc", || {
        let mut set = [0u64; 16];
        let size = mem::size_of_val(&set);
        Some(system_call(libc::SYS_sched_getaffinity, [0, size, set.as_mut_ptr() as usize, 0]).to_string())
    }),
    ("name look-up of std", || Some(format!("{:?}", "client:80".to_socket_addrs().unwrap().collect::<Vec<_>>()))),
    ("time zone", || Some(format!("{:?}", std::fs::read("/etc/localtime").ok()))),
    ("variable of the environment", || Some(format!("{:?}", std::env::var_os("PATH")))),
    ("address on the stack", || {
        // A constant would be in the executable.
        let here = black_box(0u8);
        Some(format!("{:p}", ptr::from_ref(black_box(&here))))
    }),
    ("address of a function", || Some(format!("{:p}", file_of_chance as *const ()))),
    ("processor time that was used", || {
        // SAFETY: of integers zeros are values, and there is room for the answer.
        let mut usage: libc::rusage = unsafe { mem::zeroed() };
        unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) };
        Some(format!("{} {}", usage.ru_utime.tv_usec, usage.ru_minflt))
    }),
    ("`rdtsc`", || time_stamp().map(|now| now.to_string())),
    ("`rdrand`", || processors_chance().map(|chance| chance.to_string())),
];

fn chance(fill: impl FnOnce(*mut u8) -> isize) -> String {
    let mut bytes = [0; 8];
    assert_eq!(fill(bytes.as_mut_ptr()), 8);
    u64::from_le_bytes(bytes).to_string()
}

fn file_of_chance(path: &str) -> String {
    chance(|into| {
        let mut file = File::open(path).unwrap();
        // SAFETY: there is room for so many bytes.
        file.read(unsafe { std::slice::from_raw_parts_mut(into, 8) }).unwrap() as isize
    })
}

/// Some of it is not a function of the plan, as the table says: only the test below looks at it.
async fn read_all(world: World) {
    if std::env::var_os(STARTED).is_none() {
        return;
    }
    let read = || SOURCES.iter().map(|(name, read)| (*name, read())).collect::<Vec<_>>();
    let values = world.client("client").run(async move { read() }).await;
    for (name, value) in values.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        world.saw(format_args!("{name}: {value}"));
    }
}

#[refrain::test(runs = 1, without_holds)]
async fn reads_its_machine(world: World) {
    read_all(world).await;
}

/// As on a kernel without seccomp.
#[refrain::test(runs = 1, without_holds, allow = ["processes"])]
async fn reads_its_machine_unguarded(world: World) {
    read_all(world).await;
}

/// What a run of this seed has read.
fn read_by(worker: &mut Started, seed: u64) -> BTreeMap<String, String> {
    let ran: Value = worker.record(json!({ "seed": seed }));
    let ran: Ran = serde_json::from_value(ran).unwrap();
    assert_eq!(ran.verdict, refrain::verdict::Verdict::Passed);
    let saw = ran.events.into_iter().filter_map(|event| match event.kind {
        Kind::Saw { value } => value.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned())),
        _ => None,
    });
    saw.collect()
}

/// More than two: a source that differs rarely is found as well.
const SEEDS: u64 = 6;

/// Whether a source is the same in two processes, with random addresses as well, and whether it is another one for each seed.
struct Row {
    same: bool,
    same_anywhere: bool,
    seeds: usize,
}

fn rows(test: &str) -> HashMap<String, Row> {
    let mut workers = [Started::worker_as_usual(test), Started::worker_as_usual(test), Started::worker(test)];
    let mut rows: HashMap<String, Row> = HashMap::new();
    let mut values: HashMap<String, Vec<String>> = HashMap::new();
    for seed in 0..SEEDS {
        // The others have executed other runs before this one.
        for worker in &mut workers[1..] {
            read_by(worker, 1000 + seed);
        }
        let [one, other, anywhere] = workers.each_mut().map(|worker| read_by(worker, seed));
        for (name, value) in one {
            let row = rows.entry(name.clone()).or_insert(Row { same: true, same_anywhere: true, seeds: 0 });
            row.same &= other[&name] == value;
            row.same_anywhere &= row.same && anywhere[&name] == value;
            let values = values.entry(name).or_default();
            if !values.contains(&value) {
                values.push(value);
                row.seeds += 1;
            }
        }
    }
    rows
}

/// The cells of a source.
fn cells(row: &Row) -> [&'static str; 3] {
    let same = |same: bool| if same { "the same" } else { "differs" };
    let seeds = match row.seeds {
        _ if !row.same => "differs",
        1 => "the same",
        _ if row.seeds as u64 == SEEDS => "another for each",
        _ => "differs",
    };
    [same(row.same), same(row.same_anywhere), seeds]
}

#[test]
fn the_table_of_determinism_is_true() {
    let (guarded, unguarded) = (rows("sources::reads_its_machine"), rows("sources::reads_its_machine_unguarded"));
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../refrain/DETERMINISM.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut wrong = vec![];
    for (name, _) in SOURCES {
        let Some(row) = guarded.get(*name) else { continue };
        let [same, anywhere, seeds] = cells(row);
        let line = format!("| {name} | {same} | {anywhere} | {seeds} | {} |", cells(&unguarded[*name])[0]);
        if !page.lines().any(|said| said == line) {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "the table in DETERMINISM.md does not have these rows:\n{}", wrong.join("\n"));
}

#[refrain::test]
#[cfg(target_arch = "x86_64")]
async fn time_stamps_grow_with_virtual_time(world: World) {
    let stamps = world.client("client").run(async {
        let first = [time_stamp(), time_stamp()];
        tokio::time::sleep(Duration::from_secs(1)).await;
        first.into_iter().chain([std::thread::spawn(time_stamp).join().unwrap()]).flatten().collect::<Vec<_>>()
    });
    let [first, second, later] = stamps.await[..] else { panic!("three are read") };
    // Of 3 GHz.
    assert!(first < second && second - first < 1_000 && later - second > 2_999_999_000, "{first} {second} {later}");
}

/// Drawing its workload hashes, in the worker as well.
#[refrain::test(runs = 1)]
async fn hashes(world: World, words: HashMap<String, u8>) {
    let hash = world.client("client").run(async { RandomState::new().hash_one(1) }).await;
    world.saw(format_args!("{hash} {}", words.len()));
}

#[test]
fn a_workload_that_is_drawn_before_leaves_no_trace_in_thread_locals() {
    let [mut one, mut other] = ["sources::hashes"; 2].map(Started::worker_as_usual);
    for seed in 0..3 {
        let ran = [&mut one, &mut other].map(|worker| worker.record(json!({ "seed": seed })));
        assert_eq!(ran[0], ran[1]);
    }
}

/// Where both hosts have allocated while faults and holds took place, and who was answered.
#[refrain::test(runs = 1)]
async fn allocates(world: World, words: Vec<String>) {
    async fn serve() -> io::Result<()> {
        let listener = TcpListener::bind("0.0.0.0:7").await?;
        loop {
            let Ok((mut stream, _)) = listener.accept().await else { continue };
            tokio::spawn(async move {
                let mut asked = vec![0; 64];
                while let Ok(1..) = stream.read(&mut asked).await {
                    let answer = format!("{:p}\n", Box::new([0u8; 100]));
                    if stream.write_all(answer.as_bytes()).await.is_err() {
                        break;
                    }
                }
            });
        }
    }
    async fn ask(word: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect("server:7").await?;
        stream.write_all(format!("about {word}").as_bytes()).await?;
        let mut answer = vec![0; 64];
        let n = stream.read(&mut answer).await?;
        Ok(format!("{word} {:?} {:p}", &answer[..n], Box::new([0u8; 100])))
    }
    world.host("server", serve);
    let client = world.client("client");
    world.faults(Faults::between("client", "server").all());
    let asked = client.run(async move {
        let mut answers = vec![];
        for word in ["one", "two"].into_iter().chain(words.iter().map(String::as_str)) {
            answers.push(timeout(Duration::from_secs(1), ask(word)).await);
            sleep(Duration::from_millis(300)).await;
        }
        answers
    });
    for answer in asked.await {
        world.saw(format_args!("{answer:?}"));
    }
}

#[test]
fn where_memory_lies_depends_on_the_plan_alone() {
    const TEST: &str = "sources::allocates";
    let (mut one, mut other) = (Started::worker_as_usual(TEST), Started::worker(TEST));
    let mut answers = 0;
    for seed in 0..20 {
        let drawn: Ran = serde_json::from_value(one.record(json!({ "seed": seed }))).unwrap();
        let planned: Ran = serde_json::from_value(other.record(json!({ "plan": drawn.plan }))).unwrap();
        assert_eq!(drawn.events, planned.events, "seed {seed}");
        // Without a recording.
        let Answer::Ran(tried) = serde_json::from_value(one.ask(&json!({ "try": drawn.plan }))).unwrap() else {
            panic!("it is not tried");
        };
        assert_eq!(tried.digest, drawn.digest, "seed {seed}: {:?}", drawn.plan);
        let of_heap = |event: &&Event| matches!(&event.kind, Kind::Saw { value } if value.contains("0x2000"));
        answers += drawn.events.iter().filter(of_heap).count();
    }
    assert!(answers >= 40, "{answers}");
}

/// Libraries read these on their own: `whoami` does for each connection of sqlx, OpenTelemetry for each of its traces.
#[refrain::test(runs = 1)]
async fn files_that_name_the_machine_do_not_exist(world: World) {
    const PATHS: [&str; 7] = [
        "/etc/passwd",
        "/etc/group",
        "/etc/hostname",
        "/etc/machine-id",
        "/etc/os-release",
        "/etc/services",
        "/usr/share/zoneinfo/UTC",
    ];
    world
        .client("client")
        .run(async {
            for path in PATHS {
                assert_eq!(std::fs::read(path).unwrap_err().kind(), io::ErrorKind::NotFound, "{path}");
            }
            // SAFETY: it has no arguments. libc looks for the user in /etc/passwd.
            assert!(unsafe { libc::getpwuid(0) }.is_null());
        })
        .await;
}

#[refrain::test(runs = 2)]
async fn does_nothing(_world: World) {}

#[test]
fn a_system_without_filters_is_told_of() {
    let request = Request::explore(1, Budget::Runs(2), Some(1));
    let is_unguarded = |outcome: Outcome| match outcome {
        Outcome::Explored(Exploration { caught: None, machine, .. }) => {
            let said = refrain::report::machine(machine).contains("no seccomp filters");
            assert_eq!(said, machine.is_unguarded);
            said
        }
        other => panic!("{other:?}"),
    };
    let mut without = Command::new(std::env::current_exe().unwrap());
    refuse(&mut without, libc::SYS_seccomp, Which::All);
    assert!(is_unguarded(ask_in(without, "sources::does_nothing", &request)));
    assert!(!is_unguarded(ask("sources::does_nothing", &request)));
}
