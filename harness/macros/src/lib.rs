//! `#[refrain::test]` and `#[refrain::model]`: turn a function into a test that explores, replays and shrinks.
#![forbid(unsafe_code)]

use proc_macro::TokenStream;

mod attributes;
mod expand;

/// Turns an async function into a test: `cargo test` runs it many times in simulation, each time with different faults,
/// a different schedule and a different workload, and replays its saved traces.
///
/// Its first parameter is the `World`. Each further parameter is a workload argument: `#[any(STRATEGY)] name: Type`
/// draws it from a proptest strategy, a plain `name: Type` from `any::<Type>()`. Its type must be serializable with
/// serde.
///
/// Attributes, all optional:
///
/// - `runs = 500`: the number of runs under `cargo test`; default 200.
/// - `time_limit = "10m"`: the virtual time limit of a run, in `ms`, `s`, `m` or `h`; default 1 h.
/// - `poll_limit = "60s"`: how long one poll may compute or sleep before it counts as an endless loop; default 10 s.
///   Computing is measured in CPU time, so that a busy machine causes no failure.
/// - `memory = "4 GiB"`: the address space limit of a run, executable and stacks included, in `MiB` or `GiB`; a run that asks for more
///   is out of memory; default 2 GiB, at least 256 MiB. As many runs execute at a time as the machine has memory for.
/// - `expect = "stall"`: declares a seeded bug; the test fails if this class of failure is *not* caught.
/// - `without_holds`: disables holds, for a test that measures time or relies on its own steps being on time.
/// - `allow = ["files", "threads"]`: what a run may reach for outside of the simulation; anything else ends it with the verdict
///   *escape*. `"network"`: sockets of the machine. `"processes"`: other programs, forks, and signals to them; system calls that do not
///   go through libc are then not watched, because another program would not survive it. `"threads"`: threads that the service starts are
///   the kernel's, and run in any order; without it they are part of the simulation. `"files"`: files outside of the workspace and the
///   temporary directory. `"system-calls"`: what no other name covers, such as io_uring and timers of the kernel.
/// - `snapshot`: makes `insta` snapshots of what the service logs in the fault-free run, and of each trace's timeline.
///
/// `#[ignore]` below this attribute works as with `#[test]`. `#[should_panic]` is rejected, because a panic of the
/// service is a verdict: use `expect = "panic"`.
#[proc_macro_attribute]
pub fn test(attributes: TokenStream, item: TokenStream) -> TokenStream {
    expand::test(attributes.into(), item.into()).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// Turns a function into a model: `cargo test` executes it in many interleavings of its threads' operations, and
/// replays its saved traces.
///
/// Its threads and what they share come from `refrain::sync`, under the names of `std::sync`. First shuttle samples
/// executions, then loom searches all of them: without preemption, with one preemption, and so on.
///
/// Attributes, all optional:
///
/// - `runs = 50_000`: the number of executions under `cargo test`, half of them sampled; default 10,000.
/// - `complete`: requires loom's search to be complete; the test fails if it cannot be.
/// - `preemptions = 1`: uses only loom, with at most this many preemptions.
/// - `engine = "loom"` or `"shuttle"`: uses only this engine.
/// - `time_limit = "60s"`: how long one execution may compute or sleep before it counts as an endless loop; default 10
///   s. Computing is measured in CPU time, so that a busy machine causes no failure.
/// - `memory = "4 GiB"`: the address space limit of a process that makes executions; default 2 GiB.
/// - `expect = "deadlock"`: declares a seeded bug; the test fails if this class of failure is *not* caught.
/// - `snapshot`: makes an `insta` snapshot of each trace's timeline.
///
/// `#[ignore]` and `#[should_panic]` work as with [`macro@test`].
#[proc_macro_attribute]
pub fn model(attributes: TokenStream, item: TokenStream) -> TokenStream {
    expand::model(attributes.into(), item.into()).unwrap_or_else(|error| error.to_compile_error()).into()
}
