//! The accounts that clients log in with.

use sha1::{Digest, Sha1};
use sha2::Sha256;

/// An account of Serval's own. Servers behind it never see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// What a password is checked against.
    pub verifiers: Verifiers,
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

/// Which schemas an account may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaAccess {
    /// All, also those to come.
    All,
    /// These, in lower case.
    Only(Vec<String>),
}

/// The two hashes that a server keeps instead of a password, one for each authentication plugin.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Verifiers {
    /// `SHA1(SHA1(password))`, for mysql_native_password.
    pub native: [u8; 20],
    /// `SHA256(SHA256(password))`, for caching_sha2_password.
    pub sha2: [u8; 32],
}

impl std::fmt::Debug for Verifiers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifiers(…)")
    }
}

impl Verifiers {
    /// The verifiers of a password.
    ///
    /// ```
    /// use serval_catalog::Verifiers;
    /// let verifiers = Verifiers::of_password("secret");
    /// assert_eq!(verifiers.to_text().parse(), Ok(verifiers));
    /// ```
    #[must_use]
    pub fn of_password(password: &str) -> Self {
        Self {
            native: Sha1::digest(Sha1::digest(password)).into(),
            sha2: Sha256::digest(Sha256::digest(password)).into(),
        }
    }

    /// The form in the config: the two hashes in hexadecimal, with a colon between them.
    #[must_use]
    pub fn to_text(&self) -> String {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        format!("{}:{}", hex(&self.native), hex(&self.sha2))
    }
}

/// Why a text holds no verifiers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a verifier is 40 hexadecimal digits, a colon and 64 hexadecimal digits")]
pub struct VerifierError;

impl std::str::FromStr for Verifiers {
    type Err = VerifierError;

    fn from_str(text: &str) -> Result<Self, VerifierError> {
        let (native, sha2) = text.split_once(':').ok_or(VerifierError)?;
        Ok(Self { native: unhex(native)?, sha2: unhex(sha2)? })
    }
}

fn unhex<const N: usize>(text: &str) -> Result<[u8; N], VerifierError> {
    if text.len() != 2 * N || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(VerifierError);
    }
    let mut bytes = [0; N];
    for (byte, at) in bytes.iter_mut().zip((0..text.len()).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| VerifierError)?;
    }
    Ok(bytes)
}
