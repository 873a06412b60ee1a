//! Any bytes from a peer, in pieces: messages, or an error; a message is the same when it is encoded and decoded again.
#![no_main]

use calcon::wire::{Decoder, REQUEST_BYTES_MAX, encode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &[u8])| {
    let (piece, bytes) = input;
    let mut decoder = Decoder::limited(REQUEST_BYTES_MAX);
    for piece in bytes.chunks(usize::from(piece).max(1)) {
        decoder.push(piece);
        loop {
            match decoder.next_message() {
                Ok(Some(message)) => {
                    let mut again = Decoder::default();
                    again.push(&encode(&message).expect("it fits"));
                    assert_eq!(again.next_message(), Ok(Some(message)));
                }
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
    let _ = decoder.finish();
});
