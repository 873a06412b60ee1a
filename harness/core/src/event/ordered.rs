//! An order in which the operations on an object can have taken effect.

use serde::{Deserialize, Serialize};

/// The longest order that explains the answers, as it was found when a history was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ordered {
    /// The history.
    pub history: String,
    /// The part of the object, formatted with `Debug`; `None` if it has no parts.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::strict_json::some")]
    pub key: Option<String>,
    /// The state before all operations, formatted with `Debug`.
    pub begin: String,
    /// The numbers of all operations that were checked together.
    pub operations: Vec<u64>,
    /// The order.
    pub order: Vec<Effect>,
    /// The operations of which one would have to be next, and none can be. None if the order explains all answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stuck: Vec<Stuck>,
}

/// An operation that takes effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// Its number in the history.
    pub number: u64,
    /// The state after it, formatted with `Debug`.
    pub state: String,
}

/// An operation that cannot be next, because of its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stuck {
    /// Its number in the history.
    pub number: u64,
    /// What the object would answer, formatted with `Debug`.
    pub would_answer: String,
}
