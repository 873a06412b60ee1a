//! Finds a smaller plan that fails the same property. A plan that fails another way is not a shrink.

pub mod minimize;
pub mod simplify;
pub mod values;
