//! Who is let in, by what it has proven.

use super::*;
use crate::keys::{Authority, DAYS};
use chrono::Utc;

fn credentials(authority: &Authority, name: &str) -> Credentials {
    let issued = authority.issue(name, Utc::now(), DAYS).expect("issued");
    Credentials::from_pem(&authority.certificate, &issued.certificate, &issued.key).expect("PEM")
}

fn authority() -> Authority {
    Authority::new(Utc::now()).expect("a CA")
}

/// Returns a peer that has proven to be `name`, or nobody.
fn peer(access: &Access, authority: &Authority, name: Option<&str>) -> Peer {
    let shown = name.map(|name| credentials(authority, name).own.expect("it has one").chain.remove(0));
    Peer { address: ([10, 0, 0, 1], 1).into(), identity: access.identify(shown.as_ref()) }
}

fn why<T>(outcome: Result<T, Refusal>) -> String {
    let refusal = outcome.err().expect("refused");
    assert_eq!(refusal.code, Code::Denied);
    refusal.text
}

#[test]
fn the_link_is_for_the_pinned_name_alone() {
    let authority = authority();
    let access = Access::secured(&credentials(&authority, "exchange"), "notes").expect("credentials");
    let of = |name| peer(&access, &authority, name);
    assert_eq!(access.admit_add_in(&of(Some("notes"))).expect("admitted").name(), "notes");
    assert!(why(access.admit_add_in(&of(Some("ada")))).contains("is not notes, which `peer` names"));
    assert_eq!(why(access.admit_add_in(&of(None))), "the add-in needs the certificate of notes");
}

#[test]
fn a_revoked_identity_has_neither_link_nor_questions_nor_trust() {
    let authority = authority();
    let access = Access::secured(&credentials(&authority, "exchange"), "notes").expect("credentials");
    let [peer, other] = [(); 2].map(|()| peer(&access, &authority, Some("notes")));
    let identity = peer.identity.clone().expect("a name");
    assert!(access.trusts(&identity));
    let by_name = access.clone().with_revoked(vec!["notes".to_owned()]);
    assert!(!by_name.trusts(&identity));
    assert!(why(by_name.admit_add_in(&peer)).contains("is revoked"));
    assert!(why(by_name.admit_client(&peer, None)).contains("is revoked"));
    // Another certificate of the same name has another fingerprint.
    let certificate = credentials(&authority, "notes").own.expect("it has one").chain.remove(0);
    let stolen = Identity::of(&certificate, "notes");
    let print = hex(ring::digest::digest(&ring::digest::SHA256, &certificate).as_ref());
    let by_print = access.with_revoked(vec![print]);
    assert!(!by_print.trusts(&stolen));
    assert!(by_print.trusts(&identity) && by_print.admit_add_in(&other).is_ok());
}

#[test]
fn a_client_asks_with_a_certificate_or_a_token() {
    let authority = authority();
    let token = "t".repeat(32);
    let tokens = Tokens::parse(&format!("ada {token}")).expect("tokens");
    let access =
        Access::secured(&credentials(&authority, "exchange"), "notes").expect("credentials").with_tokens(tokens);
    let (stranger, bob) = (peer(&access, &authority, None), peer(&access, &authority, Some("bob")));
    assert_eq!(access.admit_client(&bob, None).as_deref(), Ok("bob"));
    assert_eq!(access.admit_client(&stranger, Some(&Secret::new(&token))).as_deref(), Ok("ada"));
    assert!(why(access.admit_client(&stranger, None)).starts_with("a client needs a token"));
    assert!(why(access.admit_client(&stranger, Some(&Secret::new("wrong")))).starts_with("nobody has this token"));
    let revoked = access.with_revoked(vec!["ada".to_owned(), "bob".to_owned()]);
    assert_eq!(why(revoked.admit_client(&stranger, Some(&Secret::new(&token)))), "ada is revoked");
    assert!(why(revoked.admit_client(&bob, None)).contains("is revoked"));
}

#[test]
fn on_loopback_every_program_asks_unless_there_are_tokens() {
    let here = Peer { address: ([127, 0, 0, 1], 1).into(), identity: None };
    assert_eq!(Access::loopback().admit_client(&here, None).as_deref(), Ok("127.0.0.1"));
    assert_eq!(Access::loopback().admit_add_in(&here).as_ref(), Ok(&Identity::loopback()));
    let tokens = Tokens::parse(&format!("ada {}", "t".repeat(32))).expect("tokens");
    why(Access::loopback().with_tokens(tokens).admit_client(&here, None));
}

#[test]
fn a_certificate_and_a_key_that_do_not_belong_together_are_refused() {
    let authority = authority();
    let (one, other) = (credentials(&authority, "exchange"), credentials(&authority, "exchange"));
    let mixed = Credentials {
        ca: one.ca,
        own: one.own.zip(other.own).map(|(one, other)| crate::credentials::Own { key: other.key, ..one }),
    };
    let refused = Access::secured(&mixed, "notes").expect_err("refused");
    assert!(matches!(refused, rustls::Error::InconsistentKeys(_)), "{refused}");
}
