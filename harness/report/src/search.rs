//! Formats what was searched of a model, how far each search came, and what was not looked for.

use super::{
    Style,
    paint::{DIM, PLAIN, columns, lines, padded, paint},
    words::{at, counted, grouped},
};
use refrain_core::{
    escape::escaped,
    protocol::{EngineLimit, Fewest, How, Sampler, SearchEnd, Searched},
};

/// Wide enough for numbers below a thousand million.
const COUNT_WIDTH: usize = 11;
const COMPLETE: &str = "complete";
/// The question about an execution with too many steps.
const LOOP: &str = "is there a loop that never ends, or that waits for another thread without `yield_now`?";

/// Formats what was searched and how that ended: `loom, any preemptions: complete`.
pub fn searched(searched: &Searched) -> String {
    match end(searched) {
        end if end.is_empty() => by(searched),
        end => format!("{}: {end}", by(searched)),
    }
}

/// Formats how the search of a model ended, by its last engine, and what was not looked for if it was only sampled; empty if
/// there was none.
pub fn last_engine(engines: &[Searched]) -> String {
    let last = engines.last().filter(|last| !end(last).is_empty());
    last.map(|last| escaped(&searched(last))).or_else(|| only_sampled(engines)).unwrap_or_default()
}

/// Formats what each engine searched of a model, as a table, and what was not looked for if it was only sampled; empty if
/// there is none.
pub fn engines(engines: &[Searched], style: Style) -> String {
    let names: Vec<String> = engines.iter().map(|searched| escaped(&by(searched))).collect();
    let width = names.iter().map(|name| columns(name)).max().unwrap_or(0).max("engine".len());
    let mut text = String::new();
    if !engines.is_empty() {
        let engine = padded("engine", width, PLAIN, style);
        let titles = format!("{engine}{:>COUNT_WIDTH$}{:>COUNT_WIDTH$}", "executions", "time");
        text += &format!("{}\n", paint(&titles, DIM, style));
    }
    for (name, searched) in names.iter().zip(engines) {
        let (name, time) = (padded(name, width, PLAIN, style), format!("{:.2} s", searched.took_ms as f64 / 1_000.0));
        let row = format!(
            "{name}{:>COUNT_WIDTH$}{time:>COUNT_WIDTH$}  {}",
            grouped(searched.executions),
            escaped(&end(searched))
        );
        text += &format!("{}\n", row.trim_end());
    }
    for line in only_sampled(engines).iter().flat_map(|note| lines(note, 0, style)) {
        text += &format!("{line}\n");
    }
    text
}

/// Formats what was looked for and what was not, if no exhaustive search came further than to a limit of its engine. Under
/// all samplers but the directed one each load reads the newest value. Vector clocks detect data races.
fn only_sampled(engines: &[Searched]) -> Option<String> {
    let (exhaustive, sampled): (Vec<&Searched>, Vec<&Searched>) =
        engines.iter().partition(|searched| searched.how.is_exhaustive());
    let is_limited = |searched: &&Searched| matches!(searched.end, SearchEnd::Limited(_));
    if sampled.is_empty() || !exhaustive.iter().all(is_limited) {
        return None;
    }
    // The last execution was not completed.
    let made: u64 = exhaustive.iter().map(|searched| searched.executions.saturating_sub(1)).sum();
    let is_directed = |searched: &&&Searched| searched.how == How::Sampled(Sampler::Directed);
    let made = made + sampled.iter().filter(is_directed).map(|searched| searched.executions).sum::<u64>();
    let stale_reads = match made {
        0 => "were not: each load read the newest value".to_owned(),
        made => format!("in no more than {}", counted(made, "executions")),
    };
    Some(format!("only sampled: data races were looked for, by vector clocks; stale reads {stale_reads}"))
}

/// Formats what each engine searched of all models together, as a table; empty if there is none.
pub fn all_engines<'a>(searched: impl IntoIterator<Item = &'a Searched>, style: Style) -> String {
    let mut all: Vec<(&Searched, u64, u64, u64)> = vec![];
    for one in searched {
        let is_same = |(other, ..): &(&Searched, u64, u64, u64)| (&other.engine, other.how) == (&one.engine, one.how);
        let nth = all.iter().position(is_same).unwrap_or_else(|| {
            all.push((one, 0, 0, 0));
            all.len() - 1
        });
        let (_, models, made, complete) = &mut all[nth];
        *models += 1;
        *made += one.executions;
        *complete += u64::from(one.end == SearchEnd::Complete);
    }
    if all.is_empty() {
        return String::new();
    }
    let names: Vec<String> = all.iter().map(|(searched, ..)| escaped(&by(searched))).collect();
    let width = names.iter().map(|name| columns(name)).max().unwrap_or(0).max("engine".len());
    let row = |name: &str, numbers: [String; 3], ink| {
        let numbers = numbers.map(|number| format!("{number:>COUNT_WIDTH$}")).concat();
        format!("{}\n", paint(&format!("{}{numbers}", padded(name, width, PLAIN, style)), ink, style))
    };
    let titles = row("engine", ["models", "executions", COMPLETE].map(str::to_owned), DIM);
    let numbers = all.iter().map(|(_, models, made, complete)| [*models, *made, *complete].map(grouped));
    titles + &names.iter().zip(numbers).map(|(name, numbers)| row(name, numbers, PLAIN)).collect::<String>()
}

/// Formats why an engine cannot continue.
pub fn engine_limit(limit: &EngineLimit) -> String {
    match limit {
        EngineLimit::TooManySteps => format!("an execution has more steps than it explores: {LOOP}"),
        EngineLimit::AlwaysTooManySteps { most } => {
            format!("every execution has more than {} steps: {LOOP}", grouped(*most as u64))
        }
        EngineLimit::TooManyThreads { most } => {
            format!("it models up to {most} threads, the model's own among them")
        }
        EngineLimit::TooManyOperations { most } => format!(
            "an execution has more than {most} operations on atomics, too many to put SeqCst in order: is there a loop that \
             waits for another thread?"
        ),
        EngineLimit::TooManyAtomics { most } => {
            format!(
                "it is prepared for {most} atomics of unmodified dependencies in an execution, and the model has more"
            )
        }
        EngineLimit::OneThread => "never can two threads go on, so there is no order to choose".to_owned(),
        EngineLimit::Time { call } => format!("it models no time, and the model calls {call}"),
        EngineLimit::NotLeft { place, message } => {
            format!("an execution that SeqCst forbids could not be left{}: {message}", at(place))
        }
        EngineLimit::Checkpoint { error } => error.clone(),
        EngineLimit::Panicked { place, message } => format!("it panicked{}: {message}", at(place)),
    }
}

/// Formats how few preemptions are enough.
pub fn fewest(fewest: &Fewest) -> String {
    match fewest {
        Fewest::Needed(0) => "it needs no preemption".to_owned(),
        Fewest::Needed(preemptions) => format!(
            "without old values, no execution with fewer than {} fails",
            counted(*preemptions as u64, "preemptions")
        ),
        Fewest::NotFound { executions, preemptions, all: true } => format!(
            "without old values, none of {} with up to {} fails so",
            counted(*executions, "executions"),
            counted(*preemptions as u64, "preemptions")
        ),
        Fewest::NotFound { executions, preemptions, all: false } => format!(
            "without old values, none of {} fails so; the last ones had {}",
            counted(*executions, "executions"),
            counted(*preemptions as u64, "preemptions")
        ),
    }
}

/// Formats engine and strategy: `loom, at most 1 preemption`, `shuttle, random`.
fn by(Searched { engine, how, .. }: &Searched) -> String {
    let how = match how {
        How::Sampled(Sampler::Directed) => "directed at conflicts".to_owned(),
        How::Sampled(Sampler::Random) => "random".to_owned(),
        How::Sampled(Sampler::Pct(depth)) => format!("PCT of depth {depth}"),
        How::Sampled(Sampler::Walk) => "uniform random walk".to_owned(),
        How::Sampled(Sampler::Overlap) => "overlapping accesses".to_owned(),
        How::Sampled(Sampler::Few) => "few preemptions".to_owned(),
        How::Exhaustive { preemptions: bound, total_order } => {
            let bound = match bound {
                None => "any preemptions".to_owned(),
                Some(0) => "no preemption".to_owned(),
                Some(most) => format!("at most {}", counted(u64::from(*most), "preemptions")),
            };
            format!("{bound}{}", if *total_order { ", SeqCst in one order" } else { "" })
        }
    };
    format!("{engine}, {how}")
}

/// Formats why a search ended; empty for samples that used up their budget, which is the normal case.
fn end(Searched { how, end, abandoned, .. }: &Searched) -> String {
    match end {
        SearchEnd::Budget if *abandoned > 0 => {
            format!("{} abandoned for too many steps: {LOOP}", counted(*abandoned, "executions"))
        }
        SearchEnd::Complete => COMPLETE.to_owned(),
        SearchEnd::Budget if how.is_exhaustive() => "stopped at its share of the budget".to_owned(),
        SearchEnd::Budget => String::new(),
        SearchEnd::Found => "found a failure".to_owned(),
        SearchEnd::NotConfirmed(class) => format!("{class} not confirmed: the memory model forbids that execution"),
        SearchEnd::Limited(limit) => format!("stopped: {}", engine_limit(limit)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use refrain_core::verdict::Class;

    fn one(engine: &str, how: How, executions: u64, end: SearchEnd) -> Searched {
        Searched { engine: engine.into(), how, executions, abandoned: 0, took_ms: 1_234, end }
    }

    fn exhaustive(preemptions: Option<u8>, end: SearchEnd) -> Searched {
        one("loom", How::Exhaustive { preemptions, total_order: false }, 7, end)
    }

    fn sampled() -> Searched {
        one("shuttle", How::Sampled(Sampler::Random), 1_250, SearchEnd::Budget)
    }

    #[test]
    fn where_only_sampling_ran_it_is_told_what_was_not_looked_for() {
        let limited = SearchEnd::Limited(EngineLimit::TooManyThreads { most: 5 });
        let looms = |executions| Searched { executions, ..exhaustive(Some(0), limited.clone()) };
        let expected = "\
engine              executions       time
loom, no preemption          1     1.23 s  stopped: it models up to 5 threads, the model's own among them
shuttle, random          1,250     1.23 s
only sampled: data races were looked for, by vector clocks; stale reads were not: each load read the newest value
";
        assert_eq!(engines(&[looms(1), sampled()], Style::default()), expected);
        assert_eq!(
            last_engine(&[sampled()]),
            "only sampled: data races were looked for, by vector clocks; stale reads were not: each load read the newest \
             value"
        );
        let some = last_engine(&[looms(8), sampled()]);
        assert!(some.ends_with("; stale reads in no more than 7 executions"), "{some}");
        let directed =
            last_engine(&[one("shuttle", How::Sampled(Sampler::Directed), 16, SearchEnd::Budget), sampled()]);
        assert!(directed.ends_with("; stale reads in no more than 16 executions"), "{directed}");
        assert_eq!(last_engine(&[exhaustive(None, SearchEnd::Budget), sampled()]), "");
    }

    #[test]
    fn engines_tell_what_they_searched() {
        let searched = [sampled(), exhaustive(Some(0), SearchEnd::Complete)];
        let expected = "\
engine              executions       time
shuttle, random          1,250     1.23 s
loom, no preemption          7     1.23 s  complete
";
        assert_eq!(engines(&searched, Style::default()), expected);
        assert_eq!(engines(&[], Style::default()), "");
        assert_eq!(last_engine(&searched), "loom, no preemption: complete");
        assert_eq!(last_engine(&[]), "");
        let two = [searched.clone(), searched].concat();
        let expected = "\
engine                  models executions   complete
shuttle, random              2      2,500          0
loom, no preemption          2         14          2
";
        assert_eq!(all_engines(&two, Style::default()), expected);
        assert_eq!(all_engines([], Style::default()), "");
    }

    #[test]
    fn a_search_tells_how_it_ended() {
        let check = |end, expected: &str| assert_eq!(searched(&exhaustive(Some(1), end)), expected);
        check(SearchEnd::Budget, "loom, at most 1 preemption: stopped at its share of the budget");
        check(
            SearchEnd::NotConfirmed(Class::Panic),
            "loom, at most 1 preemption: panic not confirmed: the memory model forbids that execution",
        );
        check(
            SearchEnd::Limited(EngineLimit::TooManyThreads { most: 5 }),
            "loom, at most 1 preemption: stopped: it models up to 5 threads, the model's own among them",
        );
    }

    #[test]
    fn executions_that_were_abandoned_are_told() {
        let end = "1 execution abandoned for too many steps: is there a loop that never ends, or that waits for \
                   another thread without `yield_now`?";
        assert_eq!(searched(&Searched { abandoned: 1, ..sampled() }), format!("shuttle, random: {end}"));
    }

    #[test]
    fn the_fewest_preemptions_are_told_with_what_was_looked_at() {
        let check = |what, expected: &str| assert_eq!(fewest(&what), expected);
        check(Fewest::Needed(0), "it needs no preemption");
        check(Fewest::Needed(1), "without old values, no execution with fewer than 1 preemption fails");
        check(
            Fewest::NotFound { executions: 1_200, preemptions: 2, all: true },
            "without old values, none of 1,200 executions with up to 2 preemptions fails so",
        );
    }
}
