//! Plain sequential primitives, which execute a line of a timeline or return why they cannot.

use std::collections::{BTreeMap, BTreeSet};

type Thread = String;

/// The current state.
#[derive(Debug, Default)]
pub struct Sequential {
    /// Maximum number of spurious wakeups of a parked thread: one under loom, unlimited under shuttle.
    wakes_alone_max: usize,
    locked: BTreeMap<String, Thread>,
    reading: BTreeMap<String, Vec<Thread>>,
    /// The threads that wait at each condition variable, and whether they were notified.
    waiting: BTreeMap<Thread, (String, bool)>,
    /// For each notification of one thread, the threads that may receive it.
    offered: Vec<Vec<Thread>>,
    stores: BTreeMap<String, Vec<String>>,
    sent: BTreeMap<String, (u64, u64)>,
    present: BTreeMap<String, u64>,
    unparked: BTreeMap<Thread, u64>,
    woke_alone: BTreeMap<Thread, usize>,
    spawned: BTreeSet<Thread>,
    ended: BTreeSet<Thread>,
    /// The rules that were needed.
    pub rules: BTreeSet<&'static str>,
}

type Done = Result<&'static str, String>;

impl Sequential {
    pub fn new(wakes_alone_max: usize) -> Sequential {
        Sequential { wakes_alone_max, ..Sequential::default() }
    }

    /// Executes an operation of a thread.
    pub fn does(&mut self, thread: &str, text: &str) -> Result<(), String> {
        let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
        let (object, rest) = text.split_at(end);
        let kind = object.trim_end_matches(|c: char| c.is_ascii_digit());
        let rule = match kind {
            _ if rest.starts_with(" = ") => self.creates(object, rest),
            "mutex" => self.mutex(thread, object, rest),
            "rwlock" => self.rwlock(thread, object, rest),
            "condvar" => self.condvar(thread, object, rest),
            "atomic" => self.atomic(object, rest),
            "channel" => self.channel(object, rest),
            "barrier" => self.barrier(object, rest),
            "yields" => Ok("other"),
            _ => self.threads(thread, text),
        }?;
        self.rules.insert(rule);
        Ok(())
    }

    fn creates(&mut self, object: &str, rest: &str) -> Done {
        if let Some((_, value)) = rest.split_once("::new(").filter(|_| object.starts_with("atomic")) {
            self.stores.insert(object.into(), vec![value.trim_end_matches(')').into()]);
        }
        Ok("new")
    }

    fn lock(&mut self, thread: &str, object: &str, rule: &'static str) -> Done {
        match self.locked.insert(object.into(), thread.into()) {
            None => Ok(rule),
            Some(owner) => Err(format!("{object} is locked by thread {owner}")),
        }
    }

    fn unlock(&mut self, thread: &str, object: &str, rule: &'static str) -> Done {
        match self.locked.remove(object) {
            Some(owner) if owner == thread => Ok(rule),
            other => Err(format!("{object} is locked by {other:?}")),
        }
    }

    fn mutex(&mut self, thread: &str, object: &str, rest: &str) -> Done {
        match rest {
            ".lock()" => self.lock(thread, object, "lock"),
            ".try_lock() -> true" => self.lock(thread, object, "try_lock"),
            ".try_lock() -> false" if self.locked.contains_key(object) => Ok("try_lock fails"),
            " unlocked" => self.unlock(thread, object, "unlock"),
            _ => Err(format!("{object} is not locked, or what is {rest}?")),
        }
    }

    fn rwlock(&mut self, thread: &str, object: &str, rest: &str) -> Done {
        let reading = self.reading.entry(object.into()).or_default();
        let (is_read, is_written) = (!reading.is_empty(), self.locked.contains_key(object));
        match rest {
            ".read()" | ".try_read() -> true" if !is_written => {
                reading.push(thread.into());
                Ok(if rest == ".read()" { "read" } else { "try_read" })
            }
            ".write()" if !is_read => self.lock(thread, object, "write"),
            ".try_write() -> true" if !is_read => self.lock(thread, object, "try_write"),
            ".try_read() -> false" if is_written => Ok("try_read fails"),
            ".try_write() -> false" if is_read || is_written => Ok("try_write fails"),
            " unlocked after reading" => match reading.iter().position(|reader| reader == thread) {
                Some(at) => {
                    reading.remove(at);
                    Ok("unlock after reading")
                }
                None => Err(format!("{object} is read by {reading:?}")),
            },
            " unlocked after writing" => self.unlock(thread, object, "unlock after writing"),
            _ => Err(format!("{object}: read {is_read}, written {is_written}, or what is {rest}?")),
        }
    }

    fn condvar(&mut self, thread: &str, object: &str, rest: &str) -> Done {
        let mutex = rest.split(": ").nth(1).and_then(|mutex| mutex.split(' ').next()).unwrap_or_default();
        if rest.contains(" begins: ") {
            self.waiting.insert(thread.into(), (object.into(), false));
            return self.unlock(thread, mutex, "wait");
        }
        if rest.contains(" ends: ") {
            let (_, notified) = self.waiting.remove(thread).ok_or("it did not wait")?;
            let offer = self.offered.iter().position(|offer| offer.iter().any(|other| other == thread));
            let offer = offer.map(|at| self.offered.remove(at));
            self.offered.iter_mut().for_each(|offer| offer.retain(|other| other != thread));
            let timed_out = rest.ends_with("timed out: true");
            if !timed_out && !notified && offer.is_none() {
                return Err(format!("nobody notified thread {thread}"));
            }
            return self.lock(thread, mutex, if timed_out { "timed out" } else { "woken" });
        }
        let here = self.waiting.iter_mut().filter(|(_, (condvar, _))| condvar == object);
        match rest {
            ".notify_one()" => self.offered.push(here.map(|(thread, _)| thread.clone()).collect()),
            ".notify_all()" => here.for_each(|(_, (_, notified))| *notified = true),
            _ => return Err(format!("what is {rest}?")),
        }
        Ok("notify")
    }

    fn atomic(&mut self, object: &str, rest: &str) -> Done {
        let stores = self.stores.get_mut(object).ok_or("it is not created")?;
        let newest = stores.last().expect("its creation").clone();
        let (call, result) = rest.split_once(" -> ").unwrap_or((rest, ""));
        let (operation, arguments) = call[1..].trim_end_matches(')').split_once('(').ok_or("no call")?;
        let arguments: Vec<&str> = arguments.split(", ").collect();
        let is = |read: &str, value: &str| match read == value {
            true => Ok(()),
            false => Err(format!("{object} is {value}, not {read}")),
        };
        match operation {
            "load" => return read(stores, result, "load"),
            "compare_exchange" => match result.strip_prefix("Err(").map(|read| read.trim_end_matches(')')) {
                Some(result) if result.split(' ').next() == Some(arguments[0]) => return Err("it need not fail".into()),
                Some(result) => return read(stores, result, "exchange fails"),
                None => {
                    is(arguments[0], &newest)?;
                    stores.push(arguments[1].into());
                }
            },
            "store" => {
                stores.push(arguments[0].into());
                return Ok("store");
            }
            "swap" => {
                is(result, &newest)?;
                stores.push(arguments[0].into());
            }
            "fetch_add" => {
                is(result, &newest)?;
                let number = |text: &str| text.parse::<u64>().map_err(|error| error.to_string());
                stores.push((number(&newest)? + number(arguments[0])?).to_string());
            }
            _ => return Err(format!("what is {operation}?")),
        }
        Ok("exchange")
    }

    fn channel(&mut self, object: &str, rest: &str) -> Done {
        let (sent, received) = self.sent.entry(object.into()).or_default();
        let nth = rest.rsplit(' ').next().and_then(|nth| nth.parse().ok()).unwrap_or(0);
        if rest == " is created" {
            return Ok("new");
        }
        if rest.starts_with(" takes message ") && nth == *sent + 1 {
            *sent = nth;
            return Ok("send");
        }
        if rest.starts_with(" gives message ") && nth == *received + 1 && nth <= *sent {
            *received = nth;
            return Ok("receive");
        }
        Err(format!("{sent} sent and {received} received"))
    }

    fn barrier(&mut self, object: &str, rest: &str) -> Done {
        let present = self.present.entry(object.into()).or_default();
        if let Some(are) = rest.strip_suffix(" are there") {
            *present += 1;
            let right = format!(": {present} of 2") == are;
            return if right { Ok("barrier") } else { Err(format!("{present} are there")) };
        }
        if *present == 2 { Ok("barrier") } else { Err(format!("{present} are there")) }
    }

    fn threads(&mut self, thread: &str, text: &str) -> Done {
        let other = text.rsplit(' ').next().unwrap_or_default();
        match text {
            "park()" => {
                let unparked = self.unparked.entry(thread.into()).or_default();
                if *unparked > 0 {
                    *unparked -= 1;
                    return Ok("park");
                }
                let alone = self.woke_alone.entry(thread.into()).or_default();
                *alone += 1;
                if *alone > self.wakes_alone_max { Err("nobody unparked it".into()) } else { Ok("park alone") }
            }
            "thread begins" if self.spawned.contains(thread) => Ok("begin"),
            "thread ends" => {
                self.ended.insert(thread.into());
                Ok("end")
            }
            _ if text.starts_with("spawn() -> thread ") && self.spawned.insert(other.into()) => Ok("spawn"),
            _ if text.starts_with("unpark thread ") => {
                *self.unparked.entry(other.into()).or_default() += 1;
                Ok("unpark")
            }
            _ if text.starts_with("join thread ") && self.ended.contains(other) => Ok("join"),
            _ => Err(format!("what is {text}?")),
        }
    }
}

/// Parses `1`, or `1 of store 2 by thread 0, while the newest is 3 of store 4 by thread 1`.
fn read(stores: &[String], result: &str, rule: &'static str) -> Done {
    let words: Vec<&str> = result.split([' ', ',']).collect();
    let number = |after: &str| words.iter().position(|word| *word == after).and_then(|at| words.get(at + 1)).copied();
    let newest = stores.last().expect("its creation");
    if words.len() == 1 {
        return if newest == words[0] { Ok(rule) } else { Err(format!("the newest is {newest}")) };
    }
    let nth: usize = number("store").and_then(|nth| nth.parse().ok()).ok_or("no store is named")?;
    let is_right = nth < stores.len() && stores[nth - 1] == words[0] && number("is") == Some(newest);
    if is_right { Ok("old value") } else { Err(format!("store {nth} of {stores:?}")) }
}
