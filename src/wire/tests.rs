//! Properties of the wire format, for any message and any bytes.

use super::*;
use crate::answer::{Code, Source};
use crate::console::Task;
use crate::freebusy::{Slot, State};
use crate::session::User;
use chrono::{DateTime, Utc};
use proptest::prelude::*;

fn instant() -> impl Strategy<Value = DateTime<Utc>> {
    (0..4_000_000_000_i64).prop_map(|secs| DateTime::from_timestamp(secs, 0).expect("in range"))
}

fn slot() -> impl Strategy<Value = Slot> {
    let states =
        [State::Free, State::WorkingElsewhere, State::Tentative, State::Unknown, State::Busy, State::OutOfOffice];
    let state = prop::sample::select(states.to_vec());
    (instant(), instant(), state).prop_map(|(from, to, state)| Slot { from, to, state })
}

fn answer() -> impl Strategy<Value = Answer> {
    let source = prop_oneof![Just(Source::Live), Just(Source::Cached), Just(Source::Stale)];
    (any::<String>(), instant(), instant(), prop::collection::vec(slot(), 0..20), source, any::<u64>())
        .prop_map(|(user, from, to, slots, source, age_secs)| Answer { user, from, to, slots, source, age_secs })
}

fn user() -> impl Strategy<Value = User> {
    let words = (any::<String>(), any::<String>(), any::<bool>());
    (words, any::<u32>(), any::<u64>(), any::<u64>(), any::<u64>()).prop_map(
        |((session, holder, closing), in_use, uses, open_secs, idle_secs)| User {
            session,
            holder,
            closing,
            in_use,
            uses,
            open_secs,
            idle_secs,
        },
    )
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        Just(Command::ShowUsers),
        Just(Command::ShowTasks),
        Just(Command::SyncNow),
        Just(Command::Reload),
        any::<String>().prop_map(|session| Command::Drop { session }),
        any::<String>().prop_map(|task| Command::Load { task }),
        any::<String>().prop_map(|task| Command::Quit { task }),
    ]
}

fn task() -> impl Strategy<Value = Task> {
    let words = (any::<String>(), any::<String>(), any::<String>());
    let of_session = (any::<Option<String>>(), any::<Option<String>>(), any::<Option<String>>());
    (words, of_session, any::<u64>(), any::<u64>(), any::<u64>()).prop_map(
        |((name, status, server), (holder, session, why), requests, answer_ms_avg, answer_ms_max)| Task {
            name,
            status,
            server,
            requests,
            answer_ms_avg,
            answer_ms_max,
            holder,
            session,
            why,
        },
    )
}

fn report() -> impl Strategy<Value = Report> {
    let users = (prop::collection::vec(user(), 0..20), any::<usize>());
    prop_oneof![
        users.prop_map(|(users, sessions_max)| Report::Users { users, sessions_max }),
        prop::collection::vec(task(), 0..4).prop_map(|tasks| Report::Tasks { tasks }),
        Just(Report::Dropped),
        Just(Report::Started),
        Just(Report::Reloaded),
    ]
}

fn message() -> impl Strategy<Value = Message> {
    let role = prop_oneof![
        Just(Role::Client),
        Just(Role::AddIn),
        Just(Role::Exchange),
        Just(Role::Notes),
        Just(Role::Console)
    ];
    let query = (any::<String>(), instant(), instant()).prop_map(|(user, from, to)| Query { user, from, to });
    prop_oneof![
        (role, any::<u64>(), any::<u64>(), proptest::option::of("[a-z]{0,40}")).prop_map(
            |(role, epoch, boot, token)| {
                Message::Hello { version: VERSION, role, epoch, boot, token: token.map(|token| Secret::new(&token)) }
            }
        ),
        (any::<u64>(), any::<u64>(), any::<u64>(), query).prop_map(|(id, epoch, deadline_ms, query)| Message::Query {
            id,
            epoch,
            deadline_ms,
            query
        }),
        (any::<u64>(), any::<u64>(), answer()).prop_map(|(id, epoch, answer)| Message::Answer { id, epoch, answer }),
        (any::<u64>(), any::<u64>(), any::<String>()).prop_map(|(id, epoch, text)| Message::Error {
            id,
            epoch,
            refusal: Refusal::new(Code::Busy, text)
        }),
        (any::<u64>(), command()).prop_map(|(id, command)| Message::Command { id, command }),
        (any::<u64>(), report()).prop_map(|(id, report)| Message::Report { id, report }),
        any::<u64>().prop_map(|nonce| Message::Ping { nonce }),
        any::<u64>().prop_map(|nonce| Message::Pong { nonce }),
    ]
}

/// Decodes the bytes in pieces that end at the cuts, and returns every message and the error that ended it, if any.
fn decode(bytes: &[u8], cuts: &[usize]) -> (Vec<Message>, Option<WireError>) {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).chain([bytes.len()]).collect();
    ends.sort_unstable();
    let mut decoder = Decoder::default();
    let mut messages = Vec::new();
    let mut start = 0;
    for end in ends {
        decoder.push(&bytes[start..end]);
        start = end;
        loop {
            match decoder.next_message() {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => return (messages, Some(error)),
            }
        }
    }
    (messages, decoder.finish().err())
}

fn frame(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32).to_be_bytes(), body].concat()
}

proptest! {
    #[test]
    fn messages_survive_any_split_of_their_bytes(
        messages in prop::collection::vec(message(), 0..5), cuts in prop::collection::vec(any::<usize>(), 0..20),
    ) {
        let bytes: Vec<u8> = messages.iter().flat_map(|message| encode(message).expect("fits")).collect();
        prop_assert_eq!(decode(&bytes, &cuts), (messages, None));
    }

    #[test]
    fn garbage_never_panics_and_reads_the_same_in_any_pieces(
        bytes in prop::collection::vec(any::<u8>(), 0..200), cuts in prop::collection::vec(any::<usize>(), 0..20),
    ) {
        prop_assert_eq!(decode(&bytes, &cuts), decode(&bytes, &[]));
    }

    #[test]
    fn garbage_in_a_frame_is_named_garbage(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let (messages, error) = decode(&frame(&body), &[]);
        prop_assert!(messages.is_empty());
        let garbage = matches!(error, Some(WireError::Garbage { .. }));
        prop_assert!(garbage);
    }

    #[test]
    fn a_cut_off_frame_is_truncated(message in message(), cut in any::<prop::sample::Index>()) {
        let bytes = encode(&message).expect("fits");
        let kept = 1 + cut.index(bytes.len() - 1);
        prop_assert_eq!(decode(&bytes[..kept], &[]), (vec![], Some(WireError::Truncated { bytes: kept })));
    }
}

#[test]
fn an_oversized_frame_is_refused_by_its_length_alone() {
    let bytes = (FRAME_BYTES_MAX as u32 + 1).to_be_bytes();
    assert_eq!(
        decode(&bytes, &[]).1,
        Some(WireError::Oversized { bytes: FRAME_BYTES_MAX + 1, bytes_max: FRAME_BYTES_MAX })
    );
}

#[test]
fn a_message_over_the_limit_is_not_encoded() {
    let refusal = Refusal::new(Code::Busy, "x".repeat(FRAME_BYTES_MAX));
    assert!(matches!(encode(&Message::Error { id: 1, epoch: 1, refusal }), Err(WireError::Oversized { .. })));
}

#[test]
fn another_version_is_named_even_when_its_hello_has_grown() {
    let body = br#"{"hello":{"version":8,"role":"client","epoch":0,"tenant":"x"}}"#;
    assert_eq!(decode(&frame(body), &[]).1, Some(WireError::WrongVersion { theirs: 8 }));
    let body = br#"{"hello":{"version":9,"who":["x"]}}"#;
    assert_eq!(decode(&frame(body), &[]).1, Some(WireError::WrongVersion { theirs: 9 }));
}

#[test]
fn an_unknown_refusal_of_a_newer_peer_is_kept_in_words() {
    let body = br#"{"error":{"id":1,"epoch":1,"refusal":{"code":"on_holiday","text":"gone fishing"}}}"#;
    let refusal = Refusal::new(Code::Other, "gone fishing");
    assert_eq!(decode(&frame(body), &[]).0, vec![Message::Error { id: 1, epoch: 1, refusal }]);
}
