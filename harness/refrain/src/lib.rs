//! Deterministic replay and fault-injection tests for tokio services: the same failure, every time.
//!
//! A test describes hosts, a workload and what must hold. Refrain runs it hundreds of times in a simulated world, each
//! time with different faults, a different schedule and a different workload. It shrinks a run that fails and saves it
//! as a text file. Anyone can replay that file months later, on another machine, and see the same failure at the same
//! step.
//!
//! This page is a tutorial. Its code is tested in `examples/echo`.
//!
//! # Set up
//!
//! In the directory of a service that uses tokio:
//!
//! ```text
//! cargo refrain init
//! ```
//!
//! It adds the dev-dependency, a compiler flag, and a patch that replaces tokio in the whole graph, and prints what it changes.
//! `cargo build` and `cargo run` link tokio itself; `cargo test` runs in simulation, with every dependency that uses tokio. Git ignores
//! the generated directory `.refrain/`: run `cargo refrain sync` in a new clone.
//!
//! A service needs no patch if no dependency uses tokio:
//!
//! ```toml
//! [dependencies]
//! tokio = { package = "refrain-tokio", version = "0.1", features = ["full"] } # plain tokio in production
//!
//! [dev-dependencies]
//! refrain = "0.1" # turns simulation on, in tests only
//! ```
//!
//! and in `.cargo/config.toml`:
//!
//! ```toml
//! [build]
//! rustflags = ["--cfg", "madsim"]
//! rustdocflags = ["--cfg", "madsim"]
//! ```
//!
//! # A service
//!
//! The service does not know that it is tested. This one echoes what it receives:
//!
//! ```no_run
//! use std::{io, time::Duration};
//! use tokio::{
//!     io::{AsyncReadExt, AsyncWriteExt},
//!     net::{TcpListener, TcpStream},
//!     time::{sleep, timeout},
//! };
//!
//! /// Delay after a failed accept.
//! const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
//!
//! /// Echoes on every connection.
//! pub async fn serve(at: &str) -> io::Result<()> {
//!     let listener = TcpListener::bind(at).await?;
//!     loop {
//!         let Ok((stream, _)) = listener.accept().await else {
//!             // Usually too many open files: existing connections continue, and close in time.
//!             sleep(ACCEPT_PAUSE).await;
//!             continue;
//!         };
//!         tokio::spawn(async move {
//!             // A reset by the peer is not an error of the server.
//!             let _ = answer(stream).await;
//!         });
//!     }
//! }
//!
//! async fn answer(mut stream: TcpStream) -> io::Result<()> {
//!     let mut buffer = [0; 1024];
//!     loop {
//!         let n = stream.read(&mut buffer).await?;
//!         if n == 0 {
//!             return Ok(());
//!         }
//!         stream.write_all(&buffer[..n]).await?;
//!     }
//! }
//! ```
//!
//! Its client sends messages and waits for the answers:
//!
//! ```no_run
//! # use std::io;
//! # use tokio::{io::{AsyncReadExt, AsyncWriteExt}, net::TcpStream};
//! async fn exchange(at: &str, messages: &[Vec<u8>]) -> io::Result<Vec<Vec<u8>>> {
//!     let mut stream = TcpStream::connect(at).await?;
//!     let mut answers = vec![];
//!     for message in messages {
//!         stream.write_all(message).await?;
//!         let mut answer = vec![0; message.len()];
//!         stream.read_exact(&mut answer).await?;
//!         answers.push(answer);
//!     }
//!     Ok(answers)
//! }
//! ```
//!
//! # A first test
//!
//! A [`World`] has hosts. A host runs a process of the service, and other hosts reach it by its name. A client is a
//! host on which the test itself runs code. All further parameters of a test are its workload, which proptest
//! generates.
//!
//! ```no_run
//! use refrain::{Faults, World};
//! use std::time::Duration;
//!
//! #[refrain::test(runs = 500)]
//! async fn what_is_sent_comes_back(world: World, messages: Vec<Vec<u8>>) {
//!     world.host("server", || echo::serve("0.0.0.0:7"));
//!     let asked = messages.clone();
//!     let answers = world.client("client").run(async move { echo::ask("server:7", &asked).await });
//!     assert_eq!(answers.await.unwrap(), messages);
//! }
//! ```
//!
//! `cargo test` runs it like any other test, 500 times. Every run is a separate process with its own virtual clock, so
//! that waiting takes no real time and no run affects the next one.
//!
//! # Faults
//!
//! [`Faults`] define what may go wrong, and between which hosts. Each run draws a few of them, or none: *what* is cut,
//! killed, lost, refused or slow, *where*, and *when*, at a time or at an event such as "when server reads from client
//! the 1st time". An exploration reports how often each kind of fault met connections in each state, and which
//! combinations it never reached. [`World::heal`] ends all faults. What must hold after that is a property with a limit
//! in virtual time:
//!
//! ```no_run
//! # use refrain::{Faults, World};
//! # use std::time::Duration;
//! #[refrain::test(runs = 500)]
//! async fn answers_come_again_after_the_network_heals(world: World) {
//!     world.host("server", || echo::serve("0.0.0.0:7"));
//!     let client = world.client("client");
//!     world.faults(Faults::between("server", "client").all());
//!     let _ = client.run(async { echo::ask("server:7", &[b"before".to_vec()]).await }).await;
//!     world.heal().await;
//!     world
//!         .eventually(Duration::from_secs(60), "an answer comes", || async {
//!             echo::ask("server:7", &[b"after".to_vec()]).await
//!         })
//!         .await;
//! }
//! ```
//!
//! # Holds
//!
//! A scheduler may run ready tasks in any order, and may delay a task for a long time. In every second run some tasks
//! are *held* at one of their polls: until no other task can run, or for a virtual duration between 1 ms and 16 s. This
//! finds races between tasks in few runs. A hold is part of the plan: it is printed, saved, replayed and shrunk like a
//! fault, as in `hold the 1st task spawned on server at src/link.rs:88 at its 3rd poll until nothing else can run`.
//!
//! Holds occur in tests without faults, too. A test that measures durations, or relies on its own steps being on time,
//! disables them: `#[refrain::test(without_holds)]`. After [`World::heal`] no task is held for a duration.
//!
//! # A failure
//!
//! Suppose that `ask` only called `exchange`. Nearly all runs pass. One does not:
//!
//! ```console
//! FAILED deadlock: no task can make progress: all of them wait
//!   client: the task spawned at harness/refrain/examples/echo/tests/echo.rs:19 waits to read from client:49152 -> server:7 (half-open: server has lost power since), since 00:00:00.006, no deadline
//!   last fault affecting it: crash server at 00:00:00.009 for 1 ms
//!   plan   seed 3081251696030599739
//!          crash server when server reads from client the 1st time and reboot it after 1 ms
//!   saved  traces/answers_come_again_after_the_network_heals-f948.jsonl  (1 fault, 14 events)
//!   replay cargo refrain replay traces/answers_come_again_after_the_network_heals-f948.jsonl
//! ```
//!
//! The server lost power just after it had read the message. A millisecond later it was back and did not know the
//! connection. The client had nothing left to send that the server could have answered with a reset, so it waits
//! forever. The verdict names the waiting task, its socket with the socket's state, since when it waits, and the fault
//! that caused it. The run had several faults; shrinking left one of them.
//!
//! # Replay, show, shrink
//!
//! ```console
//! $ cargo refrain show traces/answers_come_again_after_the_network_heals-f948.jsonl
//! answers_come_again_after_the_network_heals
//!   seed 3081251696030599739
//!   crash server when server reads from client the 1st time and reboot it after 1 ms
//! ...
//! ```
//!
//! A plan reads like a bug report. Its trigger is an event, so the trace survives most edits of the code. `cargo
//! refrain replay` executes it again. The result is *reproduced*, for the same events and the same failure, or for the
//! same failure in a run that diverges at some event; *passes now*; *stale*, if it passes but parts of its plan were
//! not triggered, with what came closest to them; or *differs*, if it fails in a different way. `cargo test` fails for
//! a stale trace. `--until 8` stops before event 8 and reports what every task waits for.
//!
//! Moved lines do not matter: a trace stores the function and the text of the line where a held task is spawned, and a
//! replay finds them in the current source. `cargo refrain shrink` continues to shrink a plan. `show` ends with every
//! socket at the time of the verdict, as `ss` prints them.
//!
//! # The fix, and the regression test
//!
//! The client was wrong: only a deadline distinguishes a slow peer from a dead one.
//!
//! ```no_run
//! # use std::{io, time::Duration};
//! # use tokio::time::timeout;
//! # async fn exchange(_: &str, _: &[Vec<u8>]) -> io::Result<Vec<Vec<u8>>> { Ok(vec![]) }
//! /// Time limit for all answers. A server that lost power sends nothing, not even a reset; a slow one is not dead yet.
//! const ANSWERS_WITHIN: Duration = Duration::from_secs(30);
//!
//! /// Sends every message and returns the answers.
//! pub async fn ask(at: &str, messages: &[Vec<u8>]) -> io::Result<Vec<Vec<u8>>> {
//!     timeout(ANSWERS_WITHIN, exchange(at, messages)).await?
//! }
//! ```
//!
//! Commit the trace with the fix. From now on `cargo test` replays it: if the failure ever returns, that test fails
//! immediately, before it explores. `cargo refrain explore --for 10m` looks for the next failure, from a new seed.
//!
//! # Threads
//!
//! What several threads share is tested separately, as a model: a plain function, executed in every interleaving of its
//! threads' operations. The code under test imports its primitives from `super::sync`, which in the service is `pub use
//! std::sync::*`:
//!
//! ```no_run
//! # mod sync { pub use refrain::sync::*; }
//! # mod session {
//! use super::sync::atomic::{AtomicUsize, Ordering::AcqRel};
//!
//! /// A shared session; its last holder closes it.
//! pub struct Session(AtomicUsize);
//!
//! impl Session {
//!     /// Creates a session with this many holders.
//!     pub fn shared(by: usize) -> Session {
//!         Session(AtomicUsize::new(by))
//!     }
//!
//!     /// Releases it; returns whether this was the last holder.
//!     pub fn release(&self) -> bool {
//!         self.0.fetch_sub(1, AcqRel) == 1
//!     }
//! }
//! # }
//! # fn main() {}
//! ```
//!
//! A test compiles the same file with [`sync`]:
//!
//! ```text
//! mod sync {
//!     pub use refrain::sync::*;
//! }
//! #[path = "../src/session.rs"]
//! mod session;
//! ```
//!
//! ```no_run
//! # use refrain::sync::thread;
//! # use std::sync::Arc;
//! # struct Session;
//! # impl Session { fn shared(_: usize) -> Session { Session } fn release(&self) -> bool { true } }
//! #[refrain::model(complete)]
//! fn one_of_two_closes() {
//!     let session = Arc::new(Session::shared(2));
//!     let other = session.clone();
//!     let thread = thread::spawn(move || other.release());
//!     let closes = session.release();
//!     assert_ne!(closes, thread.join().unwrap());
//! }
//! ```
//!
//! shuttle samples interleavings, then loom searches all of them: first those without preemption, then those with one,
//! and so on, so that the first failure has the fewest preemptions. loom also models which old values a load may
//! return. The report states for each model how far the search got and whether it was *complete*, and for each engine
//! what it explored; `cargo refrain explore --verbose` and `cargo test -- --nocapture` print it for every model. A
//! failure is saved, replayed, shrunk and shown like any other; its timeline has one column per thread. `expect`
//! declares a seeded bug here, too.
//!
//! A limit of an engine, such as a sixth thread under loom, is reported as a limit and never as a failure. If a model was
//! only sampled, the report says so: data races were looked for, stale reads in few executions. loom does not keep `SeqCst`
//! accesses in one total order, and lets a read-modify-write skip a store that it must follow, so a failure that it reports
//! may be impossible: refrain checks these orders itself, searches again, and reports such a failure as *not confirmed*. A
//! relaxed access remains relaxed, and what follows from it is a failure.
//!
//! # Beyond the network
//!
//! - [`World::always`] checks a property after every poll. [`World::conserves`] checks that each resource that the
//!   service reports as opened, in its own `tracing` events, is closed exactly once. [`World::sometimes`] checks that
//!   some run reaches a point, [`World::never`] that none does, and [`World::invariants`] checks what the service itself
//!   states. [`World::linearizable`] checks that one order of what clients did explains all their answers.
//!   [`World::compare`] makes calls that a model draws, and compares each answer with the model's.
//! - A process that exits by itself is a failure, unless [`Host::may_exit`] allows it. So is a panic of a task, unless
//!   [`World::may_panic`] allows it.
//! - A test may return a `Result`: an error fails it, and is reported with its chain of sources.
//! - `#[refrain::test(expect = "stall")]` declares a seeded bug, a defect kept on purpose. The test fails if it is
//!   *not* caught.
//! - `#[refrain::test(snapshot)]` asserts with `insta` what the service logs in the fault-free run.
//! - A service that reaches for its machine ends the run with the verdict *escape*: the call, its line in the service, and what to do. That is a
//!   real socket, another program, a thread, a file outside of the workspace and the temporary directory. `#[refrain::test(allow =
//!   ["files"])]` lets a test's runs do it. Chance, clocks, the number of the process and the like are answered by the plan.
//! - A run can also crash, exit, loop forever or exhaust its memory; each of these is a separate [`verdict::Class`]. A
//!   service that reads something from outside the simulation, so that two runs of a plan differ, is detected, too. The verdict
//!   *nondeterminism* names the first call that had another answer in each run, with both answers and its backtrace: the `read` of a file,
//!   a folder's entries, a file's times, `getrusage`. If no call had, it lists what remains.

mod driver;
mod engine;
pub mod history;
mod interleaving;
pub mod oracle;
mod package;
mod simulation;
pub mod sync;
mod test;
mod worker;
mod world;

use refrain_core::{anchor, graph, job, protocol, seed, shrink, sources};
pub use refrain_core::{
    event, place,
    plan::{
        self,
        fault::{self, Faults},
    },
    socket, trace, verdict,
};
pub use refrain_report as report;

/// # Examples
///
/// ```
/// use refrain::World;
/// # use std::io;
///
/// #[refrain::test(runs = 20)]
/// async fn what_is_sent_comes_back(world: World, message: Vec<u8>, #[any(1..5usize)] times: usize) -> io::Result<()> {
///     world.host("server", || echo::serve("0.0.0.0:7"));
///     let messages = vec![message; times];
///     let asked = messages.clone();
///     let answers = world.client("client").run(async move { echo::ask("server:7", &asked).await }).await?;
///     assert_eq!(answers, messages);
///     Ok(())
/// }
/// # what_is_sent_comes_back();
/// ```
///
/// # Errors
///
/// A test may return `()` or a `Result`. An error fails the test like a panic; see [`Exit`] for what it may be.
///
/// # Panics
///
/// The test panics, as libtest expects, with the verdict on the first failing run.
pub use refrain_macros::test;

/// # Examples
///
/// ```
/// use refrain::sync::{Arc, atomic::{AtomicUsize, Ordering::Relaxed}, thread};
///
/// #[refrain::model(complete)]
/// fn both_increments_count() {
///     let count = Arc::new(AtomicUsize::new(0));
///     let other = count.clone();
///     let thread = thread::spawn(move || other.fetch_add(1, Relaxed));
///     count.fetch_add(1, Relaxed);
///     thread.join().unwrap();
///     assert_eq!(count.load(Relaxed), 2);
/// }
/// # both_increments_count();
/// ```
///
/// # Errors
///
/// A model may return `()` or a `Result`. An error fails the test like a panic.
///
/// # Panics
///
/// The test panics, as libtest expects, with the verdict on the first failing execution.
pub use refrain_macros::model;

pub use {
    simulation::Seen,
    tokio::control::{Overflow, Sysctl},
    world::{
        Answer, Client, Host, World,
        exit::{self, Exit},
    },
};

/// Faults written by a test itself; see [`World::rule`].
pub mod rule {
    pub use tokio::control::{Decision, Operation, Packet, PacketKind, Rule};
}

/// What the attribute macros expand to.
#[doc(hidden)]
pub mod __private {
    pub use crate::{
        driver::{Snapshot, run},
        interleaving::{Model, prepare_dependencies},
        simulation::{Parameter, Scenario, argument},
        test::Test,
        verdict::{Class, Outside},
        world::{exit::succeed, world},
    };
    pub use insta;
    pub use proptest::arbitrary::any;
}
