//! HTTP as programs and browsers speak it, with the production binary.

use crate::production::{Daemon, binary, root};
use crate::{exchange, notes, printed, said};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

/// Returns where a daemon serves HTTP, as it has said.
fn http(daemon: &mut Daemon) -> String {
    let line = said(daemon, "serving HTTP on ");
    line.rsplit(' ').next().expect("an address").to_owned()
}

/// Sends a request; returns the response.
fn send(at: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(at).expect("connected");
    stream.write_all(request.as_bytes()).expect("written");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("read");
    response
}

fn get(at: &str, path: &str) -> String {
    send(at, &format!("GET {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n"))
}

#[test]
fn both_sides_answer_programs_and_browsers() {
    let mut exchange = exchange("samples/exchange", &["--http-listen", "127.0.0.1:0"]);
    let at = http(&mut exchange);
    assert!(get(&at, "/healthz").starts_with("HTTP/1.1 200 OK"));
    // Without the other side, too: through a name that leads to those that are ready, it could not come.
    assert!(get(&at, "/readyz").starts_with("HTTP/1.1 200 OK"));
    assert!(get(&at, "/status").contains("\"up\":false"));
    let mut notes = notes("samples/notes", &exchange.address);
    exchange.wait_for("link up");
    assert!(get(&at, "/status").contains("\"up\":true"));
    let moment = |time: &str| json!({"dateTime": time, "timeZone": "Europe/Berlin"});
    let body = json!({
        "schedules": ["carol@notes.example", "bob@exchange.example", "nobody@example"],
        "startTime": moment("2026-08-03T10:00:00"),
        "endTime": moment("2026-08-03T17:00:00"),
        "availabilityViewInterval": 60,
    });
    let body = body.to_string();
    let head =
        format!("POST /getSchedule HTTP/1.1\r\nHost: {at}\r\nContent-Type: application/json\r\nConnection: close");
    let response = send(&at, &format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
    let (head, body) = response.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    let body: Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(body["value"][0]["availabilityView"], "0222110");
    assert_eq!(body["value"][0]["@calcon.source"], "live");
    assert!(body["value"][1]["availabilityView"].is_string(), "{body}");
    assert_eq!(body["value"][2]["error"]["responseCode"], "ErrorMailRecipientNotFound");
    let metrics = get(&at, "/metrics");
    for line in ["calcon_link_up 1", "calcon_queries_total{outcome=\"unknown_user\"} 1", "calcon_cache_records 1"] {
        assert!(metrics.contains(&format!("\n{line}\n")), "{line}: {metrics}");
    }
    let page = get(&at, "/");
    assert!(page.contains("content-security-policy: default-src 'none'") && !page.contains("NONCE"), "{page}");
    assert!(get(&at, "/nothing").contains("\"code\":\"ResourceNotFound\""));
    // Another page's name for this address is not served.
    assert!(
        send(&at, "GET /status HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
            .starts_with("HTTP/1.1 401")
    );
    assert!(send(&at, "no HTTP\r\n\r\n").starts_with("HTTP/1.1 400"));
    for daemon in [&mut exchange, &mut notes] {
        assert_eq!(daemon.stop(), Some(0));
    }
}

#[test]
fn without_credentials_http_is_for_this_machine_only() {
    let args = ["exchange", "--listen", "127.0.0.1:0", "--http-listen", "0.0.0.0:0", "--calendars", "samples/exchange"];
    let refused = printed(Command::new(binary()).args(args).current_dir(root()).output().expect("calcon starts"), 2);
    assert!(
        refused.contains("http_listen: 0.0.0.0:0 is open to other machines, and there are no credentials"),
        "{refused}"
    );
}
