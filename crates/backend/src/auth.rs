//! Answers to a server's authentication methods.
//!
//! `caching_sha2_password` has a fast path for users that the server has cached; otherwise it wants the password
//! itself, over a Unix socket as it is and over TCP encrypted under the server's RSA key
//! ([caching_sha2_password](https://dev.mysql.com/doc/dev/mysql-server/latest/page_caching_sha2_authentication_exchanges.html)).

use serval_wire::auth::{Scramble, native_response, sha2_response};

use crate::error::LinkError;

/// What RSA with OAEP of a 2048-bit key leaves room for, less the NUL.
const LONGEST_PASSWORD: usize = 213;

/// An authentication plugin that Serval can answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Native,
    CachingSha2,
}

impl Method {
    pub(crate) fn of(plugin: &str) -> Option<Self> {
        match plugin {
            "mysql_native_password" => Some(Self::Native),
            "caching_sha2_password" => Some(Self::CachingSha2),
            _ => None,
        }
    }

    /// [`Method::of`], for a server that insists.
    pub(crate) fn required(plugin: &str, user: &str) -> Result<Self, LinkError> {
        Self::of(plugin).ok_or_else(|| {
            LinkError::Unsupported(format!(
                "user '{user}' logs in with the plugin {plugin}, which Serval does not speak; \
                 give it mysql_native_password or caching_sha2_password"
            ))
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Native => "mysql_native_password",
            Self::CachingSha2 => "caching_sha2_password",
        }
    }

    /// The proof that the user knows the password; empty for no password.
    pub(crate) fn response(self, password: &[u8], nonce: &Scramble) -> Vec<u8> {
        match self {
            _ if password.is_empty() => Vec::new(),
            Self::Native => native_response(password, nonce).to_vec(),
            Self::CachingSha2 => sha2_response(password, nonce).to_vec(),
        }
    }
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
        assert!(Method::CachingSha2.response(b"", &[7; 20]).is_empty());
        assert_eq!(Method::Native.response(b"x", &[7; 20]).len(), 20);
        assert_eq!(Method::CachingSha2.response(b"x", &[7; 20]).len(), 32);
    }

    #[test]
    fn an_unknown_plugin_is_named() {
        let error = Method::required("parsec", "app").unwrap_err().to_string();
        assert!(error.contains("parsec") && error.contains("'app'"), "{error}");
    }

    #[tokio::test]
    async fn a_bad_key_is_an_error() {
        assert!(encrypted(b"secret", &[7; 20], b"no key".to_vec()).await.is_err());
        assert!(encrypted(&[b'x'; 300], &[7; 20], Vec::new()).await.is_err());
    }
}
