//! The maths of `mysql_native_password` and `caching_sha2_password`.
//!
//! Both prove knowledge of a password without sending it: the server keeps a *verifier*, a double hash, and sends a
//! random *nonce*; the client sends the single hash, masked with a hash of nonce and verifier. An empty password is
//! an empty response in both, which no check here accepts: whether it is allowed is for the caller to say.
//!
//! Manual: [native](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_authentication_methods_native_password_authentication.html),
//! [caching_sha2](https://dev.mysql.com/doc/dev/mysql-server/latest/page_caching_sha2_authentication_exchanges.html).
//!
//! ```
//! use serval_wire::auth::{check_native, native_response, native_verifier};
//! let nonce = [7; 20];
//! let response = native_response(b"secret", &nonce);
//! assert!(check_native(&response, &nonce, &native_verifier(b"secret")));
//! assert!(!check_native(&response, &nonce, &native_verifier(b"other")));
//! ```

mod crypt;

use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

pub use crypt::sha256_crypt;

/// The name of SHA-1 authentication.
pub const MYSQL_NATIVE_PASSWORD: &str = "mysql_native_password";
/// The name of SHA-256 authentication.
pub const CACHING_SHA2_PASSWORD: &str = "caching_sha2_password";
/// The name of authentication by the password itself, for TLS or Unix sockets only.
pub const MYSQL_CLEAR_PASSWORD: &str = "mysql_clear_password";

/// A nonce: 20 bytes, none of them NUL, because a NUL ends it on the wire.
pub type Scramble = [u8; 20];

/// Turns 20 random bytes into a nonce: 7-bit characters, never NUL nor `$`, as servers send.
#[must_use]
pub fn nonce_from_random(random: [u8; 20]) -> Scramble {
    random.map(|byte| match byte & 0x7f {
        0 | b'$' => 1 + (byte >> 7),
        character => character,
    })
}

/// SHA1(password) ^ SHA1(nonce + SHA1(SHA1(password))): what a client sends.
#[must_use]
pub fn native_response(password: &[u8], nonce: &Scramble) -> [u8; 20] {
    let single = sha1(&[password]);
    xor(single, sha1(&[nonce, &sha1(&[&single])]))
}

/// SHA1(SHA1(password)): what a server keeps.
#[must_use]
pub fn native_verifier(password: &[u8]) -> [u8; 20] {
    sha1(&[&sha1(&[password])])
}

/// Whether the client that sent `response` knows the password; in constant time.
#[must_use]
pub fn check_native(response: &[u8], nonce: &Scramble, verifier: &[u8; 20]) -> bool {
    let Ok(response) = <[u8; 20]>::try_from(response) else { return false };
    let single = xor(response, sha1(&[nonce, verifier]));
    sha1(&[&single]).ct_eq(verifier).into()
}

/// SHA256(password) ^ SHA256(SHA256(SHA256(password)) + nonce): what a client sends.
#[must_use]
pub fn sha2_response(password: &[u8], nonce: &Scramble) -> [u8; 32] {
    let single = sha256(&[password]);
    xor(single, sha256(&[&sha256(&[&single]), nonce]))
}

/// SHA256(SHA256(password)): what a server keeps.
#[must_use]
pub fn sha2_verifier(password: &[u8]) -> [u8; 32] {
    sha256(&[&sha256(&[password])])
}

/// Whether the client that sent `response` knows the password; in constant time.
#[must_use]
pub fn check_sha2(response: &[u8], nonce: &Scramble, verifier: &[u8; 32]) -> bool {
    let Ok(response) = <[u8; 32]>::try_from(response) else { return false };
    let single = xor(response, sha256(&[verifier, nonce]));
    sha256(&[&single]).ct_eq(verifier).into()
}

/// Whether `password`, sent in clear text, is the one of `verifier`; in constant time.
#[must_use]
pub fn check_clear(password: &[u8], verifier: &[u8; 32]) -> bool {
    sha2_verifier(password).ct_eq(verifier).into()
}

fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    parts.iter().fold(Sha1::new(), Digest::chain_update).finalize().into()
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    parts.iter().fold(Sha256::new(), Digest::chain_update).finalize().into()
}

fn xor<const N: usize>(mut left: [u8; N], right: [u8; N]) -> [u8; N] {
    for (left, right) in left.iter_mut().zip(right) {
        *left ^= right;
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: Scramble = *b"0123456789abcdefghij";

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn verifiers_are_double_hashes() {
        // SELECT PASSWORD('secret') on MariaDB.
        assert_eq!(hex(&native_verifier(b"secret")), "14e65567abdb5135d0cfd9a70b3032c179a49ee7");
        assert_eq!(
            hex(&sha2_verifier(b"secret")),
            "3881219d087dd9c634373fd33dfa33a2cb6bfc6c520b64b8bb60ef2ceb534ae7"
        );
    }

    #[test]
    fn responses_match_other_implementations() {
        assert_eq!(hex(&native_response(b"secret", &NONCE)), "f5cac3f3b3df2133feb57db682c71e6ed433a988");
        assert_eq!(
            hex(&sha2_response(b"secret", &NONCE)),
            "7e4adda2f2d5ef09b4147518becb0cee2939376203650a8c2bb2815959364bd0"
        );
    }

    #[test]
    fn only_the_password_passes() {
        let verifier = native_verifier(b"secret");
        assert!(check_native(&native_response(b"secret", &NONCE), &NONCE, &verifier));
        assert!(!check_native(&native_response(b"Secret", &NONCE), &NONCE, &verifier));
        assert!(!check_native(&native_response(b"secret", &[1; 20]), &NONCE, &verifier));
        let verifier = sha2_verifier(b"secret");
        assert!(check_sha2(&sha2_response(b"secret", &NONCE), &NONCE, &verifier));
        assert!(!check_sha2(&sha2_response(b"Secret", &NONCE), &NONCE, &verifier));
        assert!(check_clear(b"secret", &verifier) && !check_clear(b"", &verifier));
    }

    #[test]
    fn a_response_of_another_length_fails() {
        for length in [0, 1, 19, 21, 31, 33] {
            let response = vec![0; length];
            assert!(!check_native(&response, &NONCE, &native_verifier(b"")));
            assert!(!check_sha2(&response, &NONCE, &sha2_verifier(b"")));
        }
    }

    #[test]
    fn nonces_survive_the_wire() {
        for byte in 0..=u8::MAX {
            let nonce = nonce_from_random([byte; 20]);
            assert!(nonce.iter().all(|byte| *byte != 0 && *byte != b'$' && byte.is_ascii()));
        }
    }
}
