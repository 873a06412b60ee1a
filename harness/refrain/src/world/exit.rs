//! How a process, or a test, can end.

use std::{error::Error, iter::successors, ops::Deref};

/// How a host's process, or a test, can end: with `()`, never, or with a `Result`.
///
/// The error of a `Result` is anything that Rust's `main` may return in practice: a [`std::error::Error`], a boxed one,
/// `anyhow::Error` or `eyre::Report`, a text. `Kind` tells these apart and is always inferred.
#[diagnostic::on_unimplemented(
    message = "a process or a test cannot end with `{Self}`",
    label = "expected `()` or a `Result` whose error implements `std::error::Error`"
)]
pub trait Exit<Kind> {
    /// The error with which it ended, if it did, and what caused that: `cannot start: no config: file not found`.
    fn error(self) -> Option<String>;
}

/// What [`Exit`] tells apart.
pub mod kind {
    /// There is no error.
    #[derive(Debug)]
    pub struct Never;

    /// The error is a [`std::error::Error`].
    #[derive(Debug)]
    pub struct Plain;

    /// The error holds a `dyn Error`, as a box does.
    #[derive(Debug)]
    pub struct Boxed;

    /// The error is a text.
    #[derive(Debug)]
    pub struct Text;
}

impl Exit<kind::Never> for () {
    fn error(self) -> Option<String> {
        None
    }
}

/// A server that loops forever: the output of its block is `!`, which has no name of its own on stable Rust.
impl Exit<kind::Never> for <fn() -> ! as never::Returns>::Type {
    fn error(self) -> Option<String> {
        self
    }
}

mod never {
    pub trait Returns {
        type Type;
    }

    impl<T> Returns for fn() -> T {
        type Type = T;
    }
}

impl<T, E: Error> Exit<kind::Plain> for Result<T, E> {
    fn error(self) -> Option<String> {
        self.err().map(|error| chain(Some(error.to_string()), error.source()))
    }
}

/// An error of any type.
pub trait AnyError {
    /// The error, and what caused it.
    fn chain(&self) -> String;
}

impl AnyError for dyn Error {
    fn chain(&self) -> String {
        chain(None, Some(self))
    }
}

impl AnyError for dyn Error + Send + Sync {
    fn chain(&self) -> String {
        chain(None, Some(self))
    }
}

impl<T, E> Exit<kind::Boxed> for Result<T, E>
where
    E: Deref,
    E::Target: AnyError,
{
    fn error(self) -> Option<String> {
        self.err().map(|error| error.chain())
    }
}

impl<T> Exit<kind::Text> for Result<T, String> {
    fn error(self) -> Option<String> {
        self.err()
    }
}

impl<T> Exit<kind::Text> for Result<T, &str> {
    fn error(self) -> Option<String> {
        self.err().map(str::to_owned)
    }
}

fn chain(first: Option<String>, then: Option<&(dyn Error + 'static)>) -> String {
    let causes = successors(then, |error: &&(dyn Error + 'static)| (*error).source()).map(ToString::to_string);
    first.into_iter().chain(causes).collect::<Vec<_>>().join(": ")
}

/// Panics if a test or a model ended with an error: the panic is its verdict.
#[track_caller]
pub fn succeed<K>(ended: impl Exit<K>) {
    if let Some(error) = ended.error() {
        panic!("it returned an error: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fmt, io};

    #[derive(Debug)]
    struct Outer(io::Error);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("cannot start")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    fn outer() -> Outer {
        Outer(io::Error::other("no config"))
    }

    fn check<K>(ended: impl Exit<K>, expected: Option<&str>) {
        assert_eq!(ended.error().as_deref(), expected);
    }

    #[test]
    fn an_error_tells_what_caused_it() {
        check((), None);
        check(io::Result::Ok(1), None);
        check(Err::<(), _>(outer()), Some("cannot start: no config"));
        check(Err::<(), Box<dyn Error>>(outer().into()), Some("cannot start: no config"));
        check(Err::<(), Box<dyn Error + Send + Sync>>(outer().into()), Some("cannot start: no config"));
        check(Err::<(), _>("no port".to_owned()), Some("no port"));
        check(Err::<(), _>("no port"), Some("no port"));
    }
}
