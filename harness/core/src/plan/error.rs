//! Why a sentence is refused: which word, what it is, and what can stand there.

/// Why a text is not a plan, a fault, a hold or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SentenceError {
    /// A word is not one that can stand there.
    #[error("{}{text:?}: word {word} is {found:?}, expected {expected}", number(.sentence))]
    Word {
        /// Which sentence of the plan, counted from 1; `None` if it was parsed by itself.
        sentence: Option<usize>,
        /// The sentence, shortened if it is long.
        text: String,
        /// Which word, counted from 1.
        word: usize,
        /// The word, shortened if it is long.
        found: String,
        /// What can stand there.
        expected: String,
    },
    /// The sentence ends too early.
    #[error("{}{text:?}: ends after {words} words, expected {expected}", number(.sentence))]
    Ends {
        /// Which sentence of the plan, counted from 1; `None` if it was parsed by itself.
        sentence: Option<usize>,
        /// The sentence, shortened if it is long.
        text: String,
        /// How many words it has.
        words: usize,
        /// What must follow.
        expected: String,
    },
    /// A plan of a model has other sentences, too.
    #[error("the sentences say which thread of a model goes on, and more: expected nothing else beside them")]
    Mixed,
    /// No sentence gives the seed.
    #[error("no sentence gives the seed, expected one like \"seed 42\"")]
    NoSeed,
    /// Two sentences give the same thing.
    #[error("sentence {sentence} gives {what} a second time, expected it once")]
    Twice {
        /// The second one, counted from 1.
        sentence: usize,
        /// What both give.
        what: String,
    },
}

impl SentenceError {
    /// What should stand where the sentence is wrong.
    pub(super) fn expected(&self) -> Option<&str> {
        match self {
            SentenceError::Word { expected, .. } | SentenceError::Ends { expected, .. } => Some(expected),
            _ => None,
        }
    }

    /// The same error, of a sentence of which the number in its plan is known.
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
