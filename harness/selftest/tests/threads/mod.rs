//! Threads that a service starts belong to their host and run under the plan's schedule.

mod blocking;
mod context;
mod ends;
mod order;
mod verdicts;
