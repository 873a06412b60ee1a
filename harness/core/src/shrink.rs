//! Finds a smaller plan that violates the same property. A plan that fails in a different way is not a shrink.

pub mod minimize;
pub mod simplify;
pub mod values;
