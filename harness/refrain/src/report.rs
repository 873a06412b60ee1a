//! Texts for people.

pub mod exploration;
pub mod replay;
