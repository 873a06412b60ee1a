//! The runs of an exploration. Most are made in a process that makes several, one after the other; one that does not pass there is made again in a
//! process of its own, and only that verdict counts. Of those that pass, some are made again, too: if one is another run there, none of them counts.

use super::{
    super::{rewind, watch::End},
    Recording, Worker,
};
use crate::{
    engine::call_places,
    job::{Answer, Batch, Ended, RunMessage, Source},
    protocol::Isolation,
    seed::seed_of,
    verdict::Verdict,
};
use std::{io, mem, ops::Range};

/// One run in this many is made again in a process of its own, which must be the same run, and the first that was made after another one.
const CHECKED_ONE_IN: u64 = 500;
/// A process that is begun and ends after fewer runs than this costs more than it saves.
const RUNS_MIN: u64 = 4;
/// So many of those in a row, and each run has a process of its own from then on.
const SHORT_MAX: u32 = 3;

/// Whether processes of this worker make several runs.
#[derive(Debug)]
pub struct Several {
    is_on: bool,
    /// Whether a run that was made after another one has been checked.
    has_checked: bool,
    /// How many processes in a row have made few runs.
    short: u32,
}

impl Several {
    pub fn new(is_on: bool) -> Several {
        Several { is_on, has_checked: false, short: 0 }
    }

    /// Takes note of a process that has ended by itself after so many runs, of more that were wanted.
    fn ended_after(&mut self, runs: u64) {
        self.short = if runs < RUNS_MIN { self.short + 1 } else { 0 };
        self.is_on &= self.short < SHORT_MAX;
    }
}

/// What a process has made.
#[derive(Default)]
struct Made {
    batch: Batch,
    /// The numbers of runs that are to be checked, with what they did.
    checked: Vec<(u64, Ended)>,
    /// Whether the next run has a process of its own, and whether because it failed here.
    is_next_alone: bool,
    has_failed: bool,
}

impl Worker {
    /// Makes the runs with these numbers, up to the first that fails, or to one that is another run in a process of its own.
    pub fn explore(&mut self, base: u64, runs: Range<u64>, isolation: Isolation) -> io::Result<Answer> {
        let mut batch = Batch::default();
        loop {
            let rest = runs.start + batch.runs..runs.end;
            if rest.is_empty() {
                break;
            }
            let mut has_failed = false;
            if self.several.is_on && isolation != Isolation::Fork && rest.end - rest.start > 1 {
                let made = self.make_several(base, rest, isolation)?;
                add(&mut batch, &made.batch);
                for (run, ended) in made.checked {
                    batch.differ += u64::from(!self.is_same_alone(base, run, &ended)?);
                }
                if batch.differ > 0 {
                    break;
                }
                if !made.is_next_alone {
                    continue;
                }
                has_failed = made.has_failed;
            }
            let run = runs.start + batch.runs;
            let ran = match self.run(Source::Seed(seed_of(base, run)), Recording::None)? {
                Answer::Ran(ran) => ran,
                other => return Ok(other),
            };
            batch.runs += 1;
            batch.made_again += ran.made_again;
            batch.coverage.add(&ran.coverage);
            if ran.verdict != Verdict::Passed {
                batch.failed = Some(run);
                break;
            }
            if has_failed {
                batch.differ += 1;
                break;
            }
        }
        Ok(Answer::Explored(batch))
    }

    /// Makes runs in one process, up to the first that does not pass, or after which the process cannot go on.
    fn make_several(&mut self, base: u64, runs: Range<u64>, isolation: Isolation) -> io::Result<Made> {
        let is_checked = |run| isolation == Isolation::Both || run % CHECKED_ONE_IN == CHECKED_ONE_IN - 1;
        let mut has_checked = self.several.has_checked;
        let mut made = Made::default();
        let mut receive = |line: &[u8]| match serde_json::from_slice(line) {
            Ok(RunMessage::Ended(ended)) if ended.verdict == Verdict::Passed => {
                let run = runs.start + made.batch.runs;
                let is_first = made.batch.runs == 1 && !mem::replace(&mut has_checked, true);
                made.batch.runs += 1;
                made.batch.coverage.add(&ended.coverage);
                if is_first || is_checked(run) {
                    made.checked.push((run, *ended));
                }
            }
            Ok(RunMessage::CallPlace { path, place }) => drop(call_places::learn(path, place)),
            // It is repeated, and then heard.
            Ok(RunMessage::Ended(_)) => (made.is_next_alone, made.has_failed) = (true, true),
            Ok(RunMessage::Refused(_)) => made.is_next_alone = true,
            // A process may die within a line.
            _ => {}
        };
        let (test, watch) = (self.test, self.watch(Recording::None));
        let sources = runs.clone().map(move |run| Source::Seed(seed_of(base, run)));
        let end = self.runner.make(watch.poll_limit, &mut receive, |pipe| {
            rewind::make(test.engine, sources, watch, pipe);
        })?;
        self.several.has_checked = has_checked;
        made.batch.rewound = made.batch.runs.saturating_sub(1);
        match end {
            End::Exited(0) if made.is_next_alone => {}
            End::Exited(rewind::LEARNT) => {}
            End::Exited(0) if made.batch.runs < runs.end - runs.start => self.several.ended_after(made.batch.runs),
            End::Exited(0) => self.several.short = 0,
            End::Exited(rewind::CANNOT) => {
                self.several.is_on = false;
                made.batch.forks_each = true;
            }
            _ => made.is_next_alone = true,
        }
        Ok(made)
    }

    /// Returns whether a run is the same in a process of its own.
    fn is_same_alone(&mut self, base: u64, run: u64, ended: &Ended) -> io::Result<bool> {
        let Answer::Ran(ran) = self.run(Source::Seed(seed_of(base, run)), Recording::None)? else { return Ok(false) };
        Ok(ran.verdict == Verdict::Passed && (ran.digest, &ran.coverage) == (ended.digest, &ended.coverage))
    }
}

fn add(batch: &mut Batch, more: &Batch) {
    batch.runs += more.runs;
    batch.coverage.add(&more.coverage);
    batch.rewound += more.rewound;
    batch.forks_each |= more.forks_each;
}
