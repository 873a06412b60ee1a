//! What a table `[server]` has to have.

use crate::calendars::Origin;
use crate::keys::Authority;
use crate::settings::ExchangeOptions;
use chrono::Utc;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

const PASSWORD: &str = "open sesame";

/// Makes a folder with a CA, and with a password that only its owner may read.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new(Utc::now()).expect("a CA");
    fs::write(folder.path().join("ca.pem"), authority.certificate).expect("written");
    for (name, mode) in [("password", 0o600), ("public", 0o644)] {
        let file = folder.path().join(name);
        fs::write(&file, format!("{PASSWORD}\n")).expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("changed");
    }
    fs::write(folder.path().join("empty"), "\n").expect("written");
    fs::set_permissions(folder.path().join("empty"), fs::Permissions::from_mode(0o600)).expect("changed");
    folder
}

/// Returns the calendars by a settings file, or why it cannot be used.
fn calendars(folder: &TempDir, text: &str) -> Result<Origin, String> {
    let file = folder.path().join("exchange.toml");
    fs::write(&file, text).expect("written");
    let settings = ExchangeOptions::default().settings(Some(&file)).map_err(|error| error.to_string())?;
    Ok(settings.calendars)
}

#[track_caller]
fn check_refused(text: &str, expected: &str) {
    let error = calendars(&folder(), text).expect_err("refused");
    assert!(error.contains(expected), "{error}");
    assert!(!error.contains(PASSWORD), "{error}");
}

const URL: &str = "url = \"https://h/{user}/\"\ndomains = [\"a.example\"]\n";

#[test]
fn a_server_takes_the_place_of_a_folder() {
    let table = format!("[server]\n{URL}username = \"calcon\"\npassword_file = \"password\"\nca_file = \"ca.pem\"\n");
    let protocol = "protocol = \"calendar-query\"\n";
    let Ok(Origin::Server(server)) = calendars(&folder(), &format!("{table}{protocol}")) else { panic!("a server") };
    assert_eq!(server.url(), "https://h/{user}/");
    let shown = format!("{server:?}");
    assert!(shown.contains("CalendarQuery") && !shown.contains(PASSWORD), "{shown}");
    check_refused(&format!("calendars = \"x\"\n{table}"), "`calendars` and `server` are both set");
    check_refused("", "`calendars` is not set");
}

#[test]
fn a_login_is_complete_and_its_secret_is_in_a_file_of_its_owner() {
    let refused =
        |lines: &str, expected| check_refused(&format!("[server]\n{URL}ca_file = \"ca.pem\"\n{lines}"), expected);
    let either = "a login is either `username` and `password_file`, or `token_file`";
    refused("username = \"calcon\"\n", either);
    refused("password_file = \"password\"\n", either);
    refused("username = \"calcon\"\npassword_file = \"password\"\ntoken_file = \"password\"\n", either);
    refused("username = \"a:b\"\npassword_file = \"password\"\n", "must not contain a colon");
    refused("token_file = \"public\"\n", "others may read it");
    refused("token_file = \"empty\"\n", "there is no password in it");
    refused("token_file = \"nowhere\"\n", "nowhere");
}

#[test]
fn what_is_missing_is_named() {
    check_refused("[server]\nurl = \"https://h/{user}/\"\n", "`domains` is not set");
    check_refused("[server]\nurl = \"https://h/\"\ndomains = [\"a\"]\n", "the URL needs {user} or {name}");
    check_refused(&format!("[server]\n{URL}"), "`server.ca_file` is not set: give --server-ca-file");
    check_refused(
        "[server]\nurl = \"https://a:open sesame@h/{user}/\"\ndomains = [\"a\"]\n",
        "must not contain a user",
    );
    check_refused("[server]\ndomains = [\"a\"]\n", "`server.url` is not set");
    check_refused(&format!("[server]\n{URL}protocol = \"mapi\"\n"), "unknown variant");
}

#[test]
fn the_url_of_each_protocol_is_that_of_its_server() {
    let server = |protocol: &str, url: &str| {
        let text = format!(
            "[server]\nprotocol = \"{protocol}\"\nurl = \"{url}\"\ndomains = [\"a.example\"]\nca_file = \"ca.pem\"\n"
        );
        calendars(&folder(), &text)
    };
    for protocol in ["graph", "ews"] {
        assert!(server(protocol, "https://h/the/same/for/all").is_ok());
    }
    for protocol in ["free-busy-query", "calendar-query", "sync-collection", "domino", "domino-icalendar"] {
        assert!(server(protocol, "https://h/?name={user}").is_ok());
        let error = server(protocol, "https://h/the/same/for/all").expect_err("refused");
        assert!(error.contains("the URL needs {user} or {name}"), "{error}");
    }
}
