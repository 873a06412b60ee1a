//! Suggests similar names for a name that does not exist ("did you mean").

use std::collections::BTreeSet;

/// Maximum number of suggestions.
const SUGGESTED_MAX: usize = 3;
/// Minimum similarity of a suggestion: 0 means different, 1 equal.
const SIMILARITY_MIN: f64 = 0.6;
/// The similarity assigned to a name that contains the text.
const PART: f64 = 0.9;
/// A shorter text is contained in too many names.
const PART_CHARS_MIN: usize = 3;
/// A longer name is no typing error and slow to compare.
const NAME_BYTES_MAX: usize = 512;

/// Returns the known names most similar to `name`: at most three, the most similar first, then in alphabetical order.
pub fn near<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let known: BTreeSet<&str> = known.into_iter().collect();
    let mut near: Vec<(f64, &str)> = known.into_iter().map(|known| (similarity(name, known), known)).collect();
    near.retain(|(similarity, _)| *similarity >= SIMILARITY_MIN);
    // The sort is stable, and the set is in alphabetical order.
    near.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    near.into_iter().take(SUGGESTED_MAX).map(|(_, known)| known).collect()
}

fn similarity(name: &str, known: &str) -> f64 {
    if name.len().max(known.len()) > NAME_BYTES_MAX {
        return 0.0;
    }
    let (name, known) = (name.to_lowercase(), known.to_lowercase());
    let last = |path: &str| path.rsplit("::").next().unwrap_or_default().to_string();
    let whole = strsim::normalized_damerau_levenshtein(&name, &known);
    // The right test name in the wrong module counts as much as a substring.
    let lasts = strsim::normalized_damerau_levenshtein(&last(&name), &last(&known)) * PART;
    let part = name.chars().count() >= PART_CHARS_MIN && known.contains(&name);
    whole.max(lasts).max(if part { PART } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection, prelude::*};

    const TESTS: [&str; 6] = [
        "queries_recover_after_the_link_heals",
        "link::queries_survive_a_crash",
        "link::sessions_are_closed_once",
        "table::sessions_are_closed_once",
        "wire::frames_read_back",
        "wire::frames_reject_garbage",
    ];

    fn check(name: &str, expected: &[&str]) {
        assert_eq!(near(name, TESTS), expected, "{name}");
    }

    #[test]
    fn a_slip_finds_the_name() {
        check("queries_recover_after_the_link_heal", &TESTS[..1]);
        check("Queries_Recover_After_The_Lnik_Heals", &TESTS[..1]);
        check("wire::frames_raed_back", &TESTS[4..]);
    }

    #[test]
    fn a_part_finds_the_name() {
        check("survive", &TESTS[1..2]);
        check("frames", &TESTS[4..]);
        check("wire::fr", &TESTS[4..]);
    }

    #[test]
    fn another_module_finds_the_name() {
        check("connector::listener::frames_read_back", &TESTS[4..5]);
        check("sessions_are_closed_once", &TESTS[2..4]);
    }

    #[test]
    fn the_nearest_comes_first_and_at_most_three_come() {
        assert_eq!(near("table::sessions_are_closed_twice", TESTS)[0], TESTS[3]);
        assert_eq!(near("abcd", ["abcz", "abce", "abcd_", "abcd", "abcx", "abce"]), ["abcd", "abcd_", "abce"]);
    }

    #[test]
    fn nothing_similarity_finds_nothing() {
        check("", &[]);
        check("es", &[]);
        check("completely_different", &[]);
        let long = "x".repeat(2_000);
        assert_eq!(near(&long, [&long[1..]]), [""; 0], "it takes too long to compare");
        assert_eq!(near("x", []), [""; 0]);
    }

    proptest! {
        #[test]
        fn any_names_are_compared(name in any::<String>(), known in collection::vec(any::<String>(), 0..9)) {
            let near = near(&name, known.iter().map(String::as_str));
            prop_assert!(near.len() <= 3 && near.iter().all(|near| known.iter().any(|known| known == near)));
            if known.contains(&name) && !name.is_empty() {
                prop_assert_eq!(near[0].to_lowercase(), name.to_lowercase());
            }
        }
    }
}
