//! Calcon.
