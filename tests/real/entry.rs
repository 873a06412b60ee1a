//! Nobody enters: strangers on real sockets, with no certificate, a wrong one, or half a handshake.

use crate::production::{Daemon, LIMIT, query};
use crate::{TWO_DAYS, calcon, eventually, folder, printed};
use calcon::wire::{Message, Role, VERSION, encode};
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The longest that a handshake may take, and some more.
const HANDSHAKE: Duration = Duration::from_secs(7);
/// How many handshakes of one address are let in at once, and more than that.
const HANDSHAKES: usize = 256;
const STRANGERS: usize = 300;

/// A directory with what `calcon keys` has made.
pub struct Keys(PathBuf);

impl Keys {
    pub fn new(test: &str) -> Self {
        let keys = Self(folder(test).join("keys"));
        keys.make(&[]);
        keys.make(&["--client", "ada"]);
        keys
    }

    pub fn make(&self, more: &[&str]) -> String {
        printed(calcon(&[&["keys", self.0.to_str().expect("UTF-8")], more].concat()), 0)
    }

    pub fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("UTF-8").to_owned()
    }

    /// Writes the settings file of a side whose certificate has `name`, and returns its path.
    pub fn settings(&self, side: &str, name: &str, more: &str, access: &str) -> String {
        let peer = if side == "exchange" { "notes" } else { "exchange" };
        let calendars = crate::root().join("samples").join(side);
        let text = format!(
            "listen = \"[::]:0\"\ncalendars = {calendars:?}\n{more}\n[access]\nca = {:?}\ncertificate = {:?}\nkey = {:?}\n\
             peer = {peer:?}\ntokens = {:?}\n{access}\n",
            self.file("ca.pem"),
            self.file(&format!("{name}.pem")),
            self.file(&format!("{name}.key")),
            self.file("tokens"),
        );
        let path = self.file(&format!("{side}-{name}.toml"));
        fs::write(&path, text).expect("written");
        path
    }

    pub fn exchange(&self) -> Daemon {
        local(Daemon::start(&["exchange", "--settings", &self.settings("exchange", "exchange", "", "")]))
    }

    pub fn notes(&self, name: &str, exchange: &Daemon) -> Daemon {
        let more = format!("exchange = {:?}", exchange.address);
        local(Daemon::start(&["notes", "--settings", &self.settings("notes", name, &more, "")]))
    }

    /// The arguments of a client with its token.
    fn client<'a>(&'a self, ca: &'a str, token: &'a str) -> Vec<&'a str> {
        [&TWO_DAYS[..], &["--ca", ca, "--peer", "exchange", "--token", token]].concat()
    }
}

/// Sets the address to that of this machine: such a daemon listens on all of them.
fn local(mut daemon: Daemon) -> Daemon {
    daemon.address = daemon.address.replace("[::]", "127.0.0.1");
    daemon
}

const CAROL: &str = "carol@notes.example";
const BOB: &str = "bob@exchange.example";

#[test]
fn both_sides_find_each_other_over_tls_and_clients_ask_with_token_or_certificate() {
    let keys = Keys::new("entry-both");
    let mut exchange = keys.exchange();
    let mut notes = keys.notes("notes", &exchange);
    notes.wait_for("link up");
    exchange.wait_for("link up");
    let (ca, token) = (keys.file("ca.pem"), keys.file("ada.token"));
    let carol = printed(query(&exchange.address, CAROL, &keys.client(&ca, &token)), 0);
    assert!(carol.starts_with("carol@notes.example: live, 0 s old\n"), "{carol}");
    keys.make(&["--name", "bob"]);
    let (certificate, key) = (keys.file("bob.pem"), keys.file("bob.key"));
    let args = ["--ca", &ca, "--peer", "notes", "--certificate", &certificate, "--key", &key];
    printed(query(&notes.address, BOB, &[&TWO_DAYS[..], &args].concat()), 0);
}

#[test]
fn a_client_without_a_valid_token_or_certificate_learns_nothing() {
    let keys = Keys::new("entry-client");
    let other = Keys::new("entry-client-other");
    let mut exchange = keys.exchange();
    let (ca, other_ca, token) = (keys.file("ca.pem"), other.file("ca.pem"), other.file("ada.token"));
    let address = exchange.address.clone();
    let ask = |args: &[&str]| query(&address, BOB, &[&TWO_DAYS[..], args].concat());
    let missing = printed(ask(&["--ca", &ca, "--peer", "exchange"]), 5);
    assert!(missing.contains("a client needs a token (--token FILE), or a certificate"), "{missing}");
    let wrong = printed(ask(&["--ca", &ca, "--peer", "exchange", "--token", &token]), 5);
    assert!(wrong.contains("nobody has this token"), "{wrong}");
    // This client does not trust the daemon.
    let untrusted = printed(ask(&["--ca", &other_ca, "--peer", "exchange"]), 3);
    assert!(untrusted.contains("the certificate is not of the CA in `ca`"), "{untrusted}");
    let misnamed = printed(ask(&["--ca", &ca, "--peer", "notes"]), 3);
    assert!(misnamed.contains("the certificate is not of notes, but of"), "{misnamed}");
    // The daemon does not trust this client.
    let (certificate, key) = (other.file("notes.pem"), other.file("notes.key"));
    let of_another = ["--ca", &ca, "--peer", "exchange", "--certificate", &certificate, "--key", &key];
    printed(ask(&of_another), 3);
    exchange.wait_for("connection refused");
    let plain = printed(ask(&[]), 3);
    assert!(plain.contains("the peer speaks TLS: ask it with `--ca FILE`"), "{plain}");
    let secret = fs::read_to_string(&token).expect("read");
    exchange.stop();
    assert!(!exchange.log.iter().any(|line| line.contains(secret.trim())), "{:#?}", exchange.log);
}

/// Anybody who said `role: add_in` once replaced the link, saw questions, and answered them.
#[test]
fn nobody_but_the_pinned_name_takes_the_link() {
    let keys = Keys::new("entry-link");
    let other = Keys::new("entry-link-other");
    let mut exchange = keys.exchange();
    let mut notes = keys.notes("notes", &exchange);
    exchange.wait_for("link up");
    // The right CA, and another name.
    keys.make(&["--name", "mallory"]);
    let mut misnamed = keys.notes("mallory", &exchange);
    misnamed.wait_for("is not notes, which `peer` names");
    exchange.wait_for("is not notes, which `peer` names");
    // Another CA, and the right name.
    let mut foreign = other.notes("notes", &exchange);
    foreign.wait_for("link attempt failed");
    foreign.wait_for("the certificate is not of the CA in `ca`");
    // No TLS.
    let hello = Message::Hello { version: VERSION, role: Role::AddIn, epoch: u64::MAX, boot: u64::MAX, token: None };
    let mut plain = TcpStream::connect(&exchange.address).expect("connected");
    plain.set_read_timeout(Some(LIMIT)).expect("set");
    plain.write_all(&encode(&hello).expect("it fits")).expect("written");
    let mut reply = Vec::new();
    let _ = plain.read_to_end(&mut reply);
    assert!(!reply.windows(5).any(|part| part == b"hello"), "{reply:?}");
    exchange.wait_for("connection refused");
    let (ca, token) = (keys.file("ca.pem"), keys.file("ada.token"));
    printed(query(&exchange.address, CAROL, &keys.client(&ca, &token)), 0);
    for daemon in [&mut exchange, &mut notes] {
        daemon.stop();
        let downs = daemon.log.iter().filter(|line| line.contains("link down") || line.contains("replaced"));
        // At the end, when it stops or the other one does.
        assert!(downs.count() <= 1, "{:#?}", daemon.log);
    }
}

#[test]
fn handshakes_that_are_held_open_keep_nobody_else_out() {
    let keys = Keys::new("entry-half");
    let mut exchange = keys.exchange();
    // The first bytes of a handshake.
    let begun = [0x16, 3, 1, 2, 0, 1, 0];
    let mut strangers: Vec<TcpStream> = (0..STRANGERS)
        .map(|_| {
            let mut stream = TcpStream::connect(&exchange.address).expect("connected");
            let _ = stream.write_all(&begun);
            stream
        })
        .collect();
    let began = Instant::now();
    let elsewhere = exchange.address.replace("127.0.0.1", "[::1]");
    let (ca, token) = (keys.file("ca.pem"), keys.file("ada.token"));
    printed(query(&elsewhere, BOB, &keys.client(&ca, &token)), 0);
    exchange.wait_for("too many TLS handshakes of this address at once");
    // Those in excess are closed at once, the others at the time limit.
    let mut closed = || {
        let is_closed = |stream: &mut TcpStream| {
            stream.set_nonblocking(true).expect("set");
            !matches!(stream.read(&mut [0; 64]), Err(error) if error.kind() == ErrorKind::WouldBlock)
        };
        strangers.iter_mut().filter_map(|stream| is_closed(stream).then_some(())).count()
    };
    assert!(closed() >= STRANGERS - HANDSHAKES);
    while closed() < STRANGERS {
        assert!(began.elapsed() < LIMIT, "only {} are closed", closed());
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(began.elapsed() > Duration::from_secs(3), "those within the limit had their time");
    exchange.wait_for("the TLS handshake was not complete within 5 s");
    printed(query(&exchange.address, BOB, &keys.client(&ca, &token)), 0);
    assert!(began.elapsed() < HANDSHAKE + LIMIT);
}

#[test]
fn of_two_add_ins_with_one_identity_the_newer_one_has_the_link() {
    let keys = Keys::new("entry-epoch");
    let mut exchange = keys.exchange();
    let mut older = keys.notes("notes", &exchange);
    exchange.wait_for("link up");
    let mut newer = keys.notes("notes", &exchange);
    newer.wait_for("link up");
    exchange.wait_for("link replaced by a newer one");
    older.wait_for("link down");
    older.wait_for("an add-in that started later has the link: only a newer one replaces it");
    newer.signal("KILL");
    older.wait_for("link up");
}

#[test]
fn certificates_are_renewed_while_the_link_goes_on() {
    let keys = Keys::new("entry-renew");
    let mut exchange = keys.exchange();
    let mut notes = keys.notes("notes", &exchange);
    let peer = |line: &str| line.split("peer=").nth(1).expect("who it is").to_owned();
    let before = peer(&exchange.wait_for("link up"));
    notes.wait_for("link up");
    keys.make(&["--renew", "notes"]);
    notes.signal("HUP");
    notes.wait_for("access settings reloaded");
    printed(calcon(&["tell", "excalcon", "quit", "--at", &notes.console]), 0);
    printed(calcon(&["load", "excalcon", "--at", &notes.console]), 0);
    let after = peer(&exchange.wait_for("link up"));
    assert_ne!(before, after, "another certificate of the same name");
    notes.wait_for("link up");
    // What cannot be used is refused, and the previous certificate stays in effect.
    fs::write(keys.file("notes.pem"), "nothing").expect("written");
    let refused = printed(calcon(&["reload", "--at", &notes.console]), 5);
    assert!(refused.contains("the previous settings stay in effect"), "{refused}");
    assert!(refused.contains("there is no certificate in it"), "{refused}");
    notes.wait_for("number=5011");
    let (ca, token) = (keys.file("ca.pem"), keys.file("ada.token"));
    eventually(&exchange.address, CAROL, &keys.client(&ca, &token));
}

/// A lie once stayed in the cache for 15 minutes.
#[test]
fn what_a_revoked_identity_has_answered_is_not_served() {
    let keys = Keys::new("entry-revoked");
    let mut exchange = keys.exchange();
    let mut notes = keys.notes("notes", &exchange);
    notes.wait_for("link up");
    exchange.wait_for("link up");
    let (ca, token) = (keys.file("ca.pem"), keys.file("ada.token"));
    let address = exchange.address.clone();
    let ask = |code| printed(query(&address, CAROL, &keys.client(&ca, &token)), code);
    assert!(ask(0).contains(": live, "));
    assert!(ask(0).contains(": cached, "));
    keys.settings("exchange", "exchange", "", "revoked = [\"notes\"]");
    assert_eq!(printed(calcon(&["reload", "--at", &exchange.console]), 0), "reloaded\n");
    let refused = ask(5);
    assert!(refused.contains("the link to the other side is down"), "{refused}");
    exchange.wait_for("the settings do not accept the other side any more");
    exchange.wait_for("record dropped");
    notes.wait_for("notes (");
    notes.wait_for("is revoked");
}

#[test]
fn without_credentials_a_daemon_listens_on_loopback_only() {
    let args = ["exchange", "--listen", "0.0.0.0:0", "--calendars", "samples/exchange"];
    let refused = printed(calcon(&args), 2);
    assert!(refused.contains("listen: 0.0.0.0:0 is open to other machines, and there are no credentials"), "{refused}");
    assert!(refused.contains("`calcon keys DIR`"), "{refused}");
    let keys = Keys::new("entry-missing");
    let some = printed(calcon(&[&args[..], &["--ca", &keys.file("ca.pem"), "--peer", "notes"]].concat()), 2);
    assert!(some.contains("access: certificate, key is not set"), "{some}");
}

#[test]
fn keys_are_private_and_never_overwritten() {
    let keys = Keys::new("entry-keys");
    let mode =
        |name: &str| fs::metadata(Path::new(&keys.file(name))).expect("it is there").permissions().mode() & 0o777;
    for private in ["ca.key", "exchange.key", "notes.key", "ada.token", "tokens"] {
        assert_eq!(mode(private), 0o600, "{private}");
    }
    let said = keys.make(&["--name", "bob"]);
    let absolute = fs::canonicalize(keys.file("bob.pem")).expect("it is there");
    assert!(said.contains(&format!("certificate = {absolute:?}")), "{said}");
    let before = fs::read(keys.file("ca.key")).expect("read");
    for more in [&[][..], &["--name", "exchange"], &["--client", "ada"]] {
        let refused = printed(calcon(&[&["keys", &keys.file("")], more].concat()), 1);
        assert!(refused.contains("it is there already, and is not overwritten"), "{refused}");
    }
    assert_eq!(fs::read(keys.file("ca.key")).expect("read"), before);
    let bad = printed(calcon(&["keys", &keys.file(""), "--name", "../x"]), 2);
    assert!(bad.contains("`../x` is no name"), "{bad}");
}
