//! The tutorial's model.

mod sync {
    pub use refrain::sync::*;
}
#[path = "../src/session.rs"]
mod session;

use session::Session;
use std::sync::Arc;
use sync::thread;

#[refrain::model(complete)]
fn one_of_two_closes() {
    let session = Arc::new(Session::shared(2));
    let other = session.clone();
    let thread = thread::spawn(move || other.release());
    let closes = session.release();
    assert_ne!(closes, thread.join().unwrap());
}
