//! Where calendars are: the URL of a user's calendar, and where a server redirects to.

use hyper::Uri;
use hyper::http::uri::Scheme;
use std::fmt;

/// The placeholder of a mail address.
const USER: &str = "{user}";
/// The placeholder of what is before its `@`.
const NAME: &str = "{name}";
/// The placeholder of what is behind it.
const DOMAIN: &str = "{domain}";
/// A name that nobody has.
const NOBODY: &str = "calcon-check";
/// Maximum length of a URL, in bytes.
const URL_BYTES_MAX: usize = 4096;
/// What of a name is not accepted: servers disagree about what it means in a path.
const NOT_IN_NAMES: [char; 5] = ['/', '\\', '?', '#', '%'];

/// Why a URL cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// It is none.
    #[error("{0:?} is no URL such as https://calendar.example/{{user}}/calendar/")]
    NoUrl(String),
    /// All users would have the same calendar.
    #[error("the URL needs {{user}} or {{name}}: where the mail address, or what is before its @, belongs")]
    NoUser,
    /// There is a user name or a password in it. It is not repeated.
    #[error("the URL must not contain a user or a password: `username` and `password_file` are for these")]
    Secret,
    /// No domain is set.
    #[error("`domains` is not set: whose calendars are on the server, by what is behind the @ of their addresses")]
    NoDomain,
}

/// The URL of each user's calendar.
#[derive(Debug)]
pub(super) struct Template {
    text: String,
    domains: Vec<String>,
    is_https: bool,
}

impl Template {
    /// Checks a URL. With `needs_user` it must have a placeholder.
    pub(super) fn new(text: &str, domains: Vec<String>, needs_user: bool) -> Result<Self, BadUrl> {
        let domains: Vec<String> = domains.iter().map(|domain| domain.trim().to_lowercase()).collect();
        if text.contains("://") && authority(text).contains('@') {
            return Err(BadUrl::Secret);
        }
        if needs_user && !text.contains(USER) && !text.contains(NAME) {
            return Err(BadUrl::NoUser);
        }
        let Some(first) = domains.first() else { return Err(BadUrl::NoDomain) };
        let example = filled(text, "a", first);
        let place = Place::parse(&example).map_err(|_| BadUrl::NoUrl(text.to_owned()))?;
        Ok(Self { text: text.to_owned(), domains, is_https: place.is_https() })
    }

    /// Returns the text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Returns whether it is `https`.
    pub(super) fn is_https(&self) -> bool {
        self.is_https
    }

    /// Returns somebody whom nobody knows, and where the calendar would be.
    pub(super) fn of_nobody(&self) -> Option<(String, Place)> {
        let user = format!("{NOBODY}@{}", self.domains.first()?);
        let place = self.of(&user)?;
        Some((user, place))
    }

    /// Returns where the calendar of a user is, whose address is in lower case; `None` if it is on no server of ours.
    pub(super) fn of(&self, user: &str) -> Option<Place> {
        let (name, domain) = user.rsplit_once('@')?;
        let is_safe = !name.is_empty() && name != "." && name != ".." && !name.contains(NOT_IN_NAMES);
        if !is_safe || !self.domains.iter().any(|ours| ours == domain) {
            return None;
        }
        Place::parse(&filled(&self.text, name, domain)).ok()
    }
}

fn filled(text: &str, name: &str, domain: &str) -> String {
    let (name, domain) = (escaped(name), escaped(domain));
    text.replace(USER, &format!("{name}@{domain}")).replace(NAME, &name).replace(DOMAIN, &domain)
}

/// Returns what is between the `//` of a URL and its path.
fn authority(url: &str) -> &str {
    let behind = url.split_once("://").map_or("", |(_, behind)| behind);
    behind.split(['/', '?', '#']).next().unwrap_or_default()
}

/// Escapes all but what RFC 3986 calls unreserved.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// A URL of HTTP, with its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    uri: Uri,
}

impl Place {
    /// Parses an absolute URL; the error says why it is none of ours.
    fn parse(url: &str) -> Result<Self, &'static str> {
        if url.len() > URL_BYTES_MAX {
            return Err("it is too long");
        }
        let uri: Uri = url.parse().map_err(|_| "it is no URL")?;
        let Some(authority) = uri.authority() else { return Err("it has no host") };
        if authority.as_str().contains('@') {
            return Err("there is a user or a password in it");
        }
        let behind = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
        if authority.host().is_empty() || !behind.is_empty() && authority.port_u16().is_none() {
            return Err("it has no host, or no valid port");
        }
        match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS => Ok(Self { uri }),
            _ => Err("it is neither http nor https"),
        }
    }

    /// Returns whether it is `https`.
    pub(super) fn is_https(&self) -> bool {
        self.uri.scheme() == Some(&Scheme::HTTPS)
    }

    /// Returns the host, an IPv6 address without brackets.
    pub(super) fn host(&self) -> &str {
        self.uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']')
    }

    /// Returns the port.
    pub(super) fn port(&self) -> u16 {
        self.uri.port_u16().unwrap_or(if self.is_https() { 443 } else { 80 })
    }

    /// Returns host and port as the header Host has them.
    pub(super) fn authority(&self) -> &str {
        self.uri.authority().map_or("", |authority| authority.as_str())
    }

    /// Returns the path, and the query behind it.
    pub(super) fn path(&self) -> &str {
        self.uri.path_and_query().map_or("/", |path| path.as_str())
    }

    /// Returns this place with more parameters, which are valid in a query as they are.
    ///
    /// # Errors
    /// Why the result is no place.
    pub(super) fn with(&self, parameters: &str) -> Result<Place, &'static str> {
        let mark = if self.uri.query().is_some() { '&' } else { '?' };
        Place::parse(&format!("{}{mark}{parameters}", self.uri))
    }

    /// Returns whether another place is on the same server, by the same protocol.
    pub(super) fn is_same_origin(&self, other: &Place) -> bool {
        let origin = |place: &Place| (place.is_https(), place.host().to_ascii_lowercase(), place.port());
        origin(self) == origin(other)
    }

    /// Returns where a Location leads from here: an absolute URL, or a path.
    ///
    /// # Errors
    /// Why it leads nowhere.
    pub(super) fn follow(&self, location: &str) -> Result<Place, &'static str> {
        let to = match location.strip_prefix('/') {
            Some(rest) if !rest.starts_with('/') => {
                let scheme = if self.is_https() { "https" } else { "http" };
                Place::parse(&format!("{scheme}://{}{location}", self.authority()))?
            }
            _ => Place::parse(location)?,
        };
        match self.is_https() && !to.is_https() {
            true => Err("it is not encrypted"),
            false => Ok(to),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uri.fmt(out)
    }
}

#[cfg(test)]
#[path = "place/tests.rs"]
mod tests;
