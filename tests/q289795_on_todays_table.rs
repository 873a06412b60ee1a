//! What the tasks of `historic::q289795::an_audited_release_closes_twice` did to notes.session 1, each on a thread of its own.
//! Written by `cargo refrain model`.

mod sync {
    pub use refrain::sync::*;
}
// The tasks may not have done all that it can do.
#[allow(dead_code)]
#[path = "historic/q289795/today.rs"]
mod today;

use std::sync::Arc;
use sync::thread;
use today::Session;

/// On the network: `notes.session` 1 was closed although it was not open there
#[refrain::model]
fn historic_q289795_an_audited_release_closes_twice() {
    // 00:00:00.009 notes tests/historic/server.rs:52#2
    let today = Arc::new(Session::opened());
    // 00:00:00.010 notes tests/historic/server.rs:52
    today.acquired();
    let threads = [
        // 00:00:00.015 notes tests/historic/server.rs:52#2
        {
            let today = Arc::clone(&today);
            thread::spawn(move || today.released())
        },
        // 00:00:00.016 notes tests/historic/server.rs:52
        {
            let today = Arc::clone(&today);
            thread::spawn(move || today.released())
        },
    ];
    threads.into_iter().for_each(|thread| thread.join().expect("a thread ends"));
    today.at_rest();
}
