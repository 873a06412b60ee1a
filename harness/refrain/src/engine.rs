//! What every engine is to the workers and the driver.

mod heartbeat;

pub(crate) use heartbeat::Heartbeat;
