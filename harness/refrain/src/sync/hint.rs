//! `std::hint`.

/// As `std::hint::spin_loop`; in a model others get their turn.
#[track_caller]
pub fn spin_loop() {
    match crate::interleaving::engine() {
        crate::interleaving::Engine::Std => std::hint::spin_loop(),
        _ => super::thread::yield_now(),
    }
}
