//! The link between the two sides: it comes back, and while it is down old records are served.

use crate::production::{Daemon, query};
use crate::{TWO_DAYS, eventually, pair, printed};
use std::thread;
use std::time::Duration;

#[test]
fn the_link_comes_back_after_exchange_restarts() {
    let (exchange, mut notes) = pair(&[]);
    let address = exchange.address.clone();
    exchange.signal("KILL");
    notes.wait_for("link down");
    let refused = printed(query(&notes.address, "alice@exchange.example", &TWO_DAYS), 5);
    assert!(refused.contains("the link to the other side is down"), "{refused}");
    drop(exchange);
    let args = ["exchange", "--listen", &address, "--calendars", "samples/exchange"];
    let _exchange = Daemon::start(&args);
    eventually(&notes.address, "alice@exchange.example", &TWO_DAYS);
    notes.wait_for("link up");
}

#[test]
fn an_old_record_is_served_as_stale_while_notes_is_away() {
    let (mut exchange, notes) = pair(&["--age-max-secs", "0"]);
    printed(query(&exchange.address, "carol@notes.example", &["--days", "1"]), 0);
    notes.signal("KILL");
    exchange.wait_for("link down");
    let stale = printed(query(&exchange.address, "carol@notes.example", &["--days", "1"]), 0);
    assert!(stale.starts_with("carol@notes.example: stale, "), "{stale}");
}

#[test]
fn a_late_reply_is_kept() {
    let (mut exchange, notes) = pair(&["--patience-ms", "200", "--age-max-secs", "3"]);
    let at = exchange.address.clone();
    let ask = || printed(query(&at, "carol@notes.example", &["--days", "1"]), 0);
    assert!(ask().contains(": live, "));
    assert!(ask().contains(": cached, "));
    // The record must become too old, which the daemon does not report.
    thread::sleep(Duration::from_millis(3_500));
    notes.signal("STOP");
    let stale = ask();
    notes.signal("CONT");
    assert!(stale.contains(": stale, "), "{stale}");
    exchange.wait_for("late reply kept");
    let kept = ask();
    assert!(kept.contains(": cached, "), "{kept}");
}
