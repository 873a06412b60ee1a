//! tokio's `signal`: each simulated host receives its own signals.

use super::kernel;
use std::{
    future::poll_fn,
    io,
    task::{Context, Poll},
};

/// Completes when the host receives SIGINT.
pub async fn ctrl_c() -> io::Result<()> {
    let mut signal = unix::signal(unix::SignalKind::interrupt())?;
    signal.recv().await;
    Ok(())
}

/// Unix signals.
pub mod unix {
    use super::*;

    /// A kind of signal.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct SignalKind(i32);

    impl SignalKind {
        /// SIGALRM.
        pub const fn alarm() -> SignalKind {
            SignalKind(14)
        }

        /// SIGCHLD.
        pub const fn child() -> SignalKind {
            SignalKind(17)
        }

        /// SIGHUP.
        pub const fn hangup() -> SignalKind {
            SignalKind(1)
        }

        /// SIGINT.
        pub const fn interrupt() -> SignalKind {
            SignalKind(2)
        }

        /// SIGIO.
        pub const fn io() -> SignalKind {
            SignalKind(29)
        }

        /// SIGPIPE.
        pub const fn pipe() -> SignalKind {
            SignalKind(13)
        }

        /// SIGQUIT.
        pub const fn quit() -> SignalKind {
            SignalKind(3)
        }

        /// SIGTERM.
        pub const fn terminate() -> SignalKind {
            SignalKind(15)
        }

        /// SIGUSR1.
        pub const fn user_defined1() -> SignalKind {
            SignalKind(10)
        }

        /// SIGUSR2.
        pub const fn user_defined2() -> SignalKind {
            SignalKind(12)
        }

        /// SIGWINCH.
        pub const fn window_change() -> SignalKind {
            SignalKind(28)
        }

        /// Creates a kind from a signal number.
        pub const fn from_raw(number: i32) -> SignalKind {
            SignalKind(number)
        }

        /// Returns the signal number.
        pub const fn as_raw_value(&self) -> i32 {
            self.0
        }
    }

    /// Receives signals of one kind sent to this host.
    #[derive(Debug)]
    pub struct Signal {
        host: kernel::HostId,
        number: i32,
        seen: u64,
    }

    /// Starts listening for a kind of signal.
    pub fn signal(kind: SignalKind) -> io::Result<Signal> {
        let host = kernel::current_host();
        let seen = kernel::with(|k| k.hosts[host].signals_sent(kind.0));
        Ok(Signal { host, number: kind.0, seen })
    }

    impl From<i32> for SignalKind {
        fn from(number: i32) -> SignalKind {
            SignalKind(number)
        }
    }

    impl From<SignalKind> for i32 {
        fn from(kind: SignalKind) -> i32 {
            kind.0
        }
    }

    impl Signal {
        /// Waits for the next signal. Never returns `None`.
        pub async fn recv(&mut self) -> Option<()> {
            poll_fn(|cx| self.poll_recv(cx)).await
        }

        /// Polls for the next signal.
        pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<()>> {
            kernel::with(|k| {
                let sent = k.hosts[self.host].signals_sent(self.number);
                if sent > self.seen {
                    self.seen = sent;
                    return Poll::Ready(Some(()));
                }
                let surplus = k.hosts[self.host].signal_waiters.add(cx.waker());
                k.wake(surplus);
                k.wait(kernel::Wait::Signal);
                Poll::Pending
            })
        }
    }
}
