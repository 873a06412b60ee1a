//! Proposes simpler numbers and durations: smaller ones, round ones first.

use serde_json::Value;
use std::time::Duration;

/// Proposes lower percentages: the minimum, one with one digit, and half.
pub fn percents(percent: u8) -> impl Iterator<Item = u8> {
    counts(percent.into()).filter_map(|percent| percent.try_into().ok())
}

/// Proposes smaller counts: 1234 -> 1, 1000, 617: the minimum, one with one significant digit, and half.
pub fn counts(count: u64) -> impl Iterator<Item = u64> {
    let digit = count.checked_ilog10().map_or(0, |power| count / 10u64.pow(power) * 10u64.pow(power));
    let mut simpler = vec![1, digit, count / 2];
    simpler.retain(|simpler| (1..count).contains(simpler));
    simpler.dedup();
    simpler.into_iter()
}

/// Proposes shorter durations: 12.304 s -> 10 s, 12 s, 12.3 s; 6 s; 12.303 s: fewer digits, then about half, then one
/// unit of the last digit less. None is below a millisecond, the shortest that is drawn: 1 ns would be smaller but less
/// readable.
pub fn durations(duration: Duration) -> impl Iterator<Item = Duration> {
    let nanos = duration.as_nanos();
    let mut simpler: Vec<u128> = powers_of_ten(nanos).map(|unit| nanos / unit * unit).collect();
    let half = nanos / 2;
    simpler.extend(powers_of_ten(half).next().map(|unit| half / unit * unit));
    let last_digit = powers_of_ten(nanos).find(|unit| nanos.is_multiple_of(*unit));
    simpler.extend(last_digit.map(|unit| nanos - if unit == nanos { unit / 10 } else { unit }));
    let mut proposed: Vec<u128> = Vec::new();
    for span in simpler {
        if (SHORTEST..nanos).contains(&span) && !proposed.contains(&span) {
            proposed.push(span);
        }
    }
    proposed.into_iter().map(|nanos| Duration::new((nanos / NANOS) as u64, (nanos % NANOS) as u32))
}

const NANOS: u128 = 1_000_000_000;
/// One millisecond in nanoseconds.
const SHORTEST: u128 = 1_000_000;

/// Proposes JSON of the same shape in which one integer is smaller.
pub fn values(value: &Value) -> Box<dyn Iterator<Item = Value> + '_> {
    match value {
        Value::Number(number) => {
            let number = number.as_u64().unwrap_or(0);
            let zero = (number > 0).then_some(0);
            Box::new(zero.into_iter().chain(counts(number)).map(Value::from))
        }
        Value::Array(items) => Box::new(items.iter().enumerate().flat_map(move |(at, item)| {
            values(item).map(move |item| {
                let mut items = items.clone();
                items[at] = item;
                Value::from(items)
            })
        })),
        Value::Object(members) => Box::new(members.iter().flat_map(move |(name, member)| {
            values(member).map(move |member| {
                let mut members = members.clone();
                members.insert(name.clone(), member);
                Value::from(members)
            })
        })),
        _ => Box::new(std::iter::empty()),
    }
}

/// Returns the powers of ten up to a number, the largest first.
fn powers_of_ten(number: u128) -> impl Iterator<Item = u128> {
    let largest = number.checked_ilog10();
    largest.into_iter().flat_map(|largest| (0..=largest).rev()).map(|power| 10u128.pow(power))
}

/// Proposes the first occurrence, the middle one, and the previous one.
pub fn nths(nth: u32) -> Vec<u32> {
    let mut simpler = vec![1, nth / 2, nth.saturating_sub(1)];
    simpler.retain(|simpler| (1..nth).contains(simpler));
    simpler.dedup();
    simpler
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{DisplayDuration, arbitrary};
    use proptest::prelude::*;

    fn spans(span: &str) -> String {
        let spans: Vec<String> = durations(span.parse::<DisplayDuration>().unwrap().0)
            .map(|span| DisplayDuration(span).to_string())
            .collect();
        spans.join(", ")
    }

    #[test]
    fn durations_lose_their_last_digits_then_half() {
        assert_eq!(spans("12.304193 s"), "10 s, 12 s, 12.3 s, 12.304 s, 12.3041 s, 12.30419 s, 6 s, 12.304192 s");
        assert_eq!(spans("1.5 ms"), "1 ms, 1.4 ms");
        assert_eq!(spans("12 s"), "10 s, 6 s, 11 s");
        assert_eq!(spans("100 ms"), "50 ms, 90 ms");
        assert_eq!(spans("2 ms"), "1 ms");
        assert_eq!(spans("1 ms"), "");
        assert_eq!(spans("1 ns"), "");
        assert_eq!(spans("0 s"), "");
        assert!(spans("18446744073709551615 s").starts_with("10000000000000000000 s, 18000000000000000000 s"));
    }

    #[test]
    fn json_gets_smaller_in_one_number() {
        let value = serde_json::json!({"a": [7, "x"], "b": 1, "c": -3, "d": 0.5});
        let simpler: Vec<String> = values(&value).map(|value| value.to_string()).collect();
        let expected = [(r#"[0,"x"]"#, 1), (r#"[1,"x"]"#, 1), (r#"[3,"x"]"#, 1), (r#"[7,"x"]"#, 0)];
        assert_eq!(simpler, expected.map(|(a, b)| format!(r#"{{"a":{a},"b":{b},"c":-3,"d":0.5}}"#)));
    }

    proptest! {
        #[test]
        fn durations_only_get_shorter(span in arbitrary::durations()) {
            let simpler: Vec<_> = durations(span).collect();
            prop_assert!(simpler.iter().all(|simpler| *simpler < span && *simpler >= Duration::from_millis(1)));
            prop_assert!(simpler.len() <= 32);
        }
    }
}
