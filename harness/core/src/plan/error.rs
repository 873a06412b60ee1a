//! Why a sentence is rejected: which word, and what was expected instead.

/// Error: a text is not a plan, a fault, a hold or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SentenceError {
    /// A word is not valid at its position.
    #[error("{}{text:?}: word {word} is {found:?}, expected {expected}", number(.sentence))]
    Word {
        /// The sentence of the plan, counted from 1; `None` if it was parsed on its own.
        sentence: Option<usize>,
        /// The sentence, shortened if it is long.
        text: String,
        /// The word, counted from 1.
        word: usize,
        /// The word, shortened if it is long.
        found: String,
        /// What is expected there.
        expected: String,
    },
    /// The sentence ends too early.
    #[error("{}{text:?}: ends after {words} words, expected {expected}", number(.sentence))]
    Ends {
        /// The sentence of the plan, counted from 1; `None` if it was parsed on its own.
        sentence: Option<usize>,
        /// The sentence, shortened if it is long.
        text: String,
        /// Number of words.
        words: usize,
        /// What must follow.
        expected: String,
    },
    /// A model's plan has other sentences, too.
    #[error("the sentences say which thread of a model goes on, and more: expected nothing else beside them")]
    Mixed,
    /// No sentence gives the seed.
    #[error("no sentence gives the seed, expected one like \"seed 42\"")]
    NoSeed,
    /// Two sentences state the same thing.
    #[error("sentence {sentence} gives {what} a second time, expected it once")]
    Twice {
        /// The second of them, counted from 1.
        sentence: usize,
        /// What both state.
        what: String,
    },
}

impl SentenceError {
    /// Returns what is expected at the position of the error.
    pub(super) fn expected(&self) -> Option<&str> {
        match self {
            SentenceError::Word { expected, .. } | SentenceError::Ends { expected, .. } => Some(expected),
            _ => None,
        }
    }

    /// Adds the number of the sentence in its plan.
    pub(super) fn in_sentence(mut self, nth: usize) -> SentenceError {
        match &mut self {
            SentenceError::Word { sentence, .. } | SentenceError::Ends { sentence, .. } => *sentence = Some(nth),
            SentenceError::Twice { sentence, .. } => *sentence = nth,
            SentenceError::NoSeed | SentenceError::Mixed => {}
        }
        self
    }
}

fn number(sentence: &Option<usize>) -> String {
    sentence.map(|nth| format!("sentence {nth}, ")).unwrap_or_default()
}
