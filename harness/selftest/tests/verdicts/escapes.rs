//! What reaches out of the simulation is caught before it does.

use crate::{driver::Started, machine::system_call};
use nix::{libc, sys::signal, unistd};
use refrain::{
    World, report,
    verdict::{
        Class, Detail, Failure,
        Outside::{self, Files, Network, Processes, SystemCalls},
        Verdict,
    },
};
use refrain_core::job::Ran;
use serde_json::json;
use std::{
    env, fs,
    net::{SocketAddr, TcpStream},
    os::{fd::AsRawFd, unix::process::CommandExt},
    panic::Location,
    process::Command,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};
use tokio::{net::TcpListener, time::sleep};

/// A client that blocks, as many crates have one beside their async client.
#[refrain::test(runs = 1, expect = "escape")]
async fn a_real_connection_is_caught(world: World) {
    world.host("server", || async {
        let listener = TcpListener::bind("0.0.0.0:7").await?;
        let _connection = listener.accept().await?;
        std::future::pending::<std::io::Result<()>>().await
    });
    sleep(Duration::from_secs(1)).await;
    let client = world.client("client");
    client.run(async { TcpStream::connect("server:7").map(drop) }).await.unwrap();
}

/// A datagram of a socket that the simulation does not know.
#[refrain::test(runs = 1, expect = "escape")]
async fn a_real_datagram_is_caught(world: World) {
    world
        .client("client")
        .run(async {
            let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None).unwrap();
            socket.send_to(b"x", &"127.0.0.1:9".parse::<SocketAddr>().unwrap().into()).unwrap();
        })
        .await;
}

/// 127.0.0.1:9, as the kernel takes it.
static ADDRESS: libc::sockaddr_in = libc::sockaddr_in {
    sin_family: libc::AF_INET as u16,
    sin_port: 9u16.to_be(),
    sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes([127, 0, 0, 1]) },
    sin_zero: [0; 8],
};

/// Makes a system call on a UDP socket of the machine with [`ADDRESS`], without libc.
fn on_a_socket(number: i64) {
    let socket = system_call(libc::SYS_socket, [libc::AF_INET as usize, libc::SOCK_DGRAM as usize, 0, 0]);
    assert!(socket >= 0, "{socket}");
    system_call(number, [socket as usize, (&raw const ADDRESS) as usize, size_of_val(&ADDRESS), 0]);
}

/// A way out of a simulation.
struct Way {
    /// The line on which its call of [`way`] begins.
    line: u32,
    take: fn(),
    call: &'static str,
    outside: Outside,
    /// What the verdict says.
    said: &'static str,
}

#[track_caller]
const fn way(call: &'static str, outside: Outside, said: &'static str, take: fn()) -> Way {
    Way { line: Location::caller().line(), take, call, outside, said }
}

const NONE: [usize; 4] = [0; 4];

const WAYS: &[Way] = &[
    way("connect", Network, "to 127.0.0.1:9", || on_a_socket(libc::SYS_connect)),
    way("bind", Network, "to 127.0.0.1:9", || on_a_socket(libc::SYS_bind)),
    way("socket", Network, "family 16", || {
        let _ = system_call(libc::SYS_socket, [16, 3, 0, 0]);
    }),
    way("posix_spawnp", Processes, "another process: true", || drop(Command::new("true").spawn())),
    way("fork", Processes, "another process", || {
        let _ = unsafe { unistd::fork() };
    }),
    way("execve", Processes, "another process: /", || panic!("{}", Command::new("true").exec())),
    way("execve", Processes, "another process", || {
        let _ = system_call(libc::SYS_execve, [c"/bin/true".as_ptr() as usize, 0, 0, 0]);
    }),
    way("clone", Processes, "another process", || {
        let _ = system_call(libc::SYS_clone, [libc::SIGCHLD as usize, 0, 0, 0]);
    }),
    way("kill", Processes, "process 1", || {
        let _ = signal::kill(unistd::Pid::from_raw(1), None);
    }),
    way("ptrace", Processes, "another process", || {
        let _ = system_call(libc::SYS_ptrace, NONE);
    }),
    way("openat", Files, "outside of the workspace: /etc/shadow", || drop(fs::read("/etc/shadow"))),
    way("openat", Files, "outside of the workspace: /etc/shadow", || {
        drop(fs::read("../../../../../../../../../../../../etc/shadow"))
    }),
    way("openat", Files, "outside of the workspace: ../../../../../../../../../../../../etc/shadow", || {
        let here = fs::File::open(".").unwrap();
        let path = c"../../../../../../../../../../../../etc/shadow";
        let _ = unsafe { libc::openat(here.as_raw_fd(), path.as_ptr(), libc::O_RDONLY) };
    }),
    way("openat", Files, "outside of the workspace: /var/data.sorted", || drop(fs::read("/var/data.sorted"))),
    way("openat", Files, "outside of the workspace: /etc", || drop(fs::read_dir("/etc"))),
    way("io_uring_setup", SystemCalls, "no simulation has", || {
        let _ = system_call(libc::SYS_io_uring_setup, NONE);
    }),
    way("timerfd_create", SystemCalls, "no simulation has", || {
        let _ = unsafe { libc::timerfd_create(libc::CLOCK_MONOTONIC, 0) };
    }),
];

/// How many more lines such a call may have.
const LINES_MAX: u32 = 5;

/// Which of [`WAYS`] a run takes.
const WAY: &str = "REFRAIN_SELFTEST_WAY";

fn chosen() -> Option<&'static Way> {
    Some(&WAYS[env::var(WAY).ok()?.parse::<usize>().unwrap()])
}

async fn takes_its_way(world: World) {
    let Some(way) = chosen() else { return };
    world.client("client").run(async { (way.take)() }).await;
}

#[refrain::test(runs = 1)]
async fn leaves(world: World) {
    takes_its_way(world).await;
}

#[refrain::test(runs = 1, allow = ["network", "threads", "files", "system-calls"])]
async fn may_leave(world: World) {
    takes_its_way(world).await;
}

fn taken(test: &str, nth: usize) -> Verdict {
    let mut worker = Started::worker_with(&format!("verdicts::escapes::{test}"), WAY, &nth.to_string());
    serde_json::from_value::<Ran>(worker.record(json!({ "seed": 1 }))).unwrap().verdict
}

#[track_caller]
fn failure(verdict: Verdict, way: &Way) -> Failure {
    let Verdict::Failed(failure) = verdict else { panic!("{} of line {} passes", way.call, way.line) };
    assert_eq!(failure.class, Class::Escape, "line {}: {failure:#?}", way.line);
    failure
}

#[test]
fn every_way_out_is_caught_where_it_is_taken() {
    for (nth, way) in WAYS.iter().enumerate() {
        let failure = failure(taken("leaves", nth), way);
        let Detail::Escaped { call, outside, backtrace, .. } = &failure.detail else { panic!("{failure:#?}") };
        assert_eq!((&**call, *outside), (way.call, way.outside), "line {}", way.line);
        let places = backtrace.frames.iter().filter_map(|frame| frame.place.as_ref());
        assert!(
            places.clone().any(|place| (way.line..=way.line + LINES_MAX).contains(&place.line)),
            "line {}: {failure:#?}",
            way.line
        );
        let place = failure.place.as_ref().unwrap();
        assert!(place.file.starts_with("harness/selftest/tests/"), "line {}: {place}", way.line);
        let said = report::failure(&failure, report::Style::default());
        assert!(said.contains(way.said), "line {}: {said}", way.line);
        assert!(said.contains(&format!("`allow = [\"{}\"]`", way.outside.name())), "line {}: {said}", way.line);
    }
}

#[test]
fn what_a_test_allows_passes() {
    for (nth, way) in WAYS.iter().enumerate() {
        let verdict = taken("may_leave", nth);
        match way.outside {
            Outside::Processes => drop(failure(verdict, way)),
            _ => assert_eq!(verdict, Verdict::Passed, "line {}", way.line),
        }
    }
}

/// A destructor cannot be suspended: who holds the lock would never go on.
#[refrain::test(runs = 1, expect = "escape")]
async fn a_destructor_that_waits_for_a_thread_is_caught(world: World) {
    struct Locks(Arc<Mutex<()>>);
    impl Drop for Locks {
        fn drop(&mut self) {
            drop(self.0.lock());
        }
    }
    let client = world.client("client");
    client
        .run(async {
            let lock = Arc::new(Mutex::new(()));
            let locks = Locks(lock.clone());
            let task = tokio::spawn(async move {
                let _locks = locks;
                std::future::pending::<()>().await;
            });
            thread::spawn(move || {
                let _held = lock.lock();
                thread::sleep(Duration::from_secs(60));
            });
            sleep(Duration::from_secs(1)).await;
            task.abort();
            sleep(Duration::from_secs(1)).await;
        })
        .await;
}

/// Threads that a test allows are the kernel's.
#[refrain::test(runs = 1, allow = ["threads"])]
async fn real_threads_may_be_allowed(world: World) {
    let client = world.client("client");
    let real = client.run(async { thread::spawn(has_the_kernels_number).join().unwrap() });
    assert!(real.await);
}

/// Whether this thread has the kernel's number.
fn has_the_kernels_number() -> bool {
    system_call(libc::SYS_gettid, [0; 4]) != 2001
}

/// libc blocks signals when it starts a program.
#[refrain::test(runs = 1, expect = "escape")]
async fn a_program_that_libc_starts_is_caught(world: World) {
    // SAFETY: the command ends with a zero.
    world.client("client").run(async { unsafe { libc::system(c"true".as_ptr()) } }).await;
}

#[refrain::test(runs = 1, allow = ["processes"])]
async fn other_programs_may_be_allowed(world: World) {
    world.client("client").run(async { assert!(Command::new("true").status().unwrap().success()) }).await;
}

/// Blocking every signal does not disable the guard.
#[refrain::test(runs = 1)]
async fn blocked_signals_do_not_disturb_the_answers(world: World) {
    let client = world.client("client");
    let numbers = client.run(async {
        signal::SigSet::all().thread_block().unwrap();
        [std::process::id() as isize, system_call(libc::SYS_getpid, [0; 4])]
    });
    assert_eq!(numbers.await, [2001; 2]);
}

/// A signal to itself reaches a process by the number that it knows.
#[refrain::test(runs = 1, expect = "crash")]
async fn a_process_signals_itself(world: World) {
    let kill = || signal::kill(unistd::getpid(), signal::Signal::SIGTERM);
    world.client("client").run(async move { kill() }).await.unwrap();
}

/// The guard reads a path before the kernel does.
#[refrain::test(runs = 1)]
async fn a_path_that_cannot_be_read_is_refused_by_the_kernel(world: World) {
    let open = |path: usize| system_call(libc::SYS_openat, [libc::AT_FDCWD as usize, path, 0, 0]);
    let client = world.client("client");
    client
        .run(async move {
            let path = super::calls::without_end();
            assert_eq!(open(path), -libc::ENAMETOOLONG as isize);
            for unreadable in [path + 100, 0, 1, usize::MAX] {
                assert_eq!(open(unreadable), -libc::EFAULT as isize);
            }
        })
        .await;
}
