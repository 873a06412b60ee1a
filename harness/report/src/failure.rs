//! Says how the service was wrong, and what led to it.

use super::{
    Style,
    paint::{BOLD, ink, lines, paint},
};
use anstyle::AnsiColor;
use refrain_core::{escape::escaped, verdict::Failure};

/// `stall: ...`: the first line of what happened, and `...` for the others.
pub fn headline(failure: &Failure, style: Style) -> String {
    let (first, more) = failure.message.split_once('\n').map_or((&*failure.message, ""), |(first, _)| (first, " ..."));
    format!("{}: {}{more}", paint(failure.class.name(), ink(AnsiColor::Red), style), escaped(first))
}

/// `FAILED stall: ...` and below it, indented, where and why; it ends with a new line.
pub fn failure(failure: &Failure, style: Style) -> String {
    let Failure { class, property: _, place, message, causes } = failure;
    let mut text = Vec::new();
    for (nth, line) in lines(&format!("FAILED {class}: {message}"), 2, style).iter().enumerate() {
        text.push(match line.split_once(": ") {
            Some((head, rest)) if nth == 0 => {
                format!("{}: {}", paint(head, ink(AnsiColor::Red).bold(), style), paint(rest, BOLD, style))
            }
            _ => format!("{}{}", if nth == 0 { "" } else { "  " }, paint(line, BOLD, style)),
        });
    }
    // A message often names the place itself.
    let at = (!place.is_empty() && !message.contains(place.as_str())).then(|| format!("at {place}"));
    for cause in at.iter().chain(causes) {
        for (nth, line) in lines(cause, 4, style).iter().enumerate() {
            text.push(format!("{}{line}", if nth == 0 { "  " } else { "    " }));
        }
    }
    text.iter().map(|line| format!("{}\n", line.trim_end_matches(' '))).collect()
}
