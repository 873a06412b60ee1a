//! What the tasks of `historic::q289795::an_audited_release_closes_twice` did to notes.session 1, each on a thread of its own.
//! Written by `cargo refrain model`.

mod sync {
    pub use refrain::sync::*;
}
// The tasks may not have done all that it can do.
#[allow(dead_code)]
#[path = "historic/q289795/session.rs"]
mod session;

use session::Session;
use std::sync::Arc;
use sync::thread;

/// On the network: `notes.session` 1 was closed although it was not open there
#[refrain::model(expect = "panic")]
fn historic_q289795_an_audited_release_closes_twice() {
    // 00:00:00.009 notes tests/historic/server.rs:52#2
    let session = Arc::new(Session::opened());
    // 00:00:00.010 notes tests/historic/server.rs:52
    session.acquired();
    let threads = [
        // 00:00:00.015 notes tests/historic/server.rs:52#2
        {
            let session = Arc::clone(&session);
            thread::spawn(move || session.released())
        },
        // 00:00:00.016 notes tests/historic/server.rs:52
        {
            let session = Arc::clone(&session);
            thread::spawn(move || session.released())
        },
    ];
    threads.into_iter().for_each(|thread| thread.join().expect("a thread ends"));
    session.at_rest();
}
