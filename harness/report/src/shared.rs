//! Formats waits for the primitives of `tokio::sync`.

use super::words::{clock, counted, host, task};
use refrain_core::event::{Holder, Operation, Primitive, SharedWait};

/// `for a permit of the semaphore created at src/link.rs:88 (held by the task spawned at src/link.rs:90 since 00:00:01.000)`.
pub(super) fn wait(wait: &SharedWait) -> String {
    let verb = match wait.operation {
        Operation::Lock => "to lock",
        Operation::Read if wait.primitive == Primitive::RwLock => "to read",
        Operation::Read => "to read from",
        Operation::Write => "to write",
        Operation::Acquire => "for a permit of",
        Operation::Send => "for room in",
        Operation::Receive if wait.primitive == Primitive::Watch => "for a change of",
        Operation::Receive => "to receive from",
        Operation::Closed => "for the receivers to be dropped of",
        Operation::Notified => "to be notified by",
        Operation::Meet => "for more tasks at",
        Operation::Init | Operation::Set => "for the value of",
    };
    format!("{verb} {}{}", thing(wait), had_by(wait))
}

/// `the semaphore created at src/link.rs:88`.
pub(super) fn thing(wait: &SharedWait) -> String {
    let name = match wait.primitive {
        Primitive::Mutex => "mutex",
        Primitive::RwLock => "read-write lock",
        Primitive::Semaphore => "semaphore",
        Primitive::Notify => "notify",
        Primitive::Mpsc => "mpsc channel",
        Primitive::Oneshot => "oneshot channel",
        Primitive::Broadcast => "broadcast channel",
        Primitive::Watch => "watch channel",
        Primitive::Barrier => "barrier",
        Primitive::OnceCell => "once cell",
        Primitive::SetOnce => "set-once cell",
    };
    format!("the {name} created at {}", wait.created)
}

fn had_by(wait: &SharedWait) -> String {
    let role = match wait.operation {
        Operation::Receive => "sender: ",
        Operation::Send | Operation::Closed => "receiver: ",
        Operation::Init => "initialised by ",
        _ => "held by ",
    };
    if wait.had_by.is_empty() {
        return String::new();
    }
    let holder = |Holder { host: name, task: spawned, since }: &Holder| {
        let who = spawned
            .as_ref()
            .map_or_else(|| "the test itself".to_owned(), |spawned| format!("{} on {}", task(spawned), host(name)));
        format!("{who} since {}", clock(*since))
    };
    let mut holders: Vec<String> = wait.had_by.iter().map(holder).collect();
    if wait.more > 0 {
        holders.push(counted(wait.more, "others"));
    }
    format!(" ({role}{})", holders.join(", "))
}
