//! Every class of failure is caught, each by a seeded bug, whose saved trace is then replayed and checked.

mod calls;
mod context;
mod dead_hosts;
mod deaths;
mod escapes;
mod exits;
mod explained;
mod histories;
mod logged;
mod loops;
mod origins;
mod panics;
mod properties;
mod sockets;
mod stalls;
mod unreached;
mod until;
mod waits;
