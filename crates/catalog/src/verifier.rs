//! What a server keeps instead of a password.

use sha1::{Digest, Sha1};
use sha2::Sha256;

/// What a password is checked against, in the forms that accounts come in. Its `Debug` form shows nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Verifier {
    /// The hashes of both plugins, as `serval passwd` prints them: every client can log in.
    Both {
        /// `SHA1(SHA1(password))`, for mysql_native_password.
        native: [u8; 20],
        /// `SHA256(SHA256(password))`, for caching_sha2_password.
        sha2: [u8; 32],
    },
    /// A MySQL or MariaDB account of mysql_native_password.
    Native([u8; 20]),
    /// A MySQL account of caching_sha2_password. Only the password itself can be checked against it.
    Crypted(Crypted),
}

/// MySQL's SHA-256 crypt of a password.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Crypted {
    /// How many rounds it has, in thousands.
    pub thousand_rounds: u16,
    /// The salt: any bytes.
    pub salt: [u8; 20],
    /// The digest, in crypt's base 64.
    pub digest: [u8; 43],
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifier(…)")
    }
}

impl std::fmt::Debug for Crypted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Crypted(…)")
    }
}

impl Verifier {
    /// The verifier of a password.
    ///
    /// ```
    /// use serval_catalog::Verifier;
    /// let verifier = Verifier::of_password("secret");
    /// assert_eq!(verifier.to_text().parse(), Ok(verifier));
    /// ```
    #[must_use]
    pub fn of_password(password: &str) -> Self {
        Self::Both {
            native: Sha1::digest(Sha1::digest(password)).into(),
            sha2: Sha256::digest(Sha256::digest(password)).into(),
        }
    }

    /// A form for the config: `serval passwd`'s two hashes, or what MySQL's `SHOW CREATE USER` shows.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Both { native, sha2 } => format!("{}:{}", hex(native), hex(sha2)),
            Self::Native(hash) => format!("*{}", hex(hash).to_uppercase()),
            Self::Crypted(crypted) => format!("0x{}", hex(&crypted.to_bytes())),
        }
    }
}

impl Crypted {
    /// MySQL's `authentication_string`: `$A$005$`, the salt and the digest.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let head = format!("$A${:03X}$", self.thousand_rounds);
        [head.as_bytes(), &self.salt, &self.digest].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, VerifierError> {
        let rest = bytes.strip_prefix(b"$A$").ok_or(VerifierError)?;
        let (rounds, rest) = rest.split_first_chunk::<3>().ok_or(VerifierError)?;
        let (salt, digest) =
            rest.strip_prefix(b"$").and_then(|rest| rest.split_first_chunk()).ok_or(VerifierError)?;
        let rounds = std::str::from_utf8(rounds).map_err(|_| VerifierError)?;
        let thousand_rounds = u16::from_str_radix(rounds, 16).map_err(|_| VerifierError)?;
        let digest = <[u8; 43]>::try_from(digest).map_err(|_| VerifierError)?;
        let in_alphabet = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/');
        if thousand_rounds == 0 || !digest.iter().all(in_alphabet) {
            return Err(VerifierError);
        }
        Ok(Self { thousand_rounds, salt: *salt, digest })
    }
}

/// Why a text holds no verifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a verifier is 40 hexadecimal digits, a colon and 64 hexadecimal digits; or an account's authentication string \
     from MySQL: `*` and 40 hexadecimal digits, `$A$005$…` of 70 characters, or that in hexadecimal as `0x…`"
)]
pub struct VerifierError;

impl std::str::FromStr for Verifier {
    type Err = VerifierError;

    fn from_str(text: &str) -> Result<Self, VerifierError> {
        if let Some(hash) = text.strip_prefix('*') {
            return Ok(Self::Native(unhex(hash)?));
        }
        if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            return unhex::<70>(digits).and_then(|bytes| Crypted::from_bytes(&bytes)).map(Self::Crypted);
        }
        if text.starts_with("$A$") {
            return Crypted::from_bytes(text.as_bytes()).map(Self::Crypted);
        }
        let (native, sha2) = text.split_once(':').ok_or(VerifierError)?;
        Ok(Self::Both { native: unhex(native)?, sha2: unhex(sha2)? })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    const CRYPTED: &str = "$A$005$abcdefghij\u{1}$klmnopqrGMXhCLLImi1XFFVmlGLyw2mFsrL3mLbyY/FWNAo1f1.";

    #[test]
    fn every_form_comes_back() {
        let text = CRYPTED.to_owned();
        let native = "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7";
        assert_eq!(native.parse::<Verifier>().map(|v| v.to_text()).as_deref(), Ok(native));
        let crypted: Verifier = text.parse().unwrap();
        assert_eq!(crypted.to_text().parse(), Ok(crypted));
        let Verifier::Crypted(parts) = crypted else { panic!("{text}") };
        assert_eq!((parts.thousand_rounds, parts.to_bytes()), (5, text.into_bytes()));
    }

    #[test]
    fn broken_forms_are_refused() {
        let short = CRYPTED.chars().take(69).collect::<String>();
        let long = format!("{CRYPTED}x");
        let zero = CRYPTED.replacen("005", "000", 1);
        for text in ["", "*", "0x", "*xyz", "$A$", &short, &long, &zero, "aa:bb", "*14e6:55"] {
            assert!(text.parse::<Verifier>().is_err(), "{text}");
        }
    }
}
