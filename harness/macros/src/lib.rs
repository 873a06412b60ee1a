//! `#[refrain::test]`: makes an async fn a test that explores, replays and shrinks.
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
/// - `poll_limit = "60s"`: how long one poll may take in real time; one that takes longer is an endless loop; 10 s.
/// - `expect = "stall"`: a canary; the test fails if this class of failure is *not* caught.
/// - `snapshot`: what the service said in the run without faults, and each trace's timeline, are `insta` snapshots.
#[proc_macro_attribute]
pub fn test(attributes: TokenStream, item: TokenStream) -> TokenStream {
    expand::test(attributes.into(), item.into()).unwrap_or_else(|error| error.to_compile_error()).into()
}
