//! The rest of the daemon's view of the link: its state, and sending queries to the other side while it is up.

use crate::access::{Attributed, Identity};
use crate::answer::{Answer, Code, Query, Refusal};
use crate::browse_log::{self, Event};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{Instant, timeout_at};

/// Maximum number of queries that wait for the link's task to take them.
pub(crate) const ASKS_MAX: usize = 64;

/// The state of the link's task.
#[derive(Debug, Clone)]
pub(crate) enum LinkState {
    /// Idle until the next attempt, or until the other side dials.
    Down {
        /// Why the link is down.
        why: String,
    },
    /// Connecting and handshaking.
    Dialling {
        /// The attempt.
        epoch: u64,
    },
    /// Queries can be sent to the other side.
    Up {
        /// Who answers.
        peer: Identity,
        /// The queue of queries. They fail once the link's task has ended, for whatever reason.
        asks: mpsc::Sender<Ask>,
    },
}

/// A query to the other side, and where its answer goes.
#[derive(Debug)]
pub(crate) struct Ask {
    /// The query.
    pub(crate) query: Query,
    /// The deadline of the caller.
    pub(crate) deadline: Instant,
    /// Where the answer goes. Dropped without one when the link goes down.
    pub(crate) reply: oneshot::Sender<Result<Answer, Refusal>>,
}

/// The callers' end.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    state: watch::Receiver<LinkState>,
    wanted: Arc<Notify>,
    stats: Arc<Mutex<Stats>>,
}

/// The queries to the other side, for reports.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stats {
    /// How many were sent.
    pub(crate) requests: u64,
    /// How many were answered or refused by the other side.
    pub(crate) answered: u64,
    /// The time that these took, in milliseconds.
    pub(crate) total_ms: u64,
    /// The longest of these times, in milliseconds.
    pub(crate) max_ms: u64,
}

/// The link task's end.
#[derive(Debug)]
pub(crate) struct LineOwner {
    state: watch::Sender<LinkState>,
    wanted: Arc<Notify>,
}

/// Creates both ends, with the link down.
pub(crate) fn line(why: &str) -> (LineOwner, Line) {
    let (sender, receiver) = watch::channel(LinkState::Down { why: why.to_owned() });
    let wanted = Arc::new(Notify::new());
    (LineOwner { state: sender, wanted: Arc::clone(&wanted) }, Line { state: receiver, wanted, stats: Arc::default() })
}

impl LineOwner {
    /// Publishes the state of the link's task.
    pub(crate) fn publish(&self, state: LinkState) {
        self.state.send_replace(state);
    }

    /// Waits until a query needs the link while it is down.
    pub(crate) async fn wanted(&self) {
        self.wanted.notified().await;
    }
}

impl Line {
    /// Queries the other side, and fails at once if the link is down.
    pub(crate) async fn ask(&self, query: Query, deadline: Instant) -> Result<Attributed, Refusal> {
        let state = self.state.borrow().clone();
        match state {
            LinkState::Up { asks, peer, .. } => {
                self.count(|stats| stats.requests += 1);
                let sent_at = Instant::now();
                let outcome = ask_up(asks, query, deadline).await;
                if !matches!(&outcome, Err(refusal) if matches!(refusal.code, Code::LinkDown | Code::TimedOut)) {
                    let ms = sent_at.elapsed().as_millis() as u64;
                    self.count(|stats| {
                        stats.answered += 1;
                        stats.total_ms += ms;
                        stats.max_ms = stats.max_ms.max(ms);
                    });
                }
                outcome.map(|answer| Attributed { answer, by: peer })
            }
            LinkState::Dialling { epoch } => Err(down(&format!("attempt {epoch} is under way"))),
            LinkState::Down { why } => Err(down(&why)),
        }
    }

    /// Returns the state of the link.
    pub(crate) fn state(&self) -> LinkState {
        self.state.borrow().clone()
    }

    /// Returns the numbers of queries so far.
    pub(crate) fn stats(&self) -> Stats {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn count(&self, change: impl FnOnce(&mut Stats)) {
        change(&mut self.stats.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Queries the other side; if the link is down, has it dialled now and waits for that attempt, until `patience`.
    pub(crate) async fn ask_patiently(
        &self,
        query: Query,
        patience: Instant,
        deadline: Instant,
    ) -> Result<Attributed, Refusal> {
        // Whatever the outcome of the attempt, `ask` checks the state and reports the reason.
        let _ = timeout_at(patience.min(deadline), self.one_attempt()).await;
        self.ask(query, deadline).await
    }

    /// Waits until the link is up, or an attempt to dial it has failed.
    async fn one_attempt(&self) {
        let mut state = self.state.clone();
        let mut dialled = false;
        loop {
            match *state.borrow_and_update() {
                LinkState::Up { .. } => return,
                LinkState::Dialling { .. } => dialled = true,
                LinkState::Down { .. } if dialled => return,
                LinkState::Down { .. } => self.wanted.notify_one(),
            }
            if state.changed().await.is_err() {
                return;
            }
        }
    }
}

async fn ask_up(asks: mpsc::Sender<Ask>, query: Query, deadline: Instant) -> Result<Answer, Refusal> {
    let (reply, answered) = oneshot::channel();
    let late = || Refusal::new(Code::TimedOut, "the other side did not answer in time");
    let ask = Ask { query, deadline, reply };
    match timeout_at(deadline, asks.send(ask)).await {
        Ok(Ok(())) => {}
        Ok(Err(_)) => return Err(down("it went down just now")),
        Err(_) => return Err(late()),
    }
    // The link's task may end and drop its receiver while we hold a sender, so it is dropped before waiting.
    drop(asks);
    match timeout_at(deadline, answered).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(down("it went down while the other side was asked")),
        Err(_) => Err(late()),
    }
}

fn down(why: &str) -> Refusal {
    let event = Event::LinkDown { why: why.to_owned() };
    browse_log::report(&event);
    Refusal::new(Code::LinkDown, event.to_string())
}
