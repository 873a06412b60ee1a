//! A host on the kernel: a thread with a runtime, optionally in its own network namespace.

use nix::sched::{CloneFlags, unshare};
use std::{fs, future::Future, io, path::PathBuf, sync::mpsc, thread};
use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
    task::JoinHandle,
};

/// Timeouts as short as the kernel allows, so that no case takes minutes. Which timeout applies and what follows from
/// it are unchanged.
const SHORT: [(&str, &str); 9] = [
    // 1 and 2 s.
    ("tcp_syn_retries", "1"),
    ("tcp_synack_retries", "1"),
    ("tcp_syn_linear_timeouts", "0"),
    // 0.2, 0.4, 0.8 and 1.6 s.
    ("tcp_retries2", "3"),
    ("tcp_orphan_retries", "3"),
    ("tcp_keepalive_time", "1"),
    ("tcp_keepalive_intvl", "1"),
    ("tcp_keepalive_probes", "2"),
    // The kernel must not carry metrics of an address over from one case to the next.
    ("tcp_no_metrics_save", "1"),
];

/// A running host. It ends when this is dropped.
pub(super) struct Machine {
    runtime: Handle,
    /// Its namespace, as a file; `None` if it shares that of this process.
    pub namespace: Option<PathBuf>,
    /// Ends the runtime when it is dropped.
    _power: oneshot::Sender<()>,
}

impl Machine {
    /// Starts a host in the namespace of this process.
    pub fn start() -> io::Result<Machine> {
        boot(false)
    }

    /// Starts a host in its own namespace.
    pub fn start_apart() -> io::Result<Machine> {
        boot(true)
    }

    /// Runs a future on the host.
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.runtime.spawn(future)
    }
}

fn boot(apart: bool) -> io::Result<Machine> {
    let (sender, receiver) = mpsc::channel();
    let (power, off) = oneshot::channel::<()>();
    thread::Builder::new().spawn(move || {
        let set_up = || {
            let namespace = if apart { Some(leave()?) } else { None };
            let runtime = Builder::new_current_thread().enable_all().build()?;
            io::Result::Ok((runtime, namespace))
        };
        match set_up() {
            Ok((runtime, namespace)) => {
                let _ = sender.send(Ok((runtime.handle().clone(), namespace)));
                // `Ok` and `Err` both mean that the machine was dropped.
                let _ = runtime.block_on(off);
            }
            Err(error) => drop(sender.send(Err(error))),
        }
    })?;
    let (runtime, namespace) = receiver.recv().map_err(io::Error::other)??;
    Ok(Machine { runtime, namespace, _power: power })
}

/// Moves this thread to a new namespace and returns its path. The namespace ends with the thread.
fn leave() -> io::Result<PathBuf> {
    unshare(CloneFlags::CLONE_NEWNET)
        .map_err(|error| io::Error::other(format!("cannot make a network namespace: {error}")))?;
    for (name, value) in SHORT {
        // An old kernel does not have them all.
        let _ = fs::write(format!("/proc/sys/net/ipv4/{name}"), value);
    }
    let thread = fs::read_link("/proc/thread-self")?;
    Ok(PathBuf::from("/proc").join(thread).join("ns/net"))
}
