//! Links what is tried in `tests/`, as a service does.

pub use {
    arc_swap, crossbeam, crossbeam_channel, crossbeam_deque, crossbeam_epoch, crossbeam_queue, crossbeam_utils,
    dashmap, parking_lot, tokio,
};
