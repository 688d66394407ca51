//! Passwords: where they come from, and a form that no log can print.

use std::fmt;

/// Where a password is kept outside the config.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SecretSource {
    /// An environment variable's name.
    Env(String),
    /// A file's path, relative to the config's folder; its first line is the password.
    File(String),
    /// A file's path, relative to the config's folder, of certificates or a key; the whole of it counts.
    Pem(String),
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::File(path) | Self::Pem(path) => write!(f, "file {path}"),
        }
    }
}

/// A password. Its `Debug` form shows nothing of it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// A password.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The password itself, for a handshake.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
