//! CalDAV: its reports, and what the replies say.

pub mod multistatus;
pub(super) mod report;
pub mod sync;
