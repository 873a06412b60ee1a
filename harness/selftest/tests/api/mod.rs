//! tokio's API under simulation behaves as tokio documents it.

mod alone;
mod hold;
mod runtime;
mod signal;
mod surface;
mod task;
mod time;

use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);
