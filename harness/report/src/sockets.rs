//! Formats the sockets at a verdict as `ss` does.

use super::{
    Style,
    paint::{DIM, PLAIN, columns, padded, paint},
    words,
};
use refrain_core::{
    escape::escaped,
    socket::{Socket, Timer},
};

const TITLES: [&str; 7] = ["Host", "Netid", "State", "Recv-Q", "Send-Q", "Local Address:Port", "Peer Address:Port"];

/// Formats sockets as a table; empty if there are none, otherwise it ends with a newline.
pub fn sockets(sockets: &[Socket], style: Style) -> String {
    if sockets.is_empty() {
        return String::new();
    }
    let rows: Vec<[String; 7]> = sockets.iter().map(cells).collect();
    let width = |nth: usize| rows.iter().map(|row| columns(&row[nth])).max().unwrap_or(0).max(TITLES[nth].len());
    let widths: [usize; 7] = std::array::from_fn(width);
    let row = |cells: [&str; 7], timer: &str, ink| {
        let cells = cells.iter().zip(widths).map(|(cell, width)| padded(cell, width + 2, ink, style));
        let line = cells.collect::<String>() + &paint(timer, DIM, style);
        format!("{}\n", line.trim_end_matches(' '))
    };
    let below = rows.iter().zip(sockets).map(|(cells, socket)| {
        let timer = socket.timer.as_ref().map(timer).unwrap_or_default();
        row(std::array::from_fn(|nth| cells[nth].as_str()), &timer, PLAIN)
    });
    row(TITLES, "", DIM) + &below.collect::<String>()
}

fn cells(socket: &Socket) -> [String; 7] {
    let host = words::host(&socket.host);
    let (receive, send) = (socket.receive_queue.to_string(), socket.send_queue.to_string());
    [host, &socket.protocol, &socket.state, &receive, &send, &socket.local, &socket.peer].map(escaped)
}

/// Formats a timer: `timer:(on,3.200sec,3)`.
fn timer(timer: &Timer) -> String {
    format!("timer:({},{},{})", escaped(&timer.name), span(timer.in_ns / 1_000_000), timer.tries)
}

/// Formats a duration, with less precision for longer ones: `200ms`, `3.200sec`, `12sec`, `1min3sec`.
fn span(ms: u64) -> String {
    let (minutes, seconds, ms) = (ms / 60_000, ms / 1_000 % 60, ms % 1_000);
    match (minutes, seconds) {
        (0, 0) => format!("{ms}ms"),
        (0, 1..10) => format!("{seconds}.{ms:03}sec"),
        (0, _) => format!("{seconds}sec"),
        (1..10, 1..) => format!("{minutes}min{seconds}sec"),
        _ => format!("{minutes}min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_as_exact_as_they_are_short() {
        let cases = [(0, "0ms"), (200, "200ms"), (3_200, "3.200sec"), (12_345, "12sec"), (63_000, "1min3sec")];
        for (ms, text) in cases.into_iter().chain([(120_000, "2min"), (7_199_000, "119min")]) {
            assert_eq!(span(ms), text);
        }
    }
}
