//! The accounts that clients log in with.

use crate::Verifier;

/// An account of Serval's own. Servers behind it never see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// What a password is checked against.
    pub verifier: Verifier,
    /// What the account's connections have to be.
    pub secure: Secure,
    /// Which schemas the account may use.
    pub schemas: SchemaAccess,
    /// The schema of a connection that names none.
    pub default_schema: Option<String>,
}

impl User {
    /// Whether the account may use a schema; names compare without case.
    #[must_use]
    pub fn may_use(&self, schema: &str) -> bool {
        match &self.schemas {
            SchemaAccess::All => true,
            SchemaAccess::Only(names) => names.iter().any(|name| name.eq_ignore_ascii_case(schema)),
        }
    }
}

/// What an account's connections have to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Secure {
    /// Anything.
    #[default]
    No,
    /// Encrypted with TLS, or a Unix socket, which nobody can listen to.
    Transport,
    /// Encrypted with TLS, by a client that has shown a certificate of the authorities in `[tls]`.
    Certificate,
}

/// Which schemas an account may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaAccess {
    /// All, also those to come.
    All,
    /// These, in lower case.
    Only(Vec<String>),
}
