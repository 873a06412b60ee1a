//! Simplifies workload values at any depth: shorter lists, smaller numbers, the simplest of several variants.
//!
//! Only a value's strategy knows which values are possible. So a [`Shape`] learns that from values that the strategy
//! drew and simplified: how short lists get, and which the simplest values are. A value is never simplified below
//! those.

use super::minimize::ddmin;
use serde_json::{Number, Value};
use std::{collections::BTreeMap, ops::ControlFlow};

/// The observed shape of the values at one position of a workload.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    /// The simplest value.
    simplest: Option<Value>,
    /// The number closest to zero.
    number: Option<Number>,
    /// The length of the shortest text, in characters.
    text_chars: Option<usize>,
    /// The lengths of the shortest and the longest list.
    lengths: Option<(usize, usize)>,
    /// The shape of list elements at any position.
    element: Option<Box<Shape>>,
    /// The shapes of the elements by position, for lists of a fixed length: tuples.
    elements: Vec<Shape>,
    /// The shapes of the fields of objects.
    fields: BTreeMap<String, Shape>,
}

/// If the shortest text is at most this long, texts have no format, and any of their characters may be removed.
const FREE_TEXT_CHARS: usize = 1;

/// Returns the length of a value's text and, as a tie-breaker, its magnitude: `false` is less than `true`.
pub fn size(value: &Value) -> (usize, u64) {
    let add =
        |(chars, sum): (usize, u64), (more_chars, more): (usize, u64)| (chars + more_chars, sum.saturating_add(more));
    match value {
        Value::Null => (4, 0),
        Value::Bool(is_true) => (4, u64::from(*is_true)),
        Value::Number(number) => (number.to_string().len(), distance(number) as u64),
        Value::String(text) => (text.len() + 2, 0),
        Value::Array(elements) => elements.iter().map(|element| add((1, 0), size(element))).fold((2, 0), add),
        Value::Object(fields) => {
            fields.iter().map(|(name, field)| add((name.len() + 4, 0), size(field))).fold((2, 0), add)
        }
    }
}

/// Returns the nesting depth of lists, not counting empty ones.
pub fn depth(value: &Value) -> usize {
    match value {
        Value::Array(elements) => elements.iter().map(|element| 1 + depth(element)).max().unwrap_or(0),
        Value::Object(fields) => fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

impl Shape {
    /// Learns a possible value.
    pub fn learn(&mut self, value: &Value) {
        if self.simplest.as_ref().is_none_or(|simplest| size(value) < size(simplest)) {
            self.simplest = Some(value.clone());
        }
        match value {
            Value::Number(number) => {
                let is_nearer = |known: &Number| distance(number) < distance(known);
                if self.number.as_ref().is_none_or(is_nearer) {
                    self.number = Some(number.clone());
                }
            }
            Value::Array(elements) => {
                let (min, max) = self.lengths.unwrap_or((usize::MAX, 0));
                self.lengths = Some((min.min(elements.len()), max.max(elements.len())));
                self.elements.resize_with(self.elements.len().max(elements.len()), Shape::default);
                for (element, shape) in elements.iter().zip(&mut self.elements) {
                    shape.learn(element);
                    self.element.get_or_insert_default().learn(element);
                }
            }
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.fields.entry(name.clone()).or_default().learn(value);
                }
            }
            Value::String(text) => {
                let chars = text.chars().count();
                self.text_chars = Some(self.text_chars.map_or(chars, |min| min.min(chars)));
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// Returns whether all lists had the same length, so that each position has its own meaning.
    fn is_tuple(&self) -> bool {
        self.lengths.is_none_or(|(min, max)| min == max)
    }

    fn of_element(&self, nth: usize) -> Option<&Shape> {
        if self.is_tuple() { self.elements.get(nth) } else { self.element.as_deref() }
    }
}

fn distance(number: &Number) -> f64 {
    number.as_f64().map_or(f64::INFINITY, f64::abs)
}

/// Simplifies a failing value, part by part, while it keeps failing. Returns whether it was interrupted.
///
/// `fails` tests a value; `Break` ends the search with the best value so far.
pub fn minimize(
    value: &mut Value,
    shape: &Shape,
    fails: &mut dyn FnMut(&Value) -> ControlFlow<(), bool>,
) -> ControlFlow<()> {
    let mut search = Search { best: value.clone(), fails };
    let ended = search.part("", shape);
    *value = search.best;
    ended
}

struct Search<'a> {
    best: Value,
    fails: &'a mut dyn FnMut(&Value) -> ControlFlow<(), bool>,
}

impl Search<'_> {
    /// Simplifies the part of the value at a JSON pointer.
    fn part(&mut self, at: &str, shape: &Shape) -> ControlFlow<()> {
        let Some(part) = self.best.pointer(at).cloned() else { return ControlFlow::Continue(()) };
        if let Some(simplest) = &shape.simplest
            && size(simplest) < size(&part)
            && self.fails_with(at, simplest.clone())?
        {
            return ControlFlow::Continue(());
        }
        match part {
            Value::Array(elements) => self.list(at, elements, shape),
            Value::Object(fields) => {
                for name in fields.keys() {
                    if let Some(shape) = shape.fields.get(name) {
                        let name = name.replace('~', "~0").replace('/', "~1");
                        self.part(&format!("{at}/{name}"), shape)?;
                    }
                }
                ControlFlow::Continue(())
            }
            Value::Number(number) => self.number(at, &number, shape),
            Value::String(text) if shape.text_chars.is_some_and(|least| least <= FREE_TEXT_CHARS) => {
                self.text(at, &text, shape)
            }
            Value::Null | Value::Bool(_) | Value::String(_) => ControlFlow::Continue(()),
        }
    }

    fn text(&mut self, at: &str, text: &str, shape: &Shape) -> ControlFlow<()> {
        let least = shape.text_chars.unwrap_or_default();
        let minimum = ddmin(text.chars().collect(), &mut |chars| {
            if chars.len() < least {
                return ControlFlow::Continue(false);
            }
            self.fails_with(at, chars.iter().collect::<String>().into())
        });
        if minimum.interrupted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn list(&mut self, at: &str, elements: Vec<Value>, shape: &Shape) -> ControlFlow<()> {
        let mut length = elements.len();
        if !shape.is_tuple() {
            let least = shape.lengths.map_or(0, |(least, _)| least);
            let minimum = ddmin(elements, &mut |elements| {
                if elements.len() < least {
                    return ControlFlow::Continue(false);
                }
                self.fails_with(at, elements.into())
            });
            if minimum.interrupted {
                return ControlFlow::Break(());
            }
            length = minimum.items.len();
        }
        for nth in 0..length {
            if let Some(shape) = shape.of_element(nth) {
                self.part(&format!("{at}/{nth}"), shape)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// Bisects towards the number closest to zero while that fails.
    fn number(&mut self, at: &str, number: &Number, shape: &Shape) -> ControlFlow<()> {
        let Some(nearest) = shape.number.as_ref().filter(|nearest| distance(nearest) < distance(number)) else {
            return ControlFlow::Continue(());
        };
        if self.fails_with(at, nearest.clone().into())? {
            return ControlFlow::Continue(());
        }
        let (Some(mut passes), Some(mut fails)) = (nearest.as_i128(), number.as_i128()) else {
            return self.whole_number(at, number);
        };
        while (fails - passes).abs() > 1 {
            let middle = passes + (fails - passes) / 2;
            let Some(candidate) = Number::from_i128(middle) else { break };
            if self.fails_with(at, candidate.into())? { fails = middle } else { passes = middle }
        }
        ControlFlow::Continue(())
    }

    fn whole_number(&mut self, at: &str, number: &Number) -> ControlFlow<()> {
        let whole = number.as_f64().map(f64::trunc).and_then(Number::from_f64);
        if let Some(whole) = whole.filter(|whole| size(&whole.clone().into()) < size(&number.clone().into())) {
            self.fails_with(at, whole.into())?;
        }
        ControlFlow::Continue(())
    }

    /// Tests the value with a part replaced, and keeps it if it still fails.
    fn fails_with(&mut self, at: &str, part: Value) -> ControlFlow<(), bool> {
        let mut value = self.best.clone();
        if let Some(place) = value.pointer_mut(at) {
            *place = part;
        }
        let fails = (self.fails)(&value)?;
        if fails {
            self.best = value;
        }
        ControlFlow::Continue(fails)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Minimizes a value after learning from others. Also returns the number of tests.
    fn minimized(mut value: Value, learned: &[Value], fails: impl Fn(&Value) -> bool) -> (Value, usize) {
        let mut shape = Shape::default();
        learned.iter().chain([&value]).for_each(|value| shape.learn(value));
        let mut tries = 0;
        let ended = minimize(&mut value, &shape, &mut |value| {
            tries += 1;
            ControlFlow::Continue(fails(value))
        });
        assert_eq!(ended, ControlFlow::Continue(()));
        (value, tries)
    }

    #[test]
    fn lists_in_lists_get_short_and_their_numbers_small() {
        let long: Vec<Vec<u16>> = (0..63).map(|nth| (0..nth).map(|n| n * 1000).collect()).collect();
        let long_ones = |value: &Value| {
            value.as_array().unwrap().iter().filter(|list| list.as_array().unwrap().len() >= 2).count() >= 3
        };
        let (least, tries) = minimized(json!(long), &[json!([]), json!([[], [0]])], long_ones);
        assert_eq!(least, json!([[0, 0], [0, 0], [0, 0]]));
        assert!(tries < 300, "{tries}");
    }

    #[test]
    fn lists_in_objects_in_options_get_short() {
        let value = json!({"inner": {"list": [[3, 4], [5, 6], [7, 8]]}, "other": 12});
        let learned = [
            json!({"inner": null, "other": 1}),
            json!({"inner": {"list": []}, "other": 2}),
            json!({"inner": {"list": [[0, 1]]}, "other": 2}),
        ];
        let has_a_list = |value: &Value| value.pointer("/inner/list/0").is_some();
        let (least, _) = minimized(value, &learned, has_a_list);
        assert_eq!(least, json!({"inner": {"list": [[0, 1]]}, "other": 1}));
    }

    #[test]
    fn nothing_gets_simpler_than_its_strategy_draws_it() {
        let (least, _) = minimized(json!([[17, 90], [40, 2]]), &[json!([[10, 2], [12, 3]])], |_| true);
        assert_eq!(least, json!([[10, 2], [12, 3]]));
        let (least, _) = minimized(json!([50, 60, 70]), &[json!([10]), json!([20, 30])], |value| value != &json!([10]));
        assert_eq!(least, json!([11]));
    }

    #[test]
    fn a_number_is_halved_down_to_the_least_that_fails() {
        let (least, tries) = minimized(json!(u64::MAX), &[json!(0)], |value| value.as_u64().unwrap() >= 1_234_567);
        assert_eq!(least, json!(1_234_567));
        assert!(tries < 70, "{tries}");
        let (least, _) = minimized(json!(-900), &[json!(-3)], |value| value.as_i64().unwrap() <= -77);
        assert_eq!(least, json!(-77));
        let (least, _) = minimized(json!(12.75), &[json!(0.0)], |value| value.as_f64().unwrap() > 3.0);
        assert_eq!(least, json!(12.0));
    }

    #[test]
    fn a_text_without_a_format_loses_characters_and_one_with_a_format_does_not() {
        let has_b = |value: &Value| value.as_str().unwrap().contains('b');
        assert_eq!(minimized(json!("xxbyy"), &[json!("")], has_b).0, json!("b"));
        assert_eq!(minimized(json!("10-b5"), &[json!("1-a0")], has_b).0, json!("10-b5"));
    }

    #[test]
    fn names_that_a_pointer_escapes_are_found() {
        let (least, _) = minimized(json!({"a/b~c": [1, 2, 3]}), &[json!({"a/b~c": [1]})], |value| {
            !value["a/b~c"].as_array().unwrap().is_empty()
        });
        assert_eq!(least, json!({"a/b~c": [1]}));
    }

    #[test]
    fn an_interrupted_search_keeps_the_best_so_far() {
        let (mut value, mut shape) = (json!([1, 2, 3, 4]), Shape::default());
        [json!([]), value.clone()].iter().for_each(|value| shape.learn(value));
        let mut tries = 0;
        let ended = minimize(&mut value, &shape, &mut |value| {
            tries += 1;
            if tries > 3 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(!value.as_array().unwrap().is_empty())
            }
        });
        assert_eq!((ended, value.as_array().unwrap().len()), (ControlFlow::Break(()), 2));
    }
}
