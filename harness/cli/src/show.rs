//! `cargo refrain show`: prints saved traces, in one of several forms.

use crate::{
    args::{Events, Form, Show, Shown as Options},
    exit::{Exit, Problem},
    output,
    saved::Saved,
};
use refrain_core::escape::escaped;
use refrain_report::{self as report, Filter, Message, Shown, Style, View};
use std::{fs, path::Path};

pub fn show(args: &Show) -> Result<Exit, Problem> {
    let shown = &args.shown;
    if args.traces.len() > 1 && !matches!(shown.format, Form::Text | Form::Json) {
        return Err(Problem {
            exit: Exit::Usage,
            message: format!(
                "{} traces do not fit in one file of this format: run `cargo refrain show` for each of them",
                args.traces.len()
            ),
        });
    }
    let mut worst = Exit::Passed;
    let mut texts = Vec::new();
    // Programs get data, whatever the form; a file has the form that is asked for.
    let to_programs = output::is_for_programs() && shown.output.is_none();
    for path in &args.traces {
        match Saved::read(path) {
            Ok(saved) if to_programs => tell(&saved, args),
            Ok(saved) if args.plan => texts.push(report::plan(&saved.trace.plan).into_bytes()),
            Ok(saved) => texts.push(formatted(&saved.trace, shown)),
            Err(problem) => worst = worst.max(output::print_error(&problem)),
        }
    }
    if !texts.is_empty() {
        let between: &[u8] = if shown.format == Form::Text { b"\n" } else { b"" };
        write(&texts.join(between), shown.output.as_deref())?;
    }
    Ok(worst)
}

fn tell(saved: &Saved, args: &Show) {
    let trace = output::shown(&saved.path);
    let message = match args.plan {
        true => Message::Plan { trace, plan: report::sentences(&saved.trace.plan) },
        false => {
            let run = Box::new(View::new(&saved.trace, &filter(&args.shown.events)));
            Message::Shown { trace, run }
        }
    };
    output::tell(&message, String::new);
}

/// Writes what is shown to the file, or to standard output.
pub fn write(bytes: &[u8], to: Option<&Path>) -> Result<(), Problem> {
    match to {
        None => output::print_bytes(bytes)?,
        Some(file) => {
            fs::write(file, bytes).map_err(|error| {
                Problem::could_not_run(format!("cannot write {}: {error}", escaped(&file.to_string_lossy())))
            })?;
            let path = output::shown(file);
            match output::is_for_programs() {
                true => output::tell(&Message::Written { path }, String::new),
                false => output::print_note(&format!("written {path}")),
            }
        }
    }
    Ok(())
}

/// A run in the form that is asked for.
pub fn formatted<'a>(run: impl Into<Shown<'a>>, shown: &Options) -> Vec<u8> {
    let (run, filter) = (run.into(), filter(&shown.events));
    let view = || View::new(run, &filter);
    let text = match shown.format {
        Form::Text => report::timeline(run, &filter, style(shown.output.as_deref())),
        Form::Json => report::json(&view()),
        Form::Html => report::page(&view()),
        Form::Perfetto => report::perfetto(&view()),
        Form::Mermaid => report::mermaid(&view()),
        Form::Pcapng => return report::pcapng(run, &filter),
    };
    text.into_bytes()
}

/// A file has no colours.
pub fn style(to: Option<&Path>) -> Style {
    if to.is_some() { Style::default() } else { output::style() }
}

pub fn filter(events: &Events) -> Filter {
    Filter {
        from: events.from,
        to: events.to,
        tail: events.tail,
        hosts: events.host.clone(),
        task: events.task.clone(),
        connection: events.conn.clone(),
        grep: events.grep.clone(),
    }
}
