//! How connections to servers are encrypted, in the words of MySQL's `--ssl-mode`.

use std::fmt;
use std::sync::Arc;

/// A group's `tls…` keys, with the files read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerTls {
    /// What is insisted on.
    pub mode: TlsMode,
    /// The authorities that may have signed a server's certificate; present in the modes that verify.
    pub authorities: Option<Pem>,
    /// What Serval shows to servers that ask who it is.
    pub identity: Option<TlsIdentity>,
}

/// A certificate with its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsIdentity {
    /// The certificate, and those between it and its authority.
    pub certificate: Pem,
    /// The certificate's private key.
    pub key: Pem,
}

/// What is insisted on when a connection is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum TlsMode {
    /// Never encrypted.
    #[default]
    Off,
    /// Encrypted where the server offers it.
    Preferred,
    /// Encrypted, or no connection; whoever the server is.
    Required,
    /// Encrypted, with a server whose certificate an authority of ours has signed.
    VerifyCa,
    /// As [`TlsMode::VerifyCa`], and the certificate is of the host that was connected to.
    VerifyIdentity,
}

impl TlsMode {
    /// As it is written in the config.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Preferred => "preferred",
            Self::Required => "required",
            Self::VerifyCa => "verify_ca",
            Self::VerifyIdentity => "verify_identity",
        }
    }

    /// Whether the server's certificate is looked at.
    #[must_use]
    pub fn verifies(self) -> bool {
        matches!(self, Self::VerifyCa | Self::VerifyIdentity)
    }
}

/// The text of a file of certificates or keys. Its `Debug` form shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Pem(Arc<str>);

impl Pem {
    /// What stands in such a file.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pem(…)")
    }
}
