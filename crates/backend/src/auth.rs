//! Answers to a server's authentication methods.
//!
//! `caching_sha2_password` has a fast path for users that the server has cached; otherwise it wants the password
//! itself: as it is over TLS or a Unix socket, otherwise encrypted under the server's RSA key
//! ([caching_sha2_password](https://dev.mysql.com/doc/dev/mysql-server/latest/page_caching_sha2_authentication_exchanges.html)).
//! `client_ed25519` is MariaDB's: a signature of a longer nonce, also where the password is empty
//! ([ed25519](https://mariadb.com/docs/server/reference/plugins/authentication-plugins/authentication-plugin-ed25519)).

use mysql_common::scramble::create_response_for_ed25519;
use serval_wire::WireError;
use serval_wire::auth::{Scramble, native_response, sha2_response};

use crate::error::LinkError;

/// The bytes that `client_ed25519` signs.
const ED25519_NONCE: usize = 32;

/// What RSA with OAEP of a 2048-bit key leaves room for, less the NUL.
const LONGEST_PASSWORD: usize = 213;

/// An authentication plugin that Serval can answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Native,
    CachingSha2,
    Ed25519,
}

impl Method {
    pub(crate) fn of(plugin: &str) -> Option<Self> {
        match plugin {
            "mysql_native_password" => Some(Self::Native),
            "caching_sha2_password" => Some(Self::CachingSha2),
            "client_ed25519" => Some(Self::Ed25519),
            _ => None,
        }
    }

    /// [`Method::of`], for a server that insists.
    pub(crate) fn required(plugin: &str, user: &str) -> Result<Self, LinkError> {
        Self::of(plugin).ok_or_else(|| {
            LinkError::Unsupported(format!(
                "user '{user}' logs in with the plugin {plugin}, which Serval does not speak; \
                 give it mysql_native_password, caching_sha2_password or ed25519"
            ))
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Native => "mysql_native_password",
            Self::CachingSha2 => "caching_sha2_password",
            Self::Ed25519 => "client_ed25519",
        }
    }

    /// The proof that the user knows the password; empty for no password.
    ///
    /// # Errors
    /// A nonce that is too short.
    pub(crate) fn response(self, password: &[u8], nonce: &[u8]) -> Result<Vec<u8>, WireError> {
        Ok(match self {
            Self::Ed25519 => create_response_for_ed25519(password, first::<ED25519_NONCE>(nonce)?).to_vec(),
            _ if password.is_empty() => Vec::new(),
            Self::Native => native_response(password, first(nonce)?).to_vec(),
            Self::CachingSha2 => sha2_response(password, first(nonce)?).to_vec(),
        })
    }
}

/// A nonce on the wire may carry a NUL behind its bytes.
pub(crate) fn first<const LENGTH: usize>(nonce: &[u8]) -> Result<&[u8; LENGTH], WireError> {
    nonce.first_chunk().ok_or(WireError::Malformed { what: "nonce" })
}

/// The password as full authentication wants it where nobody can read along.
pub(crate) fn clear(password: &[u8]) -> Vec<u8> {
    let mut clear = password.to_vec();
    clear.push(0);
    clear
}

/// The password under the server's public key, which came as PEM.
pub(crate) async fn encrypted(password: &[u8], nonce: &Scramble, pem: Vec<u8>) -> Result<Vec<u8>, LinkError> {
    if password.len() > LONGEST_PASSWORD {
        return Err(LinkError::Unsupported("the password is too long for the server's RSA key".to_owned()));
    }
    let mut masked = clear(password);
    for (byte, mask) in masked.iter_mut().zip(nonce.iter().cycle()) {
        *byte ^= mask;
    }
    // The library panics on a malformed key; a task of its own turns that into an error, and keeps the
    // arithmetic off the threads that serve clients.
    tokio::task::spawn_blocking(move || mysql_common::crypto::encrypt(&masked, &pem))
        .await
        .map_err(|_| LinkError::Unsupported("the server's RSA public key cannot be used".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_no_proof() {
        let length = |method: Method, password: &[u8]| method.response(password, &[7; 33]).unwrap().len();
        assert_eq!(length(Method::CachingSha2, b""), 0);
        assert_eq!(length(Method::Native, b"x"), 20);
        assert_eq!(length(Method::CachingSha2, b"x"), 32);
        assert_eq!((length(Method::Ed25519, b"x"), length(Method::Ed25519, b"")), (64, 64));
    }

    #[test]
    fn a_short_nonce_is_malformed() {
        assert!(Method::Native.response(b"x", &[7; 19]).is_err());
        assert!(Method::Ed25519.response(b"x", &[7; 31]).is_err());
    }

    #[test]
    fn an_unknown_plugin_is_named() {
        let error = Method::required("parsec", "app").unwrap_err().to_string();
        assert!(error.contains("parsec") && error.contains("'app'"), "{error}");
    }

    /// What the manual gives as `ed25519_password('secret')` verifies the signature.
    #[test]
    fn ed25519_signs_as_mariadb_verifies() {
        use tokio_rustls::rustls::crypto::ring;
        use tokio_rustls::rustls::pki_types::alg_id;
        let public = [
            0x64, 0x88, 0x14, 0x44, 0x45, 0x20, 0xe4, 0xf5, 0x60, 0x43, 0xa2, 0xec, 0x92, 0x15, 0xe6, 0x3b,
            0xe7, 0x99, 0x2d, 0x2d, 0x27, 0x0b, 0xc6, 0xde, 0xe8, 0x73, 0xe3, 0x61, 0x64, 0x78, 0x60, 0x96,
        ];
        let nonce = [7; 33];
        let signature = Method::Ed25519.response(b"secret", &nonce).unwrap();
        let all = ring::default_provider().signature_verification_algorithms.all;
        let ed25519 = all.iter().find(|algorithm| algorithm.signature_alg_id() == alg_id::ED25519).unwrap();
        assert!(ed25519.verify_signature(&public, &nonce[..32], &signature).is_ok());
    }

    #[tokio::test]
    async fn a_bad_key_is_an_error() {
        assert!(encrypted(b"secret", &[7; 20], b"no key".to_vec()).await.is_err());
        assert!(encrypted(&[b'x'; 300], &[7; 20], Vec::new()).await.is_err());
    }
}
