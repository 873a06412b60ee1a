//! Searches the whole tree of executions with up to so many preemptions, on all workers.
//!
//! One worker begins alone. A search that is not done after [`ALONE`] executions is split where it stands, and each of
//! its parts is again, if it is not done after [`PART`]. A part ends when the search would leave it; the races that it
//! found show then, as marks on the choices before it, and each mark is a part to do, once. So together the workers
//! make exactly the executions that one of them would make.

use super::{Budget, COMPLETE, Part, Refusal};
use crate::{
    driver::refused,
    interleaving::loom::{Path, split},
    plan::{Choice, Plan},
    protocol,
    worker::{
        Pool, Worker,
        job::{Answer, Job, Search, Searched},
    },
};
use std::{
    collections::HashSet,
    sync::{Condvar, Mutex},
    thread,
    time::Instant,
};

/// How many executions one worker makes before the search is split; splitting a small one costs more than it gains.
const ALONE: u64 = 512;
/// How many executions a part has before it is split again.
const PART: u64 = 2_048;

/// A part that is to be done.
struct Todo {
    from: String,
    /// How many of its first choices make it what it is.
    within: usize,
}

struct Desk {
    todo: Vec<Todo>,
    /// The first choices of every part that ever was.
    known: HashSet<Vec<Choice>>,
    busy: usize,
    executions: u64,
    failed: Option<Plan>,
    /// Why it is not complete.
    stopped: Option<(String, bool)>,
    refused: Option<Refusal>,
}

/// Searches with at most so many preemptions; `None`: with any number.
pub(super) fn exhaust(
    pool: &mut Pool,
    preemptions: Option<u8>,
    fences: bool,
    budget: &Budget,
    share: f64,
    started: Instant,
    unlimited: bool,
) -> Result<Part, Refusal> {
    let left = || match unlimited {
        true if budget.is_stopped() => 0,
        true => u64::MAX,
        false => budget.left(share, started),
    };
    let desk = Desk {
        todo: vec![Todo { from: Path::whole(preemptions).to_string(), within: 0 }],
        known: HashSet::new(),
        busy: 0,
        executions: 0,
        failed: None,
        stopped: None,
        refused: None,
    };
    let begun = Instant::now();
    let alone = pool.workers().len() == 1;
    let shared = Shared { desk: Mutex::new(desk), changed: Condvar::new(), alone, fences, left: &left, budget };
    thread::scope(|scope| {
        for worker in pool.workers() {
            scope.spawn(|| work(worker, &shared));
        }
    });
    let desk = shared.desk.into_inner().expect("no worker panics");
    if let Some(why) = desk.refused {
        return Err(why);
    }
    let (end, is_sound) = match (&desk.failed, desk.stopped) {
        (Some(_), _) => ("found a failure".to_owned(), true),
        (None, Some(stopped)) => stopped,
        (None, None) => (COMPLETE.to_owned(), true),
    };
    let (by, took_ms) = (name(preemptions, fences), begun.elapsed().as_millis() as u64);
    let searched = protocol::Searched { by, executions: desk.executions, took_ms, end };
    Ok(Part { searched, failed: desk.failed, is_sound })
}

/// `loom, at most 1 preemption`.
fn name(preemptions: Option<u8>, fences: bool) -> String {
    let bound = match preemptions {
        None => "any preemptions".to_owned(),
        Some(0) => "no preemption".to_owned(),
        Some(1) => "at most 1 preemption".to_owned(),
        Some(most) => format!("at most {most} preemptions"),
    };
    format!("loom, {bound}{}", if fences { ", SeqCst accesses as fences" } else { "" })
}

/// What the workers share.
struct Shared<'a> {
    desk: Mutex<Desk>,
    changed: Condvar,
    /// Whether there is one worker only.
    alone: bool,
    fences: bool,
    /// How many executions may still be made.
    left: &'a (dyn Fn() -> u64 + Sync),
    budget: &'a Budget<'a>,
}

fn work(worker: &mut Worker, shared: &Shared) {
    while let Some((todo, within, executions)) = take(shared) {
        let search = Search::Exhaust { from: todo.from, fences: shared.fences, executions, within };
        let answer = worker.ask(&Job::Search(search)).map_err(refused);
        let mut desk = shared.desk.lock().expect("no worker panics");
        desk.busy -= 1;
        match answer {
            Ok(Answer::Searched(searched)) => {
                shared.budget.add(searched.executions);
                put(&mut desk, *searched, todo.within, within.is_some(), shared.alone);
            }
            Ok(Answer::Refused(why)) | Err(why) => desk.refused = Some(why),
            Ok(_) => desk.refused = Some("a worker answered another question than it was asked".into()),
        }
        shared.changed.notify_all();
    }
    shared.changed.notify_all();
}

/// A part to do, how many of its choices are watched, and the most executions.
fn take(shared: &Shared) -> Option<(Todo, Option<usize>, u64)> {
    let mut desk = shared.desk.lock().expect("no worker panics");
    loop {
        if desk.failed.is_some() || desk.stopped.is_some() || desk.refused.is_some() {
            return None;
        }
        let left = (shared.left)();
        match desk.todo.pop() {
            Some(_) if left == 0 => {
                desk.stopped = Some(("stopped at its share of the budget".to_owned(), true));
                return None;
            }
            Some(todo) => {
                desk.busy += 1;
                // The whole tree is never left, so nothing has to be looked at while it is searched.
                let (within, most) = if todo.within == 0 && (shared.alone || desk.executions == 0) {
                    (None, ALONE)
                } else {
                    (Some(todo.within), PART)
                };
                return Some((todo, within, most.min(left)));
            }
            None if desk.busy == 0 => return None,
            None => desk = shared.changed.wait(desk).expect("no worker panics"),
        }
    }
}

fn put(desk: &mut Desk, searched: Searched, within: usize, in_parts: bool, alone: bool) {
    desk.executions += searched.executions;
    if searched.failed.is_some() {
        desk.failed = desk.failed.take().or(searched.failed);
        return;
    }
    if let Some(limit) = searched.limit {
        desk.stopped = Some((format!("stopped: {limit}"), false));
        return;
    }
    let Some(next) = searched.next else { return };
    if alone {
        return desk.todo.push(Todo { from: next, within });
    }
    let path = match Path::parse(&next) {
        Ok(path) => path,
        Err(why) => return desk.refused = Some(why),
    };
    let has_left = in_parts && path.len() <= within;
    for (choices, part) in split(&path, if has_left { within } else { path.len() }) {
        let within = choices.len();
        if desk.known.insert(choices) {
            desk.todo.push(Todo { from: part.to_string(), within });
        }
    }
}
