//! The settings of a calendar server: how it is asked, and by which files the login is proven.

use super::missing;
use crate::credentials::{Credentials, Files};
use crate::error::Error;
use crate::remote::{Login, Protocol, Server, secret};
use clap::Args;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The options of a calendar server, on the command line and, without `server-` and with `_` for `-`, in the table `[server]` of the file.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerOptions {
    /// URL of a calendar server, in place of a folder: `{user}` stands for the mail address, `{name}` for what is before its @
    #[arg(long = "server-url", value_name = "URL")]
    url: Option<String>,
    /// A domain of the mail addresses whose calendars are on the server; may be repeated
    #[arg(long = "server-domain", value_name = "DOMAIN")]
    domains: Vec<String>,
    /// The user that reads the calendars there
    #[arg(long = "server-username", value_name = "USER")]
    username: Option<String>,
    /// File with the user's password, which nobody else may read
    #[arg(long = "server-password-file", value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// File with a bearer token, in place of a user and a password
    #[arg(long = "server-token-file", value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// PEM file with the CA of the server's certificate
    #[arg(long = "server-ca-file", value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// How the server is asked [default: free-busy-query]
    #[arg(long = "server-protocol", value_name = "PROTOCOL", value_enum)]
    protocol: Option<Protocol>,
}

impl ServerOptions {
    /// Returns the server, by these options, then those of the file; `None` if none is set. Reads the files.
    ///
    /// # Errors
    /// [`Error::Settings`] if something is missing, or a file cannot be used.
    pub(super) fn server(self, other: Self, file: Option<&Path>) -> Result<Option<Server>, Error> {
        let is_set = self.is_set() || other.is_set();
        let url = match self.url.or(other.url) {
            Some(url) => url,
            None if is_set => return Err(missing("server-url", "the URL of the server")),
            None => return Ok(None),
        };
        let domains = if self.domains.is_empty() { other.domains } else { self.domains };
        let path = |flag, in_file| super::path(flag, in_file, file);
        let password_file = path(self.password_file, other.password_file);
        let token_file = path(self.token_file, other.token_file);
        let protocol = self.protocol.or(other.protocol).unwrap_or_default();
        let mut server =
            Server::new(protocol, &url, domains).map_err(|error| Error::Settings(format!("server: {error}")))?;
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
            None if server.is_secured() => return Err(missing("server-ca-file", "the CA of the server's certificate")),
            None => {}
        }
        Ok(Some(server))
    }

    /// Returns whether anything is set.
    fn is_set(&self) -> bool {
        let files = [&self.password_file, &self.token_file, &self.ca_file];
        let texts = [&self.url, &self.username];
        let any = files.iter().any(|file| file.is_some()) || texts.iter().any(|text| text.is_some());
        any || !self.domains.is_empty() || self.protocol.is_some()
    }
}

fn login(username: Option<String>, password: Option<PathBuf>, token: Option<PathBuf>) -> Result<Option<Login>, Error> {
    match (username, password, token) {
        (None, None, None) => Ok(None),
        (None, None, Some(file)) => {
            secret(&file).map_err(Error::Settings)?;
            Ok(Some(Login::BearerFile(file)))
        }
        (Some(username), Some(_), None) if username.contains(':') => {
            Err(Error::Settings("server: a `username` must not contain a colon".to_owned()))
        }
        (Some(username), Some(file), None) => {
            Ok(Some(Login::Basic { username, password: secret(&file).map_err(Error::Settings)? }))
        }
        _ => {
            let why = "server: a login is either `username` and `password_file`, or `token_file`";
            Err(Error::Settings(why.to_owned()))
        }
    }
}

#[cfg(test)]
#[path = "server/tests.rs"]
mod tests;
