//! The ways in which a server answers.

use crate::caldav::server::USER;
use serde::{Deserialize, Serialize};

/// How a server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mood {
    Good,
    Silent,
    StalledBody,
    CutBody,
    Error,
    Denied,
    Html,
    EmptyBody,
    /// The server says that it has no answer.
    NoAnswer,
    /// The answer is about another user.
    OtherUser,
    /// The answer is about other days, or shorter.
    OtherDays,
}

pub const BAD: [Mood; 10] = [
    Mood::Silent,
    Mood::StalledBody,
    Mood::CutBody,
    Mood::Error,
    Mood::Denied,
    Mood::Html,
    Mood::EmptyBody,
    Mood::NoAnswer,
    Mood::OtherUser,
    Mood::OtherDays,
];

/// The user that is asked about, unless the answer is about another one.
pub fn user(mood: Mood) -> &'static str {
    if mood == Mood::OtherUser { "mallory@exchange.example" } else { USER }
}
