//! Proofs of a password, by plugin.

use serval_catalog::Verifier;
use serval_wire::auth::{
    CACHING_SHA2_PASSWORD, MYSQL_NATIVE_PASSWORD, Scramble, check_native, check_sha2, native_verifier,
    sha2_verifier,
};

use super::Known;

/// The hashes of no password, so that an unknown user costs what a known one does.
const NOBODY: [u8; 32] = [0x5a; 32];

/// An authentication plugin of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plugin {
    /// `mysql_native_password`.
    Native,
    /// `caching_sha2_password`.
    CachingSha2,
}

impl Plugin {
    /// The plugin by the name a client gives; clients that give none speak the native one.
    #[must_use]
    pub fn named(name: Option<&str>) -> Option<Self> {
        match name {
            None | Some("" | MYSQL_NATIVE_PASSWORD) => Some(Self::Native),
            Some(CACHING_SHA2_PASSWORD) => Some(Self::CachingSha2),
            Some(_) => None,
        }
    }

    /// The plugin's name in packets.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => MYSQL_NATIVE_PASSWORD,
            Self::CachingSha2 => CACHING_SHA2_PASSWORD,
        }
    }

    /// Whether a proof in the response to the greeting can be meant for the greeting's nonce. A client that prefers
    /// another plugin than the greeting's sends nothing and waits to be asked.
    #[must_use]
    pub fn answers_greeting(self, proof: &[u8]) -> bool {
        self == Self::Native || !proof.is_empty()
    }

    /// Whether the proof says "no password": nothing, or caching_sha2_password's single zero.
    #[must_use]
    pub fn is_empty(self, proof: &[u8]) -> bool {
        proof.is_empty() || (self == Self::CachingSha2 && proof == [0])
    }

    /// Whether `proof` shows the password of the account. It takes as long where there is no such user, or where the
    /// account has no hash for this plugin.
    #[must_use]
    pub fn check(self, proof: &[u8], nonce: &Scramble, known: Option<&Known>) -> bool {
        let empty = self.is_empty(proof);
        match self {
            Self::Native => {
                let hash = known.and_then(native_hash);
                let verifier = hash.unwrap_or([NOBODY[0]; 20]);
                let right = if empty {
                    native_verifier(b"") == verifier
                } else {
                    check_native(proof, nonce, &verifier)
                };
                right & hash.is_some()
            }
            Self::CachingSha2 => {
                let hash = known.and_then(sha2_hash);
                let verifier = hash.unwrap_or(NOBODY);
                let right =
                    if empty { sha2_verifier(b"") == verifier } else { check_sha2(proof, nonce, &verifier) };
                right & hash.is_some()
            }
        }
    }
}

fn native_hash(known: &Known) -> Option<[u8; 20]> {
    match known.verifier {
        Verifier::Both { native, .. } | Verifier::Native(native) => Some(native),
        Verifier::Crypted(_) => None,
    }
}

fn sha2_hash(known: &Known) -> Option<[u8; 32]> {
    match known.verifier {
        Verifier::Both { sha2, .. } => Some(sha2),
        Verifier::Native(_) => None,
        Verifier::Crypted(_) => known.proven,
    }
}
