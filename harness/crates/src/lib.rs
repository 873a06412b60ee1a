//! Nothing: only the tests are of use.
