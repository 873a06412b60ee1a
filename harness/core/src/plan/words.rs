//! A tokenizer for sentences, with precise errors.

use super::{Direction, DisplayDuration, Link, Ordinal, Route, SentenceError};
use crate::strict_json::{self, VALUES_MAX};
use serde::de::IgnoredAny;
use serde_json::Value;
use std::{fmt::Display, str::FromStr, time::Duration};

/// Maximum length of the part of a sentence that an error shows.
const SHOWN_CHARS_MAX: usize = 160;

/// The words of a sentence that have not been parsed yet.
#[derive(Clone)]
pub(crate) struct Words<'a> {
    text: &'a str,
    /// `None` after the last word. An empty text is one empty word.
    rest: Option<&'a str>,
    /// Number of words parsed.
    read: usize,
}

impl<'a> Words<'a> {
    pub(crate) fn new(text: &'a str) -> Words<'a> {
        Words { text, rest: (!text.is_empty()).then_some(text), read: 0 }
    }

    /// Returns the next word without consuming it; empty at the end.
    pub(crate) fn peek(&self) -> &'a str {
        self.rest.map(|rest| rest.split(' ').next().unwrap_or(rest)).unwrap_or_default()
    }

    /// Returns everything that has not been parsed yet.
    pub(crate) fn rest(&self) -> &'a str {
        self.rest.unwrap_or_default()
    }

    /// Consumes the next `bytes` bytes and the following space.
    pub(crate) fn skip(&mut self, bytes: usize) {
        let Some(rest) = self.rest else { return };
        let (skipped, rest) = rest.split_at(bytes);
        self.read += skipped.split(' ').count();
        self.rest = rest.strip_prefix(' ');
    }

    /// Consumes a word if `meaning` accepts it.
    pub(crate) fn word<T>(
        &mut self,
        expected: &str,
        meaning: impl FnOnce(&'a str) -> Option<T>,
    ) -> Result<T, SentenceError> {
        let word = self.peek();
        let known = meaning(word).ok_or_else(|| self.expected(expected))?;
        self.skip(word.len());
        Ok(known)
    }

    /// Consumes exactly these words.
    pub(crate) fn exactly(&mut self, words: &str) -> Result<(), SentenceError> {
        words.split(' ').try_for_each(|word| self.word(&format!("{word:?}"), |found| (found == word).then_some(())))
    }

    /// Consumes this word if it is the next one.
    pub(crate) fn takes(&mut self, word: &str) -> bool {
        let takes = self.rest.is_some() && self.peek() == word;
        if takes {
            self.skip(word.len());
        }
        takes
    }

    /// Parses the first alternative that matches. If none does, the error lists what the alternatives that got furthest
    /// expected.
    pub(crate) fn either<T>(
        &mut self,
        parts: impl Iterator<Item = fn(&mut Words<'_>) -> Result<T, SentenceError>>,
    ) -> Result<T, SentenceError> {
        let mut errors = Vec::new();
        for part in parts {
            let mut words = self.clone();
            match part(&mut words) {
                Ok(value) => {
                    *self = words;
                    return Ok(value);
                }
                Err(error) => errors.push((words, error)),
            }
        }
        let furthest = errors.iter().map(|(words, _)| words.read).max().unwrap_or(self.read);
        errors.retain(|(words, _)| words.read == furthest);
        let mut expected: Vec<&str> = vec![];
        for one in errors.iter().filter_map(|(_, error)| error.expected()) {
            if !expected.contains(&one) {
                expected.push(one);
            }
        }
        let words = errors.first().map_or(&*self, |(words, _)| words);
        Err(words.expected(&one_of(&expected)))
    }

    /// Parses an identifier: the name of a parameter or a rule.
    pub(crate) fn name(&mut self) -> Result<String, SentenceError> {
        self.word("a name: letters, digits and `_`", |word| {
            let is_valid = |c: char| c.is_alphanumeric() || c == '_';
            let is_valid =
                word.chars().all(is_valid) && !word.starts_with(|c: char| c.is_numeric()) && !word.is_empty();
            is_valid.then(|| word.to_string())
        })
    }

    /// Parses a JSON value, which may contain spaces.
    pub(crate) fn json(&mut self) -> Result<Value, SentenceError> {
        let rest = self.rest();
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
        let end = match values.next() {
            Some(Ok(_)) => values.byte_offset(),
            // The parser below reports the error.
            _ => rest.len(),
        };
        let json = &rest[..end];
        let mut values_max = VALUES_MAX;
        let value = strict_json::parse(json.as_bytes(), &mut values_max);
        let value = value.map_err(|refused| self.expected(&format!("JSON: {refused}")))?;
        self.skip(json.len());
        Ok(value)
    }

    pub(crate) fn host(&mut self) -> Result<String, SentenceError> {
        self.word("a host: letters, digits, `_`, `.` and `-`", |word| {
            let is_valid = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
            (!word.is_empty() && word.chars().all(is_valid)).then(|| word.to_string())
        })
    }

    pub(crate) fn link(&mut self) -> Result<Link, SentenceError> {
        let one = self.host()?;
        self.exactly("<->")?;
        Ok(Link(one, self.host()?))
    }

    pub(crate) fn route(&mut self) -> Result<Route, SentenceError> {
        let from = self.host()?;
        self.exactly("->")?;
        Ok(Route { from, to: self.host()? })
    }

    pub(crate) fn direction(&mut self) -> Result<Direction, SentenceError> {
        let one = self.host()?;
        let both = self.word("\"<->\" or \"->\"", |word| match word {
            "<->" => Some(true),
            "->" => Some(false),
            _ => None,
        })?;
        let other = self.host()?;
        Ok(if both { Direction::Both(Link(one, other)) } else { Direction::One(Route { from: one, to: other }) })
    }

    /// Parses an integer of at least 1, without leading zeros.
    pub(crate) fn count<T: FromStr + PartialOrd + From<u8> + Display>(&mut self, max: T) -> Result<T, SentenceError> {
        self.word(&format!("a whole number from 1 to {max}"), |word| {
            let count: T = word.parse().ok()?;
            (count >= T::from(1) && count <= max && count.to_string() == word).then_some(count)
        })
    }

    /// Parses a percentage from 1 to 100: `10 % of`.
    pub(crate) fn percent(&mut self) -> Result<u8, SentenceError> {
        let percent = self.count(100)?;
        self.exactly("% of")?;
        Ok(percent)
    }

    pub(crate) fn nth(&mut self) -> Result<u32, SentenceError> {
        self.word("an ordinal like \"1st\" or \"22nd\", at most \"4294967295th\"", |word| {
            let nth = word.trim_end_matches(|c: char| c.is_ascii_lowercase()).parse().ok()?;
            (nth > 0 && Ordinal(nth).to_string() == word).then_some(nth)
        })
    }

    pub(crate) fn duration(&mut self) -> Result<Duration, SentenceError> {
        let digits = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
        let (whole, fraction) = self.word("a number like \"12\" or \"4.2\"", |word| match word.split_once('.') {
            None => digits(word).then_some((word, "")),
            Some((whole, fraction)) => (digits(whole) && digits(fraction)).then_some((whole, fraction)),
        })?;
        let places = match self.peek() {
            "s" => 9,
            "ms" => 6,
            "us" => 3,
            "ns" => 0,
            _ => return Err(self.expected("a unit: \"s\", \"ms\", \"us\" or \"ns\"")),
        };
        let duration = nanoseconds(whole, fraction, places).ok_or_else(|| {
            self.expected(&format!("a duration of whole nanoseconds, at most {}", DisplayDuration(Duration::MAX)))
        })?;
        self.skip(self.peek().len());
        Ok(duration)
    }

    pub(crate) fn end(&self) -> Result<(), SentenceError> {
        self.rest.map_or(Ok(()), |_| Err(self.expected("nothing more")))
    }

    /// Returns the error that something else is expected here.
    pub(crate) fn expected(&self, expected: &str) -> SentenceError {
        let (text, expected) = (shortened(self.text), expected.to_string());
        match self.rest {
            None => SentenceError::Ends { sentence: None, text, words: self.read, expected },
            Some(_) => {
                let found = shortened(self.peek());
                SentenceError::Word { sentence: None, text, word: self.read + 1, found, expected }
            }
        }
    }
}

/// Converts `whole.fraction` of a unit of ten to the `places` nanoseconds; `None` if that is not exact or overflows.
fn nanoseconds(whole: &str, fraction: &str, places: usize) -> Option<Duration> {
    const PER_SECOND: u128 = 1_000_000_000;
    if fraction.len() > places {
        return None;
    }
    let unit = 10u128.pow(places as u32);
    let fraction = format!("{fraction:0<places$}").parse().unwrap_or(0);
    let nanos = whole.parse::<u128>().ok()?.checked_mul(unit)?.checked_add(fraction)?;
    Some(Duration::new(u64::try_from(nanos / PER_SECOND).ok()?, (nanos % PER_SECOND) as u32))
}

/// Formats alternatives: `a`, `a or b`, `a, b or c`.
fn one_of(expected: &[&str]) -> String {
    match expected {
        [] => "something else".into(),
        [one] => (*one).into(),
        [some @ .., last] => format!("{} or {last}", some.join(", ")),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        None => text.to_string(),
        Some((end, _)) => format!("{}...", &text[..end]),
    }
}
