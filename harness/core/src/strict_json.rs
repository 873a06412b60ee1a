//! Parses JSON strictly and within limits: no duplicate keys, no nesting that could overflow the stack, and a bounded
//! number of values.

use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;
use std::{cell::Cell, collections::BTreeSet, fmt};

/// Maximum nesting depth of arrays and objects.
pub(crate) const DEPTH_MAX: usize = 64;

/// Maximum number of JSON values in a trace, 20 per event. Bounds the memory that a hostile trace can take.
pub const VALUES_MAX: usize = 2_000_000;

/// Why a text is rejected.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// It has too many values.
    #[error("more values than a trace may have")]
    TooMany,
    /// It is not valid JSON: what was found instead.
    #[error("{0}")]
    Found(String),
}

/// Parses one JSON text, and subtracts the number of its values from `left`. Limiting the length of the text is not
/// enough: `0,` takes two bytes as text and 32 bytes in memory.
pub(crate) fn parse(text: &[u8], left: &mut usize) -> Result<Value, Refused> {
    *left -= check(text, *left)?;
    serde_json::from_slice(text).map_err(|error| Refused::Found(error.to_string()))
}

/// Checks that a text begins with a JSON value without duplicate keys, and returns the number of its values.
pub(crate) fn check(text: &[u8], values_max: usize) -> Result<usize, Refused> {
    if depth(text) > DEPTH_MAX {
        return Err(Refused::Found(format!("more than {DEPTH_MAX} nested arrays and objects")));
    }
    let values = Cell::new(0);
    let mut json = serde_json::Deserializer::from_slice(text);
    Check { values: &values, values_max }.deserialize(&mut json).map_err(|error| match values.get() > values_max {
        true => Refused::TooMany,
        false => Refused::Found(error.to_string()),
    })?;
    Ok(values.get())
}

/// Rejects `null` for an optional field that is present. For `deserialize_with`.
pub(crate) fn some<'de, T: Deserialize<'de>, D: Deserializer<'de>>(value: D) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

/// Returns the maximum number of open brackets, whether or not the text is JSON.
fn depth(text: &[u8]) -> usize {
    let (mut open, mut max, mut in_string, mut escaped) = (0usize, 0, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => open += 1,
            b']' | b'}' if !in_string => open = open.saturating_sub(1),
            _ => {}
        }
        max = max.max(open);
    }
    max
}

/// Rejects duplicate keys, of which serde_json would silently keep the last one, and more values than allowed.
///
/// It builds no value. Only serde_json knows how it passes numbers to a visitor: the feature `arbitrary_precision`,
/// which any crate may enable, changes that.
#[derive(Clone, Copy)]
struct Check<'a> {
    values: &'a Cell<usize>,
    values_max: usize,
}

impl<'de> DeserializeSeed<'de> for Check<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.values.set(self.values.get() + 1);
        if self.values.get() > self.values_max {
            return Err(D::Error::custom("too many values"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Check<'_> {
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
        while array.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let mut names = BTreeSet::new();
        while let Some(name) = object.next_key::<String>()? {
            object.next_value_seed(self)?;
            if let Some(name) = names.replace(name) {
                return Err(A::Error::custom(format!("the name {name:?} a second time in one object")));
            }
        }
        Ok(())
    }
}
