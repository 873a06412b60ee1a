//! `#[refrain::test]` and `#[refrain::model]`: make a fn a test that explores, replays and shrinks.
#![forbid(unsafe_code)]

use proc_macro::TokenStream;

mod attributes;
mod expand;

/// Makes an async fn a test: `cargo test` runs it many times in simulation, each time with other faults, another
/// schedule and another workload, and replays every saved trace of it.
///
/// Its first parameter is the `World`. Each further one is a workload argument: `#[any(STRATEGY)] name: Type` draws it
/// from a proptest strategy, a plain `name: Type` from `any::<Type>()`; its type goes to JSON and back with serde.
///
/// Attributes, all optional:
///
/// - `runs = 500`: how many runs `cargo test` makes; 200 unless this says otherwise.
/// - `time_limit = "10m"`: the virtual time at which a run is stopped, in `s`, `m` or `h`; 1 h.
/// - `poll_limit = "60s"`: how long one poll may compute or sleep; one that takes longer is an endless loop; 10 s. What it
///   computes is measured in processor time, so that a busy machine fails nothing.
/// - `expect = "stall"`: a seeded bug; the test fails if this class of failure is *not* caught.
/// - `without_holds`: no task is held back: for a test that measures time, or relies on its own steps being in time.
/// - `snapshot`: what the service logs in the run without faults, and each trace's timeline, are `insta` snapshots.
///
/// `#[ignore]` below this attribute means what it means for `#[test]`; `#[should_panic]` is refused, for a panic of the
/// service is a verdict: use `expect = "panic"`.
#[proc_macro_attribute]
pub fn test(attributes: TokenStream, item: TokenStream) -> TokenStream {
    expand::test(attributes.into(), item.into()).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// Makes a fn a model: `cargo test` runs it in many orders of its threads' operations, and replays every saved trace of it.
///
/// Its threads and what they share come from `refrain::sync`, under the names of `std::sync`. First shuttle samples
/// executions, then loom searches all of them: with no preemption, with one, and so on.
///
/// Attributes, all optional:
///
/// - `runs = 50_000`: how many executions `cargo test` makes, half of them sampled; 10,000 unless this says otherwise.
/// - `complete`: loom's search goes on until nothing is left; the test fails if it cannot.
/// - `preemptions = 1`: only loom, with at most this many preemptions.
/// - `engine = "loom"` or `"shuttle"`: only this one.
/// - `time_limit = "60s"`: how long one execution may compute or sleep; one that takes longer is an endless loop; 10 s. What
///   it computes is measured in processor time, so that a busy machine fails nothing.
/// - `expect = "deadlock"`: a seeded bug; the test fails if this class of failure is *not* caught.
/// - `snapshot`: each trace's timeline is an `insta` snapshot.
///
/// `#[ignore]` and `#[should_panic]` are as for [`macro@test`].
#[proc_macro_attribute]
pub fn model(attributes: TokenStream, item: TokenStream) -> TokenStream {
    expand::model(attributes.into(), item.into()).unwrap_or_else(|error| error.to_compile_error()).into()
}
