//! A page that shows a run: one HTML file that needs no network.

use super::{View, json};

/// Formats a view as an HTML page: a diagram with a lane for each host, the events beside it, and the verdict.
///
/// The run is in it as JSON, and its script shows texts as text only, so nothing of a trace becomes markup or code.
pub fn page(view: &View<'_>) -> String {
    // Within a script, `<` could end it.
    let data = json(view).replace('<', "\\u003c");
    let title = view.test.replace('&', "&amp;").replace('<', "&lt;");
    let (head, rest) = include_str!("page/page.html").split_once("{{title}}").expect("the page has a title");
    let (style, rest) = rest.split_once("{{style}}").expect("the page has a style");
    let (script, rest) = rest.split_once("{{data}}").expect("the page has data");
    let (middle, tail) = rest.split_once("{{script}}").expect("the page has a script");
    [
        head,
        &title,
        style,
        include_str!("page/page.css"),
        script,
        data.trim_end(),
        middle,
        include_str!("page/page.js"),
        include_str!("page/curve.js"),
        include_str!("page/history.js"),
        tail,
    ]
    .concat()
}
