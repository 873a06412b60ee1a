//! What the rest of a daemon sees of the link: its state, and a way to ask the other side while it is up.

use crate::answer::{Answer, Code, Query, Refusal};
use crate::browse_log::{self, Event};
use std::sync::Arc;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{Instant, timeout_at};

/// Most questions that wait for the link's task to take them.
pub(crate) const ASKS_MAX: usize = 64;

/// What the link's task is doing.
#[derive(Debug, Clone)]
pub(crate) enum LinkState {
    /// Nothing, until the next attempt or until the other side dials.
    Down {
        /// Why the link is down.
        why: String,
    },
    /// Connecting and shaking hands.
    Dialling {
        /// The attempt.
        epoch: u64,
    },
    /// The other side can be asked.
    Up {
        /// The attempt that came through.
        epoch: u64,
        /// Where questions go. They fail once the link's task is gone, whatever ended it.
        asks: mpsc::Sender<Ask>,
    },
}

/// A question to the other side, and where its answer goes.
#[derive(Debug)]
pub(crate) struct Ask {
    /// The question.
    pub(crate) query: Query,
    /// Until when the asker can use the answer.
    pub(crate) deadline: Instant,
    /// Where the answer goes. Dropped without one when the link goes down.
    pub(crate) reply: oneshot::Sender<Result<Answer, Refusal>>,
}

/// The asker's end.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    state: watch::Receiver<LinkState>,
    wanted: Arc<Notify>,
}

/// The end of the task that owns the link.
#[derive(Debug)]
pub(crate) struct LineOwner {
    state: watch::Sender<LinkState>,
    wanted: Arc<Notify>,
}

/// Both ends of a line whose link is down.
pub(crate) fn line(why: &str) -> (LineOwner, Line) {
    let (sender, receiver) = watch::channel(LinkState::Down { why: why.to_owned() });
    let wanted = Arc::new(Notify::new());
    (LineOwner { state: sender, wanted: Arc::clone(&wanted) }, Line { state: receiver, wanted })
}

impl LineOwner {
    /// Says what the task is doing now.
    pub(crate) fn publish(&self, state: LinkState) {
        self.state.send_replace(state);
    }

    /// Says that the link of `epoch` is up, unless a newer one is: a slow handshake must not replace its successor.
    pub(crate) fn publish_up(&self, epoch: u64, asks: mpsc::Sender<Ask>) -> bool {
        self.state.send_if_modified(|current| {
            let newest = !matches!(current, LinkState::Up { epoch: up, .. } if *up > epoch);
            if newest {
                *current = LinkState::Up { epoch, asks };
            }
            newest
        })
    }

    /// Changes the state if it is still that of `epoch`: a link that was replaced has no say about its successor.
    pub(crate) fn publish_if_still(&self, epoch: u64, state: LinkState) {
        self.state.send_if_modified(|current| {
            let still = matches!(current, LinkState::Up { epoch: up, .. } if *up == epoch);
            if still {
                *current = state;
            }
            still
        });
    }

    /// Returns once the state is no longer that of `epoch`.
    pub(crate) async fn replaced(&self, epoch: u64) {
        let mut state = self.state.subscribe();
        let gone = |state: &LinkState| !matches!(state, LinkState::Up { epoch: up, .. } if *up == epoch);
        // The sender is ours and alive, so this cannot fail.
        let _ = state.wait_for(gone).await;
    }

    /// Returns once somebody asks while the link is down.
    pub(crate) async fn wanted(&self) {
        self.wanted.notified().await;
    }
}

impl Line {
    /// Asks the other side, and says "link down" at once if it is.
    pub(crate) async fn ask(&self, query: Query, deadline: Instant) -> Result<Answer, Refusal> {
        let state = self.state.borrow().clone();
        match state {
            LinkState::Up { asks, .. } => ask_up(asks, query, deadline).await,
            LinkState::Dialling { epoch } => Err(down(&format!("attempt {epoch} is under way"))),
            LinkState::Down { why } => Err(down(&why)),
        }
    }

    /// Asks the other side; if the link is down, has it dialled now and waits for that attempt, until `patience`.
    pub(crate) async fn ask_patiently(
        &self,
        query: Query,
        patience: Instant,
        deadline: Instant,
    ) -> Result<Answer, Refusal> {
        // Whatever comes of the attempt, `ask` looks at the state and tells the reason.
        let _ = timeout_at(patience.min(deadline), self.one_attempt()).await;
        self.ask(query, deadline).await
    }

    /// Returns once the link is up, or an attempt to dial it has failed.
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
    // The link's task may end and drop its receiver while we hold a sender: let go of it before waiting.
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
