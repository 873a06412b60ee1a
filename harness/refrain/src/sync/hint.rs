//! `std::hint`.

/// Like `std::hint::spin_loop`. In a model it lets other threads run.
#[track_caller]
pub fn spin_loop() {
    match crate::interleaving::engine() {
        crate::interleaving::Engine::Std => std::hint::spin_loop(),
        _ => super::thread::yield_now(),
    }
}
