//! `crossbeam-channel`: a receiver looks whether there is a message, and then waits for it; it takes one if there is one.

use super::both;
use crossbeam_channel::{bounded, unbounded};
use refrain::sync::thread;

/// Another receiver may take the message in between.
#[refrain::model(expect = "deadlock")]
fn a_check_and_a_receive_are_two_steps() {
    let (sender, receiver) = unbounded();
    sender.send(1).unwrap();
    both(move || {
        if !receiver.is_empty() {
            receiver.recv().unwrap();
        }
    });
    drop(sender);
}

#[refrain::model(complete)]
fn a_message_is_received_once() {
    let (sender, receiver) = unbounded();
    sender.send(1).unwrap();
    let other = receiver.clone();
    let thread = thread::spawn(move || other.try_recv().is_ok());
    let is_mine = receiver.try_recv().is_ok();
    assert!(is_mine != thread.join().unwrap());
}

/// The receiver waits for the sender, and the sender for room.
#[refrain::model]
fn messages_arrive_in_their_order() {
    let (sender, receiver) = bounded(1);
    let thread = thread::spawn(move || {
        sender.send(1).unwrap();
        sender.send(2).unwrap();
    });
    assert_eq!(receiver.iter().collect::<Vec<_>>(), [1, 2]);
    thread.join().unwrap();
}

/// Without capacity, each waits for the other.
#[refrain::model(expect = "deadlock")]
fn two_that_send_first_without_capacity_deadlock() {
    let (ping, pinged) = bounded::<()>(0);
    let (pong, ponged) = bounded::<()>(0);
    let thread = thread::spawn(move || {
        pong.send(()).unwrap();
        pinged.recv().unwrap();
    });
    ping.send(()).unwrap();
    ponged.recv().unwrap();
    thread.join().unwrap();
}
