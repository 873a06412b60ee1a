//! Searches the whole tree of executions with a bounded number of preemptions, on all workers.
//!
//! The rest of the tree is a list of parts, in the order in which a single worker would search them. Each worker takes
//! the next free part, and a result counts once everything before it has counted: so the number of executions, the
//! first failure and the end of the budget do not depend on the number of workers.
//!
//! A part that is not complete after some executions is stopped and, if other workers would be idle, split at its
//! current position. A part is also complete when its search would leave it: the races that it found have then marked
//! the choices before it, and each mark becomes a new part, once.

mod parts;

use super::{
    budget::{Part, Share},
    loom::{Loom, Path},
    searcher::Searcher,
};
use crate::{
    engine::{Ask, Refusal, Workers, unexpected},
    job::{Answer, Job, Search, Searched},
    plan::Plan,
    protocol::{self, EngineLimit, How, SearchEnd},
};
pub(super) use parts::Parts;
use std::{
    sync::{Condvar, Mutex},
    thread,
    time::Instant,
};

/// Number of executions after which a worker stops to check whether others need work; if not, it continues.
const UNTIL_SPLIT: u64 = 128;
const UNTIL_REPORT: u64 = 1_024;

struct WorkQueue {
    parts: Parts,
    executions: u64,
    failed: Option<Plan>,
    /// Whether its share of the budget is used up.
    is_late: bool,
    /// The limit that stopped the engine.
    limit: Option<EngineLimit>,
    refused: Option<Refusal>,
}

/// State shared by the workers.
struct Shared<'a> {
    queue: Mutex<WorkQueue>,
    changed: Condvar,
    workers: usize,
    total_order: bool,
    share: Share<'a>,
}

/// Searches with at most this many preemptions; `None` for any number.
pub(super) fn exhaust(
    workers: &mut dyn Workers,
    preemptions: Option<u8>,
    total_order: bool,
    share: Share<'_>,
) -> Result<Part, Refusal> {
    Ok(resume(workers, preemptions, total_order, share, None)?.0)
}

/// The same from where an earlier search by one worker stopped, if there is one; also returns where it stops.
pub(super) fn resume(
    workers: &mut dyn Workers,
    preemptions: Option<u8>,
    total_order: bool,
    share: Share<'_>,
    from: Option<Parts>,
) -> Result<(Part, Parts), Refusal> {
    let parts = from.unwrap_or_else(|| Parts::whole(Path::whole(preemptions).to_string()));
    let queue = WorkQueue { parts, executions: 0, failed: None, is_late: false, limit: None, refused: None };
    let begun = Instant::now();
    let all = workers.all();
    let workers = all.len();
    let shared = Shared { queue: Mutex::new(queue), changed: Condvar::new(), workers, total_order, share };
    thread::scope(|scope| {
        for worker in all {
            scope.spawn(|| work(worker, &shared));
        }
    });
    let queue = shared.queue.into_inner().expect("no worker panics");
    if let Some(why) = queue.refused {
        return Err(why);
    }
    let end = match (&queue.failed, &queue.limit) {
        (Some(_), _) => SearchEnd::Found,
        (None, Some(limit)) => SearchEnd::Limited(limit.clone()),
        (None, None) if queue.is_late => SearchEnd::Budget,
        (None, None) => SearchEnd::Complete,
    };
    let searched = protocol::Searched {
        engine: Loom.version().name,
        how: How::Exhaustive { preemptions, total_order },
        executions: queue.executions,
        abandoned: 0,
        took_ms: begun.elapsed().as_millis() as u64,
        end,
    };
    Ok((Part { searched, failed: queue.failed }, queue.parts))
}

fn work(worker: &mut dyn Ask, shared: &Shared) {
    while wait_for_a_part(shared) {
        // A worker must not hold a slot while it waits for a part, because the worker that will provide one may need
        // it.
        let Some(slot) = worker.slot() else { continue };
        let Some((id, search)) = take(shared) else { continue };
        let answer = worker.ask(&Job::Search(search), slot);
        let mut queue = shared.queue.lock().expect("no worker panics");
        match answer {
            Ok(Answer::Searched(searched)) => {
                if let Err(why) = queue.parts.done(id, *searched) {
                    queue.refused = Some(why);
                }
                while queue.is_going_on()
                    && let Some((searched, within)) = queue.parts.next_made()
                {
                    queue.count(searched, within, shared);
                }
            }
            Ok(Answer::Refused(why)) | Err(why) => queue.refused = Some(why),
            Ok(_) => queue.refused = Some(unexpected()),
        }
        shared.changed.notify_all();
    }
}

/// Waits until there is a part to search; returns `false` if there will be none.
fn wait_for_a_part(shared: &Shared) -> bool {
    let mut queue = shared.queue.lock().expect("no worker panics");
    while queue.is_going_on() && !queue.parts.is_empty() {
        let left = shared.share.left();
        if left == 0 {
            queue.is_late = true;
            shared.changed.notify_all();
            break;
        }
        if queue.parts.has_next(left) {
            return true;
        }
        queue = shared.changed.wait(queue).expect("no worker panics");
    }
    false
}

/// Takes a part, unless another worker took it first.
fn take(shared: &Shared) -> Option<(u64, Search)> {
    let mut queue = shared.queue.lock().expect("no worker panics");
    if !queue.is_going_on() {
        return None;
    }
    let is_needed = shared.workers > 1 && queue.parts.todo() <= shared.workers;
    let most = if is_needed { UNTIL_SPLIT } else { UNTIL_REPORT };
    let (id, from, within, executions) = queue.parts.take(shared.share.left(), most)?;
    Some((id, Search::Exhaust { from, total_order: shared.total_order, executions, within }))
}

impl WorkQueue {
    fn is_going_on(&self) -> bool {
        self.failed.is_none() && !self.is_late && self.limit.is_none() && self.refused.is_none()
    }

    /// Counts the result of the next part, after everything before it.
    fn count(&mut self, searched: Searched, within: usize, shared: &Shared) {
        let counted = shared.share.count(searched.executions);
        self.executions += counted;
        if counted < searched.executions {
            self.is_late = true;
        } else if searched.failed.is_some() {
            self.failed = searched.failed;
        } else if let Some(limit) = searched.limit {
            self.limit = Some(limit);
        } else if let Some(next) = searched.next {
            let idle = shared.workers > 1 && self.parts.todo() < shared.workers;
            if let Err(why) = self.parts.put_back(next, within, idle) {
                self.refused = Some(why);
            }
        }
    }
}
