//! `cargo refrain`: explores, replays, shrinks and shows the runs of tests written with refrain.
fn main() {}
