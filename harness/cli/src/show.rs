//! `cargo refrain show`: prints saved traces, in one of several forms.

use crate::{
    args::{Form, Show},
    exit::{Exit, Problem},
    output,
    saved::Saved,
};
use refrain_core::{escape::escaped, trace::Trace};
use refrain_report::{self as report, Filter, Style, View};
use std::fs;

pub fn show(args: &Show) -> Result<Exit, Problem> {
    if args.traces.len() > 1 && !matches!(args.format, Form::Text | Form::Json) {
        return Err(Problem {
            exit: Exit::Usage,
            message: format!(
                "{} traces do not fit in one file of this format: run `cargo refrain show` for each of them",
                args.traces.len()
            ),
        });
    }
    let filter = filter(args);
    let style = if args.output.is_some() { Style::default() } else { output::style() };
    let mut worst = Exit::Passed;
    let mut texts = Vec::new();
    for path in &args.traces {
        match Saved::read(path) {
            Ok(saved) if args.plan => texts.push(report::plan(&saved.trace.plan)),
            Ok(saved) => texts.push(formatted(&saved.trace, &filter, args.format, style)),
            Err(problem) => worst = worst.max(output::print_error(&problem)),
        }
    }
    let text = texts.join(if args.format == Form::Text { "\n" } else { "" });
    match &args.output {
        _ if texts.is_empty() => {}
        None => output::print(&text),
        Some(file) => {
            fs::write(file, text).map_err(|error| {
                Problem::could_not_run(format!("cannot write {}: {error}", escaped(&file.to_string_lossy())))
            })?;
            output::print_note(&format!("written {}", output::shown(file)));
        }
    }
    Ok(worst)
}

fn filter(args: &Show) -> Filter {
    Filter {
        from: args.from,
        to: args.to,
        tail: args.tail,
        hosts: args.host.clone(),
        task: args.task.clone(),
        connection: args.conn.clone(),
        grep: args.grep.clone(),
    }
}

fn formatted(trace: &Trace, filter: &Filter, form: Form, style: Style) -> String {
    let view = || View::new(trace, filter);
    match form {
        Form::Text => report::timeline(trace, filter, style),
        Form::Json => report::json(&view()),
        Form::Html => report::page(&view()),
        Form::Perfetto => report::perfetto(&view()),
        Form::Mermaid => report::mermaid(&view()),
    }
}
