//! No secret is ever written: whatever goes wrong, no token, key or password is in a log, in a file, in an answer or in an error.

use crate::entry::Keys;
use crate::production::{Daemon, LIMIT};
use crate::{calcon, folder};
use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

/// A password that somebody has written where none belongs.
const PASSWORD: &str = "correct-horse-battery-staple";

/// Everything that was written, and everything that must not be in it.
struct Written {
    folder: PathBuf,
    secrets: Vec<String>,
    outputs: Vec<(String, String)>,
}

impl Written {
    fn new(test: &str, secrets: Vec<String>) -> Self {
        assert!(secrets.iter().all(|secret| secret.len() >= 20), "too short to be found by chance: {secrets:?}");
        Self { folder: folder(test), secrets, outputs: Vec::new() }
    }

    /// A file for a daemon to write.
    fn file(&self, name: &str) -> String {
        self.folder.join(name).to_str().expect("UTF-8").to_owned()
    }

    fn add(&mut self, what: &str, text: String) {
        self.outputs.push((what.to_owned(), text));
    }

    fn output(&mut self, what: &str, output: &Output) {
        for bytes in [&output.stdout, &output.stderr] {
            self.add(what, String::from_utf8_lossy(bytes).into_owned());
        }
    }

    /// Runs a command with all that it logs, and keeps what it prints; it must end with this exit code.
    #[track_caller]
    fn run(&mut self, args: &[&str], code: i32) -> String {
        let output = calcon(&[&["--log", "trace"], args].concat());
        self.output(&args.join(" ").chars().take(40).collect::<String>(), &output);
        assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Stops a daemon and keeps its log.
    fn stop(&mut self, name: &str, mut daemon: Daemon) {
        assert_eq!(daemon.stop(), Some(0));
        self.add(name, daemon.log.join("\n"));
    }

    /// Asserts that no secret is anywhere.
    #[track_caller]
    fn check(mut self) {
        for entry in fs::read_dir(&self.folder).expect("listed") {
            let path = entry.expect("listed").path();
            let text = String::from_utf8_lossy(&fs::read(&path).expect("read")).into_owned();
            assert!(!text.is_empty(), "{} is empty: nothing was tested", path.display());
            self.add(&path.display().to_string(), text);
        }
        let secret = |line: &&str| self.secrets.iter().any(|secret| line.contains(secret.as_str()));
        let leaks =
            self.outputs.iter().flat_map(|(what, text)| text.lines().filter(secret).map(move |line| (what, line)));
        assert_eq!(leaks.collect::<Vec<_>>(), []);
    }
}

/// Returns a file's lines that are secrets: all but those that frame a PEM text.
fn secrets_of(file: &str) -> Vec<String> {
    let text = fs::read_to_string(file).expect("read");
    text.lines().filter(|line| !line.starts_with("-----")).map(str::to_owned).collect()
}

/// Writes a file that nobody else may read.
fn write(path: &str, text: &str) {
    fs::write(path, text).expect("written");
    fs::set_permissions(path, Permissions::from_mode(0o600)).expect("set");
}

#[test]
fn daemons_and_clients_write_no_secret() {
    let (keys, other) = (Keys::new("secrets-keys"), Keys::new("secrets-other"));
    let files = ["exchange.key", "notes.key", "ca.key", "ada.token"];
    let mut secrets: Vec<String> = files.iter().flat_map(|name| secrets_of(&keys.file(name))).collect();
    secrets.extend(files.iter().flat_map(|name| secrets_of(&other.file(name))));
    secrets.push(PASSWORD.to_owned());
    let mut written = Written::new("secrets", secrets);
    // A profile with a password, and a key in place of the ID file.
    let ini = keys.file("notes.ini");
    write(&ini, &format!("[Notes]\nPassword={PASSWORD}\nKeyFilename=notes.key\nLocation=Office\n"));
    let (browse, sessions) = (written.file("browse.log"), written.file("sessions.log"));
    let exchange = exchange(&keys, &written.file("exchange.log"));
    let more = format!(
        "exchange = {:?}\nnotes_ini = {ini:?}\nbrowse_log = {browse:?}\nsession_log = {sessions:?}",
        exchange.address
    );
    let mut notes =
        Daemon::start(&["--log", "trace", "notes", "--settings", &keys.settings("notes", "notes", &more, "")]);
    notes.address = notes.address.replace("[::]", "127.0.0.1");
    notes.wait_for("41220");
    if !notes.log.iter().any(|line| line.contains("link up")) {
        notes.wait_for("link up");
    }
    ask_rightly_and_wrongly(&mut written, &exchange, &keys, &other);
    operate(&mut written, &exchange, &notes, &keys);
    let settings = keys.settings("notes", "notes", &more, "");
    written.run(&["check", "notes", "--settings", &settings], 6);
    written.run(&["check", "notes", "--settings", &settings, "--json"], 6);
    written.stop("notes", notes);
    written.stop("exchange", exchange);
    written.check();
}

fn exchange(keys: &Keys, log: &str) -> Daemon {
    let settings = keys.settings("exchange", "exchange", &format!("browse_log = {log:?}"), "");
    let mut daemon = Daemon::start(&["--log", "trace", "exchange", "--settings", &settings]);
    daemon.address = daemon.address.replace("[::]", "127.0.0.1");
    daemon
}

fn ask_rightly_and_wrongly(written: &mut Written, exchange: &Daemon, keys: &Keys, other: &Keys) {
    let (ca, token, wrong) = (keys.file("ca.pem"), keys.file("ada.token"), other.file("ada.token"));
    let (secret, key) = (secrets_of(&token).remove(0), keys.file("ca.key"));
    let query =
        ["query", "--at", &exchange.address, "carol@notes.example", "--json", "--ca", &ca, "--peer", "exchange"];
    let with = |more: &[&'static str], file: &str| -> Vec<String> {
        query.iter().chain(more).map(|arg| (*arg).to_owned()).chain([file.to_owned()]).collect()
    };
    let mut ask = |args: Vec<String>, code| {
        written.run(&args.iter().map(String::as_str).collect::<Vec<_>>(), code);
    };
    ask(with(&["--token"], &token), 0);
    ask(with(&["--token"], &wrong), 5);
    // The token itself, where the name of its file belongs; and a key.
    ask(with(&["--token"], &secret), 2);
    ask(with(&["--token"], &key), 5);
    ask(with(&["--certificate", "x", "--key"], &secret), 2);
}

fn operate(written: &mut Written, exchange: &Daemon, notes: &Daemon, keys: &Keys) {
    for what in ["users", "tasks"] {
        written.run(&["show", what, "--at", &notes.console], 0);
        written.run(&["show", what, "--at", &notes.console, "--json"], 0);
    }
    written.run(&["drop", "nobody", "--at", &notes.console, "--json"], 5);
    written.run(&["reload", "--at", &exchange.console], 0);
    // The two words of a line in the wrong order, a line with a password, and a key that is a token.
    let (tokens, key) = (keys.file("tokens"), keys.file("exchange.key"));
    let (good_tokens, good_key) = (fs::read_to_string(&tokens).expect("read"), fs::read_to_string(&key).expect("read"));
    let token = secrets_of(&keys.file("ada.token")).remove(0);
    for text in [format!("{token} ada\n"), format!("ada {token} {PASSWORD}\n"), format!("ada {}\n", &PASSWORD[..28])] {
        write(&tokens, &text);
        written.run(&["reload", "--at", &exchange.console, "--json"], 5);
    }
    write(&tokens, &good_tokens);
    for text in [token.clone(), good_key.replace("PRIVATE", "PUBLIC")] {
        write(&key, &text);
        written.run(&["reload", "--at", &exchange.console], 5);
    }
    write(&key, &good_key);
    written.run(&["reload", "--at", &exchange.console], 0);
}

/// What is in frames that are no messages, or in settings that cannot be parsed, may be a secret in the wrong place.
#[test]
fn what_cannot_be_parsed_is_not_repeated() {
    let secret = "0123456789abcdef0123456789abcdef";
    let mut written = Written::new("secrets-parse", vec![secret.to_owned(), PASSWORD.to_owned()]);
    let place = folder("secrets-parse-settings");
    let (tokens, settings) = (place.join("tokens"), place.join("exchange.toml"));
    write(tokens.to_str().expect("UTF-8"), &format!("ada {secret}\n"));
    let calendars = crate::root().join("samples/exchange");
    let good = format!("calendars = {calendars:?}\nlisten = \"127.0.0.1:0\"\n");
    let log = written.file("exchange.log");
    let access = "[access]\ntokens = \"tokens\"\n";
    fs::write(&settings, format!("{good}browse_log = {log:?}\n{access}")).expect("written");
    let path = settings.to_str().expect("UTF-8");
    let exchange = Daemon::start(&["--log", "trace", "exchange", "--settings", path]);
    let hello = r#"{"hello":{"version":4,"role":"client","epoch":0,"token":"SECRET"}}"#.replace("SECRET", secret);
    let frames = [
        hello.clone(),
        hello.replace("client", secret),
        hello.replace('4', &format!("\"{secret}\"")),
        hello.replace("hello", secret),
        hello.replace("epoch", secret),
        hello[..60].to_owned(),
        secret.to_owned(),
    ];
    frames.iter().for_each(|frame| send(&exchange, frame));
    fails_without_repeating(&mut written, &settings, &good, secret);
    // In the log there is something then.
    fs::write(&settings, format!("{good}[access]\ntokens = [{secret:?}]\n")).expect("written");
    written.run(&["reload", "--at", &exchange.console], 5);
    written.stop("exchange", exchange);
    written.check();
}

/// Sends a frame, and waits for the end of the connection.
fn send(daemon: &Daemon, body: &str) {
    let mut stream = TcpStream::connect(&daemon.address).expect("connected");
    stream.set_read_timeout(Some(LIMIT)).expect("set");
    stream.write_all(&(body.len() as u32).to_be_bytes()).expect("written");
    stream.write_all(body.as_bytes()).expect("written");
    stream.shutdown(Shutdown::Write).expect("shut down");
    // A reset is as good as a close.
    let _ = stream.read_to_end(&mut Vec::new());
}

fn fails_without_repeating(written: &mut Written, settings: &Path, good: &str, secret: &str) {
    let path = settings.with_file_name("bad.toml");
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----");
    let bad = [
        format!("backlog = {secret:?}"),
        format!("backlog = {secret}"),
        format!("time_zone = [{secret:?}]"),
        format!("password = {PASSWORD:?}"),
        format!("[access]\ntokens = {secret:?}"),
        format!("[access]\nrevoked = {secret:?}"),
        format!("[access]\nca = {secret:?}\ncertificate = \"x\"\nkey = '''{pem}'''\npeer = \"notes\""),
    ];
    for text in bad {
        fs::write(&path, format!("{good}{text}\n")).expect("written");
        let path = path.to_str().expect("UTF-8");
        written.run(&["check", "exchange", "--settings", path], 6);
        written.run(&["check", "exchange", "--settings", path, "--json"], 6);
        written.run(&["exchange", "--settings", path], 2);
    }
}
