//! The settings of a CalDAV server: where its calendars are, and by which files the login is proven.

use super::missing;
use crate::caldav::{Login, Report, Server};
use crate::credentials::{self, Credentials, Files};
use crate::error::Error;
use crate::secret::Secret;
use clap::Args;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The options of a CalDAV server, on the command line and, without `caldav-` and with `_` for `-`, in the table `[caldav]` of the file.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CalDavOptions {
    /// URL of a user's calendar on a CalDAV server, in place of a folder: `{user}` stands for the mail address, `{name}` for what is
    /// before its @
    #[arg(long = "caldav-url", value_name = "URL")]
    url: Option<String>,
    /// A domain of the mail addresses whose calendars are on the server; may be repeated
    #[arg(long = "caldav-domain", value_name = "DOMAIN")]
    domains: Vec<String>,
    /// The user that reads the calendars there
    #[arg(long = "caldav-username", value_name = "USER")]
    username: Option<String>,
    /// File with the user's password, which nobody else may read
    #[arg(long = "caldav-password-file", value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// File with a bearer token, in place of a user and a password
    #[arg(long = "caldav-token-file", value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// PEM file with the CA of the server's certificate
    #[arg(long = "caldav-ca-file", value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// What the server is asked for [default: free-busy-query]
    #[arg(long = "caldav-report", value_name = "REPORT", value_enum)]
    report: Option<Report>,
}

impl CalDavOptions {
    /// Returns the server, by these options, then those of the file; `None` if none is set. Reads the files.
    ///
    /// # Errors
    /// [`Error::Settings`] if something is missing, or a file cannot be used.
    pub(super) fn server(self, other: Self, file: Option<&Path>) -> Result<Option<Server>, Error> {
        let is_set = self.is_set() || other.is_set();
        let url = match self.url.or(other.url) {
            Some(url) => url,
            None if is_set => return Err(missing("caldav-url", "the URL of a user's calendar")),
            None => return Ok(None),
        };
        let domains = if self.domains.is_empty() { other.domains } else { self.domains };
        let path = |flag, in_file| super::path(flag, in_file, file);
        let password_file = path(self.password_file, other.password_file);
        let token_file = path(self.token_file, other.token_file);
        let mut server = Server::new(&url, domains).map_err(|error| Error::Settings(format!("caldav: {error}")))?;
        if let Some(login) = login(self.username.or(other.username), password_file, token_file)? {
            server = server.with_login(login);
        }
        match path(self.ca_file, other.ca_file) {
            Some(ca) => {
                let trust = Credentials::read(&Files { ca, own: None });
                server = server.with_trust(trust.map_err(|problems| {
                    Error::Settings(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
                })?);
            }
            None if server.is_secured() => return Err(missing("caldav-ca-file", "the CA of the server's certificate")),
            None => {}
        }
        let report = self.report.or(other.report).unwrap_or_default();
        Ok(Some(server.with_report(report)))
    }

    /// Returns whether anything is set.
    fn is_set(&self) -> bool {
        let files = [&self.password_file, &self.token_file, &self.ca_file];
        let texts = [&self.url, &self.username];
        let any = files.iter().any(|file| file.is_some()) || texts.iter().any(|text| text.is_some());
        any || !self.domains.is_empty() || self.report.is_some()
    }
}

fn login(username: Option<String>, password: Option<PathBuf>, token: Option<PathBuf>) -> Result<Option<Login>, Error> {
    match (username, password, token) {
        (None, None, None) => Ok(None),
        (None, None, Some(file)) => Ok(Some(Login::Bearer(secret(&file)?))),
        (Some(username), Some(_), None) if username.contains(':') => {
            Err(Error::Settings("caldav: a `username` must not contain a colon".to_owned()))
        }
        (Some(username), Some(file), None) => Ok(Some(Login::Basic { username, password: secret(&file)? })),
        _ => {
            let why = "caldav: a login is either `username` and `password_file`, or `token_file`";
            Err(Error::Settings(why.to_owned()))
        }
    }
}

/// Reads a password or a token, which are as long as the server's operator has made them.
fn secret(file: &Path) -> Result<Secret, Error> {
    let unusable = |problem: &dyn std::fmt::Display| Error::Settings(problem.to_string());
    credentials::private(file).map_err(|problem| unusable(&problem))?;
    let bytes = credentials::bytes(file).map_err(|problem| unusable(&problem))?;
    let text = str::from_utf8(&bytes).unwrap_or_default().trim();
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(unusable(&format!("{}: there is no password in it: write it on one line", file.display())));
    }
    Ok(Secret::new(text))
}

#[cfg(test)]
#[path = "caldav/tests.rs"]
mod tests;
