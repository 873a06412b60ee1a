//! What says whether a property holds now.

use std::fmt::Display;

/// What says whether a property holds now.
pub trait Answer {
    /// Why it does not hold; `None` if it does.
    fn missing(self) -> Option<String>;
}

impl Answer for bool {
    fn missing(self) -> Option<String> {
        (!self).then(|| "it was false".to_owned())
    }
}

impl<T> Answer for Option<T> {
    fn missing(self) -> Option<String> {
        self.is_none().then(|| "there was none".to_owned())
    }
}

impl<T, E: Display> Answer for Result<T, E> {
    fn missing(self) -> Option<String> {
        self.err().map(|error| error.to_string())
    }
}
