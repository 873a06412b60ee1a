//! Parses JSON of which nothing may be lost: no repeated name, and no nesting that could exhaust the stack.

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::{collections::BTreeSet, fmt};

/// How many arrays and objects may lie within each other.
pub(crate) const DEPTH_MAX: usize = 64;

/// Parses one JSON text; the error is for people and begins with what was found.
pub(crate) fn parse(text: &[u8]) -> Result<Value, String> {
    if depth(text) > DEPTH_MAX {
        return Err(format!("more than {DEPTH_MAX} arrays and objects within each other"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    NamesOnce.deserialize(&mut deserializer).map_err(|error| error.to_string())?;
    serde_json::from_slice(text).map_err(|error| error.to_string())
}

/// How many brackets are open at once at most, whether or not the text is JSON.
fn depth(text: &[u8]) -> usize {
    let (mut open, mut most, mut in_string, mut escaped) = (0usize, 0, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => open += 1,
            b']' | b'}' if !in_string => open = open.saturating_sub(1),
            _ => {}
        }
        most = most.max(open);
    }
    most
}

/// Accepts any JSON but an object that has a name twice: serde_json would keep the last one and say nothing.
///
/// It builds no value. serde_json's own does that, as only it knows how its numbers look to a visitor: a feature that
/// any other crate may switch on (`arbitrary_precision`) changes that.
struct NamesOnce;

impl<'de> DeserializeSeed<'de> for NamesOnce {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NamesOnce {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while array.next_element_seed(NamesOnce)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let mut names = BTreeSet::new();
        while let Some(name) = object.next_key::<String>()? {
            object.next_value_seed(NamesOnce)?;
            if let Some(name) = names.replace(name) {
                return Err(A::Error::custom(format!("the name {name:?} a second time in one object")));
            }
        }
        Ok(())
    }
}
