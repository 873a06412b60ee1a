//! The slots of sessions and their states, open, closing and closed: each session is closed once, after its last use.
//!
//! All shared state is one word per slot, and every change of it is one compare-and-exchange: there is no step between
//! reading a count and acting on it, which is where two threads once deleted the same session (Q289795).

use super::sync::atomic::{AtomicU64, Ordering};
use super::waiting::{Queue, Waiting};
use std::fmt;

/// Maximum number of slots: a handle has 16 bits for them.
pub const SLOTS_MAX: usize = 1 << SLOT_BITS;
const SLOT_BITS: u32 = 16;

/// The slots. Their number limits how many sessions are open or closing at the same time.
#[derive(Debug)]
pub struct Table {
    words: Box<[AtomicU64]>,
    queue: Queue,
}

/// Identifies a session by slot and generation, so that the handle of a closed one is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(u64);

/// The obligation to close a session, for whoever released it last. Its slot is taken until [`Table::closed`].
#[derive(Debug)]
#[must_use = "a session whose closing is dropped keeps its slot for ever"]
pub struct Closing(Handle);

/// The state of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It has no session.
    Closed,
    /// The session can be used.
    Open,
    /// The session cannot be acquired any more, and closes after the last release.
    Closing,
}

/// Why a handle cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The session is closed, or never existed.
    #[error("the session is closed: open a new one")]
    Stale,
    /// The session is being closed.
    #[error("the session is being closed: open a new one")]
    Closing,
    /// Released more often than it was opened and acquired.
    #[error("nobody holds the session")]
    NotHeld,
    /// The count is at its maximum.
    #[error("{COUNT_MAX} hold the session already")]
    Crowded,
}

/// A session in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Its handle.
    pub handle: Handle,
    /// Open or closing.
    pub state: State,
    /// Number of holds.
    pub holds: u32,
}

impl Table {
    /// Creates a table with room for `limit` sessions: at least one, at most [`SLOTS_MAX`].
    pub fn new(limit: usize) -> Self {
        let empty = || AtomicU64::new(Word { generation: 1, state: State::Closed, used: false, count: 0 }.pack());
        let words = (0..limit.clamp(1, SLOTS_MAX)).map(|_| empty()).collect();
        Self { words, queue: Queue::new() }
    }

    /// Opens a session, held by the caller; `None` while every slot is taken.
    pub fn open(&self) -> Option<Handle> {
        (0..self.words.len()).find_map(|slot| {
            let open = |word: Word| match word.state {
                State::Closed => Ok(Word { state: State::Open, used: true, count: 1, ..word }),
                State::Open | State::Closing => Err(Refused::Stale),
            };
            self.change(slot, open).ok().map(|opened| Handle::new(slot, opened.generation))
        })
    }

    /// Acquires another hold of an open session.
    ///
    /// # Errors
    /// [`Refused::Closing`] and [`Refused::Stale`] if it is no longer open, [`Refused::Crowded`].
    pub fn acquire(&self, handle: Handle) -> Result<(), Refused> {
        let acquire = |word: Word| match word.state {
            State::Open if word.count == COUNT_MAX => Err(Refused::Crowded),
            State::Open => Ok(Word { count: word.count + 1, used: true, ..word }),
            State::Closing => Err(Refused::Closing),
            State::Closed => Err(Refused::Stale),
        };
        self.change_session(handle, acquire).map(drop)
    }

    /// Releases a hold. The caller that releases the last one has to close the session.
    ///
    /// # Errors
    /// [`Refused::Stale`] and [`Refused::NotHeld`]: it was released too often.
    pub fn release(&self, handle: Handle) -> Result<Option<Closing>, Refused> {
        let release = |word: Word| match word.count {
            0 if word.state == State::Closed => Err(Refused::Stale),
            0 => Err(Refused::NotHeld),
            1 => Ok(Word { count: 0, state: State::Closing, ..word }),
            _ => Ok(Word { count: word.count - 1, ..word }),
        };
        let released = self.change_session(handle, release)?;
        Ok((released.count == 0).then_some(Closing(handle)))
    }

    /// Prevents further holds of a session, for whatever cause: it closes after the last release.
    ///
    /// # Errors
    /// [`Refused::Closing`] and [`Refused::Stale`] if it was revoked before.
    pub fn revoke(&self, handle: Handle) -> Result<(), Refused> {
        let revoke = |word: Word| match word.state {
            State::Open => Ok(Word { state: State::Closing, ..word }),
            State::Closing => Err(Refused::Closing),
            State::Closed => Err(Refused::Stale),
        };
        self.change_session(handle, revoke).map(drop)
    }

    /// Revokes the sessions held only by their opener and not acquired since the previous sweep, and returns them.
    pub fn sweep(&self) -> Vec<Handle> {
        let sweep = |word: Word| match word.state {
            State::Open if word.used => Ok(Word { used: false, ..word }),
            State::Open if word.count == 1 => Ok(Word { state: State::Closing, ..word }),
            _ => Err(Refused::Stale),
        };
        let swept = |slot| self.change(slot, sweep).ok().map(|word| (slot, word));
        let revoked = (0..self.words.len()).filter_map(swept).filter(|(_, word)| word.state == State::Closing);
        revoked.map(|(slot, word)| Handle::new(slot, word.generation)).collect()
    }

    /// Marks the session as closed: its slot is free, its handle stale, and the longest waiter for a slot is woken.
    pub fn closed(&self, closing: Closing) {
        let generation = closing.0.generation().wrapping_add(1);
        let free = Word { generation, state: State::Closed, used: false, count: 0 };
        // No other thread changes a closing word with a count of 0, so a plain store suffices.
        self.words[closing.0.slot()].store(free.pack(), Ordering::Release);
        self.queue.wake_one();
    }

    /// Returns a place in the queue for a slot.
    pub fn waiting(&self) -> Waiting<'_, impl Fn() -> bool> {
        Waiting::new(&self.queue, || self.has_free_slot())
    }

    /// Returns the sessions that are open or closing, by slot, each as of when it was read.
    pub fn sessions(&self) -> impl Iterator<Item = View> {
        let view = |slot| {
            let Word { generation, state, count, .. } = self.word(slot);
            View { handle: Handle::new(slot, generation), state, holds: count }
        };
        (0..self.words.len()).map(view).filter(|view| view.state != State::Closed)
    }

    fn has_free_slot(&self) -> bool {
        (0..self.words.len()).any(|slot| self.word(slot).state == State::Closed)
    }

    fn word(&self, slot: usize) -> Word {
        Word::unpack(self.words[slot].load(Ordering::Acquire))
    }

    fn change_session(&self, handle: Handle, next: impl Fn(Word) -> Result<Word, Refused>) -> Result<Word, Refused> {
        if handle.slot() >= self.words.len() {
            return Err(Refused::Stale);
        }
        self.change(handle.slot(), |word| match Handle::new(handle.slot(), word.generation) == handle {
            true => next(word),
            false => Err(Refused::Stale),
        })
    }

    /// Replaces a slot's word by its successor, and returns that, or why there is none.
    fn change(&self, slot: usize, next: impl Fn(Word) -> Result<Word, Refused>) -> Result<Word, Refused> {
        let word = &self.words[slot];
        let mut seen = word.load(Ordering::Acquire);
        loop {
            let changed = next(Word::unpack(seen))?;
            // Acquire and release: what each holder did to the session happens before it is closed.
            match word.compare_exchange(seen, changed.pack(), Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Ok(changed),
                Err(other) => seen = other,
            }
        }
    }
}

impl Closing {
    /// Returns the session to close.
    pub fn handle(&self) -> Handle {
        self.0
    }
}

impl Handle {
    /// Returns the handle with this number. If it is made up, the table rejects it.
    pub fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// Returns its number, for clients.
    pub fn number(self) -> u64 {
        self.0
    }

    fn new(slot: usize, generation: u32) -> Self {
        Self(u64::from(generation) << SLOT_BITS | slot as u64)
    }

    fn slot(self) -> usize {
        self.0 as usize % SLOTS_MAX
    }

    fn generation(self) -> u32 {
        (self.0 >> SLOT_BITS) as u32
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:x}", self.0)
    }
}

/// The contents of a slot's 64-bit atomic word. A generation is reused after 2^32 sessions in the same slot.
#[derive(Debug, Clone, Copy)]
struct Word {
    generation: u32,
    state: State,
    /// Whether the session was acquired since the last sweep.
    used: bool,
    count: u32,
}

const COUNT_MAX: u32 = USED - 1;
const USED: u32 = 1 << 29;
const STATE_SHIFT: u32 = 30;
const GENERATION_SHIFT: u32 = 32;

impl Word {
    fn pack(self) -> u64 {
        let used = if self.used { USED } else { 0 };
        u64::from(self.generation) << GENERATION_SHIFT
            | u64::from((self.state as u32) << STATE_SHIFT | used | self.count)
    }

    fn unpack(word: u64) -> Self {
        let low = word as u32;
        let state = match low >> STATE_SHIFT {
            0 => State::Closed,
            1 => State::Open,
            _ => State::Closing,
        };
        Self { generation: (word >> GENERATION_SHIFT) as u32, state, used: low & USED != 0, count: low & COUNT_MAX }
    }
}
