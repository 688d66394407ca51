//! Proofs of a password, by plugin.

use serval_catalog::Verifiers;
use serval_wire::auth::{
    CACHING_SHA2_PASSWORD, MYSQL_NATIVE_PASSWORD, Scramble, check_native, check_sha2, native_verifier,
    sha2_verifier,
};

/// No password's verifiers, so that an unknown user costs what a known one does.
const NOBODY: Verifiers = Verifiers { native: [0x5a; 20], sha2: [0x5a; 32] };

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

    /// Whether `proof` shows the password behind `known`. It takes as long where there is no such user.
    #[must_use]
    pub fn check(self, proof: &[u8], nonce: &Scramble, known: Option<&Verifiers>) -> bool {
        let verifiers = known.unwrap_or(&NOBODY);
        let right = match (self, self.is_empty(proof)) {
            (Self::Native, true) => native_verifier(b"") == verifiers.native,
            (Self::CachingSha2, true) => sha2_verifier(b"") == verifiers.sha2,
            (Self::Native, false) => check_native(proof, nonce, &verifiers.native),
            (Self::CachingSha2, false) => check_sha2(proof, nonce, &verifiers.sha2),
        };
        right & known.is_some()
    }
}
